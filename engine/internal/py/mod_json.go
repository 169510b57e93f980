// SPDX-License-Identifier: Apache-2.0

package py

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"unicode/utf16"

	"go.starlark.net/starlark"
)

func jsonModule(th *Thread) map[string]Value {
	out := funcs(map[string]maker{"loads": jsonLoads, "load": jsonLoad, "dumps": jsonDumps, "dump": jsonDump})
	out["JSONDecodeError"] = th.py.classes["ValueError"]
	return out
}

// jsonHooks are functions that make values of what a document holds; nil for the
// usual ones.
type jsonHooks struct{ object, pairs, float, int Value }

// call makes a value, of the usual one where there is no function.
func (th *Thread) hooked(fn, usual, of Value) (Value, error) {
	if fn == nil || fn == starlark.None {
		return usual, nil
	}
	return th.Call(fn, starlark.Tuple{of}, nil)
}

func jsonLoads(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var text, encoding, strict Value
	var h jsonHooks
	err := starlark.UnpackArgs("loads", args, kw, "s", &text, "encoding?", &encoding, "object_hook?", &h.object, "parse_float?", &h.float,
		"parse_int?", &h.int, "object_pairs_hook?", &h.pairs, "strict?", &strict)
	if err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	s, err := textArg(th, "loads", starlark.Tuple{text}, 0)
	if err != nil {
		return nil, err
	}
	return th.decode(s, h)
}

func jsonLoad(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	f, err := one("load", args[:min(len(args), 1)])
	if err != nil {
		return nil, err
	}
	s, err := th.method(f, "read")
	if err != nil {
		return nil, err
	}
	return jsonLoads(th, append(starlark.Tuple{s}, args[1:]...), kw)
}

// JSON parses a document; objects keep the order of their keys.
func (th *Thread) JSON(s string) (Value, error) { return th.decode(s, jsonHooks{}) }

func (th *Thread) decode(s string, h jsonHooks) (Value, error) {
	if err := th.Grow(len(s)); err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	v, err := th.jsonValue(d, h)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = Fail("ValueError", "Extra data behind the JSON document")
		}
	}
	return v, err
}

func (th *Thread) jsonValue(d *json.Decoder, h jsonHooks) (Value, error) {
	if err := th.Step(1); err != nil {
		return nil, err
	}
	if err := th.enter(); err != nil {
		return nil, err
	}
	defer func() { th.depth-- }()
	t, err := d.Token()
	if err != nil {
		return nil, Fail("ValueError", "No JSON object could be decoded: %v", err)
	}
	switch x := t.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(x), nil
	case string:
		return starlark.String(x), nil
	case json.Number:
		if i, ok := new(big.Int).SetString(x.String(), 10); ok && len(x) <= maxDigits {
			return th.hooked(h.int, starlark.MakeBigInt(i), starlark.String(x))
		}
		f, err := x.Float64()
		if err != nil {
			return nil, Fail("ValueError", "number out of range: %s", x)
		}
		return th.hooked(h.float, starlark.Float(f), starlark.String(x))
	case json.Delim:
		if x == '[' {
			return th.jsonArray(d, h)
		}
		return th.jsonObject(d, h)
	}
	return nil, Fail("ValueError", "No JSON object could be decoded")
}

func (th *Thread) jsonArray(d *json.Decoder, h jsonHooks) (Value, error) {
	var items []Value
	for d.More() {
		v, err := th.jsonValue(d, h)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, Fail("ValueError", "No JSON object could be decoded: %v", err)
	}
	return starlark.NewList(items), th.Grow(slot * len(items))
}

func (th *Thread) jsonObject(d *json.Decoder, h jsonHooks) (Value, error) {
	out := new(starlark.Dict)
	var pairs []Value
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, Fail("ValueError", "No JSON object could be decoded: %v", err)
		}
		v, err := th.jsonValue(d, h)
		if err != nil {
			return nil, err
		}
		key := starlark.String(fmt.Sprint(k))
		if h.pairs != nil {
			pairs = append(pairs, starlark.Tuple{key, v})
		}
		if err := th.setKey(out, key, v); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, Fail("ValueError", "No JSON object could be decoded: %v", err)
	}
	if h.pairs != nil && h.pairs != starlark.None {
		return th.hooked(h.pairs, nil, starlark.NewList(pairs))
	}
	return th.hooked(h.object, out, out)
}

// jsonStyle is how dumps writes.
type jsonStyle struct {
	lines       bool
	indent      string
	nan, skip   bool
	item, colon string
	sorted      bool
	ascii       bool
}

func jsonDumps(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v Value
	var indent, separators, deflt, skip, circular, encoding, cls Value = starlark.None, starlark.None, starlark.None, starlark.False, starlark.None, starlark.None, starlark.None
	var sorted, ascii, nan Value = starlark.False, starlark.True, starlark.True
	err := starlark.UnpackArgs("dumps", args, kw, "obj", &v, "skipkeys?", &skip, "ensure_ascii?", &ascii, "check_circular?", &circular, "allow_nan?", &nan,
		"cls?", &cls, "indent?", &indent, "separators?", &separators, "encoding?", &encoding, "default?", &deflt, "sort_keys?", &sorted)
	if err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	if cls != starlark.None {
		return nil, refused("give default=, a function", "a class of encoders is not available in templates")
	}
	st := jsonStyle{item: ", ", colon: ": ", sorted: bool(sorted.Truth()), ascii: bool(ascii.Truth()), nan: bool(nan.Truth()), skip: bool(skip.Truth())}
	switch x := numeric(indent).(type) {
	case starlark.Int:
		// 2.7 keeps the blank behind the comma.
		n, err := starlark.AsInt32(x)
		if err != nil || n > 64 {
			return nil, Fail("TypeError", "indent must be a small integer")
		}
		st.lines, st.indent = n >= 0, strings.Repeat(" ", max(n, 0))
	case starlark.String:
		st.lines, st.indent = true, string(x)
	}
	if pair, ok := separators.(starlark.Tuple); ok && len(pair) == 2 {
		if st.item, err = textArg(th, "dumps", pair, 0); err != nil {
			return nil, err
		}
		if st.colon, err = textArg(th, "dumps", pair, 1); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := th.dump(&b, v, st, 0, deflt); err != nil {
		return nil, err
	}
	return starlark.String(b.String()), th.Grow(b.Len())
}

// jsonDump writes into a file, of which templates have those of io.
func jsonDump(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	if len(args) < 2 {
		return nil, Fail("TypeError", "dump() takes an object and a file")
	}
	s, err := jsonDumps(th, append(starlark.Tuple{args[0]}, args[2:]...), kw)
	if err != nil {
		return nil, err
	}
	return th.method(args[1], "write", s)
}

func (st *jsonStyle) breakLine(b *bytes.Buffer, level int) {
	if st.lines {
		b.WriteByte('\n')
		b.WriteString(strings.Repeat(st.indent, level))
	}
}

func (th *Thread) dump(b *bytes.Buffer, v Value, st jsonStyle, level int, deflt Value) error {
	if err := th.Step(1); err != nil {
		return err
	}
	if err := th.enter(); err != nil {
		return err
	}
	defer func() { th.depth-- }()
	switch x := native(v).(type) {
	case starlark.NoneType:
		b.WriteString("null")
	case starlark.Bool:
		b.WriteString(strings.ToLower(x.String()))
	case starlark.Int:
		b.WriteString(x.String())
	case starlark.Float:
		switch f := float64(x); {
		case !math.IsNaN(f) && !math.IsInf(f, 0):
			b.WriteString(floatText(f, -1))
		case !st.nan:
			return Fail("ValueError", "Out of range float values are not JSON compliant")
		case math.IsNaN(f):
			b.WriteString("NaN")
		default:
			b.WriteString(strings.TrimPrefix(fmt.Sprintf("%+f", f), "+") + "inity")
		}
	case starlark.String:
		jsonText(b, string(x), st.ascii)
	case *starlark.List:
		return th.dumpItems(b, elements(x), st, level, deflt)
	case starlark.Tuple:
		return th.dumpItems(b, x, st, level, deflt)
	case *starlark.Dict:
		return th.dumpDict(b, x, st, level, deflt)
	default:
		if deflt != starlark.None {
			y, err := th.Call(deflt, starlark.Tuple{v}, nil)
			if err != nil {
				return err
			}
			return th.dump(b, y, st, level, deflt)
		}
		return Fail("TypeError", "%s is not JSON serializable", th.describe(v))
	}
	return nil
}

func (th *Thread) dumpItems(b *bytes.Buffer, items []Value, st jsonStyle, level int, deflt Value) error {
	b.WriteByte('[')
	for i, v := range items {
		if i > 0 {
			b.WriteString(st.item)
		}
		st.breakLine(b, level+1)
		if err := th.dump(b, v, st, level+1, deflt); err != nil {
			return err
		}
	}
	if len(items) > 0 {
		st.breakLine(b, level)
	}
	b.WriteByte(']')
	return nil
}

func (th *Thread) dumpDict(b *bytes.Buffer, d *starlark.Dict, st jsonStyle, level int, deflt Value) error {
	if st.sorted {
		d = sortedDict(d)
	}
	b.WriteByte('{')
	some := false
	for _, item := range d.Items() {
		key, err := th.jsonKey(item[0])
		if err != nil {
			if st.skip {
				continue
			}
			return err
		}
		if some {
			b.WriteString(st.item)
		}
		some = true
		st.breakLine(b, level+1)
		jsonText(b, key, st.ascii)
		b.WriteString(st.colon)
		if err := th.dump(b, item[1], st, level+1, deflt); err != nil {
			return err
		}
	}
	if some {
		st.breakLine(b, level)
	}
	b.WriteByte('}')
	return nil
}

// jsonKey is the text that a key becomes.
func (th *Thread) jsonKey(v Value) (string, error) {
	switch k := native(v).(type) {
	case starlark.String:
		return string(k), nil
	case starlark.Bool:
		return strings.ToLower(k.String()), nil
	case starlark.NoneType:
		return "null", nil
	case starlark.Int:
		return k.String(), nil
	case starlark.Float:
		return floatText(float64(k), -1), nil
	}
	return "", Fail("TypeError", "keys must be a string, not %s", th.describe(v))
}

func jsonText(b *bytes.Buffer, s string, ascii bool) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r > 0xFFFF && ascii:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		case r < 0x20 || r > 0x7E && ascii:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
