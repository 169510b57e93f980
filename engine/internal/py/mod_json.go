// SPDX-License-Identifier: Apache-2.0

package py

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"
	"unicode/utf16"

	"go.starlark.net/starlark"
)

func jsonModule(th *Thread) map[string]Value {
	out := funcs(map[string]maker{"loads": jsonLoads, "load": jsonLoad, "dumps": jsonDumps})
	out["JSONDecodeError"] = th.py.classes["ValueError"]
	return out
}

func jsonLoads(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	s, err := textArg(th, "loads", args, 0)
	if err != nil {
		return nil, err
	}
	return th.JSON(s)
}

func jsonLoad(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	f, err := one("load", args)
	if err != nil {
		return nil, err
	}
	s, err := th.method(f, "read")
	if err != nil {
		return nil, err
	}
	return jsonLoads(th, starlark.Tuple{s}, nil)
}

// JSON parses a document; objects keep the order of their keys.
func (th *Thread) JSON(s string) (Value, error) {
	if err := th.Grow(len(s)); err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	v, err := th.jsonValue(d)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = Fail("ValueError", "Extra data behind the JSON document")
		}
	}
	return v, err
}

func (th *Thread) jsonValue(d *json.Decoder) (Value, error) {
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
			return starlark.MakeBigInt(i), nil
		}
		f, err := x.Float64()
		return starlark.Float(f), err
	case json.Delim:
		if x == '[' {
			return th.jsonArray(d)
		}
		return th.jsonObject(d)
	}
	return nil, Fail("ValueError", "No JSON object could be decoded")
}

func (th *Thread) jsonArray(d *json.Decoder) (Value, error) {
	var items []Value
	for d.More() {
		v, err := th.jsonValue(d)
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

func (th *Thread) jsonObject(d *json.Decoder) (Value, error) {
	out := new(starlark.Dict)
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, Fail("ValueError", "No JSON object could be decoded: %v", err)
		}
		v, err := th.jsonValue(d)
		if err != nil {
			return nil, err
		}
		if err := th.setKey(out, starlark.String(fmt.Sprint(k)), v); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, Fail("ValueError", "No JSON object could be decoded: %v", err)
	}
	return out, nil
}

// jsonStyle is how dumps writes.
type jsonStyle struct {
	indent      int // -1: all in one line
	item, colon string
	sorted      bool
	ascii       bool
}

func jsonDumps(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v Value
	var indent, separators, deflt, skip Value = starlark.None, starlark.None, starlark.None, starlark.None
	var sorted, ascii Value = starlark.False, starlark.True
	err := starlark.UnpackArgs("dumps", args, kw, "obj", &v, "indent?", &indent, "sort_keys?", &sorted, "separators?", &separators,
		"ensure_ascii?", &ascii, "default?", &deflt, "skipkeys?", &skip)
	if err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	st := jsonStyle{indent: -1, item: ", ", colon: ": ", sorted: bool(sorted.Truth()), ascii: bool(ascii.Truth())}
	if indent != starlark.None {
		// 2.7 keeps the blank behind the comma.
		if st.indent, err = starlark.AsInt32(indent); err != nil || st.indent > 64 {
			return nil, Fail("TypeError", "indent must be a small integer")
		}
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

func (st *jsonStyle) breakLine(b *bytes.Buffer, level int) {
	if st.indent >= 0 {
		b.WriteByte('\n')
		b.WriteString(strings.Repeat(" ", st.indent*level))
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
		b.WriteString(floatText(float64(x), -1))
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
	for i, item := range d.Items() {
		if i > 0 {
			b.WriteString(st.item)
		}
		st.breakLine(b, level+1)
		key := ""
		switch k := item[0].(type) {
		case starlark.String:
			key = string(k)
		case starlark.Bool:
			key = strings.ToLower(k.String())
		case starlark.NoneType:
			key = "null"
		default:
			s, err := th.Str(k)
			if err != nil {
				return err
			}
			key = s
		}
		jsonText(b, key, st.ascii)
		b.WriteString(st.colon)
		if err := th.dump(b, item[1], st, level+1, deflt); err != nil {
			return err
		}
	}
	if d.Len() > 0 {
		st.breakLine(b, level)
	}
	b.WriteByte('}')
	return nil
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
