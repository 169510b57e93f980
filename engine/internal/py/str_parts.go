// SPDX-License-Identifier: Apache-2.0

package py

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

func strCount(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var x string
	lo, hi := starlark.Value(starlark.None), starlark.Value(starlark.None)
	if err := starlark.UnpackPositionalArgs("count", args, kw, 1, &x, &lo, &hi); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	s, at, err := window(string(self.(starlark.String)), lo, hi)
	if at < 0 {
		return starlark.MakeInt(0), err
	}
	if err == nil {
		err = th.Step(1 + len(s)/chunk)
	}
	return starlark.MakeInt(strings.Count(s, x)), err
}

func strReplace(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var old, with string
	n := -1
	if err := starlark.UnpackPositionalArgs("replace", args, kw, 2, &old, &with, &n); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	s := string(self.(starlark.String))
	grown := len(s) + 1
	if len(with) > len(old) {
		count := strings.Count(s, old)
		if count > 0 && len(with) > maxBytes/count {
			return nil, th.Grow(maxBytes + 1)
		}
		grown += count * len(with)
	}
	if err := th.Grow(grown); err != nil {
		return nil, err
	}
	return starlark.String(strings.Replace(s, old, with, n)), nil
}

func strJoin(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) != 1 {
		return nil, Fail("TypeError", "join() takes exactly one argument (%d given)", len(args))
	}
	var parts []string
	size := 0
	n := 0
	err := th.each(args[0], func(v Value) (bool, error) {
		s, ok := native(v).(starlark.String)
		if !ok {
			return false, Fail("TypeError", "sequence item %d: expected string, %s found", n, th.typeName(v))
		}
		n++
		parts = append(parts, string(s))
		size += len(s) + len(self.(starlark.String))
		if size > maxBytes {
			return false, th.Grow(size)
		}
		return true, th.Grow(slot / 2)
	})
	if err == nil {
		err = th.Grow(size)
	}
	if err != nil {
		return nil, err
	}
	return starlark.String(strings.Join(parts, string(self.(starlark.String)))), nil
}

func strFormat(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	auto := 0
	s, err := th.formatFields(string(self.(starlark.String)), args, kw, &auto)
	return starlark.String(s), err
}

func texts(list []string) *starlark.List {
	out := make([]Value, len(list))
	for i, s := range list {
		out[i] = starlark.String(s)
	}
	return starlark.NewList(out)
}

// lineEnds are the characters that end a line in Python.
const lineEnds = "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"

func strSplitlines(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var keep Value = starlark.False
	if err := starlark.UnpackArgs("splitlines", args, kw, "keepends?", &keep); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	var out []string
	text := string(self.(starlark.String))
	lines := 1
	for _, r := range text {
		if strings.ContainsRune(lineEnds, r) {
			lines++
		}
	}
	if err := th.Grow(slot * lines); err != nil {
		return nil, err
	}
	for s := text; s != ""; {
		i := strings.IndexAny(s, lineEnds)
		end := len(s)
		if i < 0 {
			i = len(s)
		} else if _, n := utf8.DecodeRuneInString(s[i:]); strings.HasPrefix(s[i:], "\r\n") {
			end = i + 2
		} else {
			end = i + n
		}
		if bool(keep.Truth()) {
			i = end
		}
		out = append(out, s[:i])
		s = s[end:]
	}
	return texts(out), th.Grow(slot * len(out))
}

func strSplit(right bool) method {
	return func(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var sep Value = starlark.None
		most := -1
		if err := starlark.UnpackArgs("split", args, kw, "sep?", &sep, "maxsplit?", &most); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		s := string(self.(starlark.String))
		if err := th.Grow(len(s) + 16); err != nil {
			return nil, err
		}
		if err := th.Grow(slot * pieces(s, sep, most)); err != nil {
			return nil, err
		}
		if sep == starlark.None {
			return texts(fields(s, most, right)), nil
		}
		x, ok := native(sep).(starlark.String)
		if !ok {
			return nil, Fail("TypeError", "split separator must be a string")
		}
		if x == "" {
			return nil, Fail("ValueError", "empty separator")
		}
		if most < 0 || !right {
			if most >= 0 {
				most++
			}
			return texts(strings.SplitN(s, string(x), most)), nil
		}
		var out []string
		for ; most > 0; most-- {
			i := strings.LastIndex(s, string(x))
			if i < 0 {
				break
			}
			out = append(out, s[i+len(x):])
			s = s[:i]
		}
		out = append(out, s)
		slices.Reverse(out)
		return texts(out), nil
	}
}

// pieces bounds into how many a text is split.
func pieces(s string, sep Value, most int) int {
	n := len(s)/2 + 1
	if x, ok := native(sep).(starlark.String); ok && x != "" {
		n = strings.Count(s, string(x)) + 1
	} else {
		n = min(n, len(strings.FieldsFunc(s[:min(len(s), 1<<16)], unicode.IsSpace))+max(len(s)-1<<16, 0)/2+1)
	}
	if most >= 0 {
		n = min(n, most+1)
	}
	return n
}

// fields splits at blanks, at most so many times.
func fields(s string, most int, right bool) []string {
	if most < 0 {
		return strings.Fields(s)
	}
	var out []string
	if right {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
		for ; most > 0 && s != ""; most-- {
			i := strings.LastIndexFunc(s, unicode.IsSpace)
			if i < 0 {
				break
			}
			_, n := utf8.DecodeRuneInString(s[i:])
			out = append(out, s[i+n:])
			s = strings.TrimRightFunc(s[:i], unicode.IsSpace)
		}
		if s != "" {
			out = append(out, s)
		}
		slices.Reverse(out)
		return out
	}
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	for ; most > 0 && s != ""; most-- {
		i := strings.IndexFunc(s, unicode.IsSpace)
		if i < 0 {
			break
		}
		out = append(out, s[:i])
		s = strings.TrimLeftFunc(s[i:], unicode.IsSpace)
	}
	if s != "" {
		out = append(out, s)
	}
	return out
}

func strPartition(index func(s, x string) int, right bool) method {
	return func(_ *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var x string
		if err := starlark.UnpackPositionalArgs("partition", args, kw, 1, &x); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		if x == "" {
			return nil, Fail("ValueError", "empty separator")
		}
		s := string(self.(starlark.String))
		i := index(s, x)
		switch {
		case i >= 0:
			return starlark.Tuple{starlark.String(s[:i]), starlark.String(x), starlark.String(s[i+len(x):])}, nil
		case right:
			return starlark.Tuple{starlark.String(""), starlark.String(""), starlark.String(s)}, nil
		}
		return starlark.Tuple{starlark.String(s), starlark.String(""), starlark.String("")}, nil
	}
}

func strExpandtabs(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	size := 8
	if err := starlark.UnpackArgs("expandtabs", args, kw, "tabsize?", &size); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	if size > 1<<10 {
		return nil, Fail("OverflowError", "too large a tabsize")
	}
	grown := len(self.(starlark.String)) + strings.Count(string(self.(starlark.String)), "\t")*max(size, 0)
	if err := th.Grow(grown); err != nil {
		return nil, err
	}
	var b strings.Builder
	column := 0
	for _, r := range string(self.(starlark.String)) {
		switch r {
		case '\t':
			if size > 0 {
				n := size - column%size
				b.WriteString(strings.Repeat(" ", n))
				column += n
			}
			continue
		case '\n', '\r':
			column = -1
		}
		column++
		b.WriteRune(r)
	}
	return starlark.String(b.String()), nil
}

// strEncode leaves text as it is, in whichever charset: texts and bytes are one.
// Of the codecs that 2.7 has for texts, hex and base64 are there.
func strEncode(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	codec, errors := "utf-8", "strict"
	if err := starlark.UnpackArgs("encode", args, kw, "encoding?", &codec, "errors?", &errors); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	s := string(self.(starlark.String))
	if err := th.Grow(len(s)); err != nil {
		return nil, err
	}
	switch strings.ReplaceAll(strings.ToLower(codec), "_", "-") {
	case "hex":
		if err := th.Grow(2 * len(s)); err != nil {
			return nil, err
		}
		return starlark.String(hex.EncodeToString([]byte(s))), nil
	case "base64":
		return starlark.String(base64Lines(s)), nil
	case "ascii", "us-ascii":
		return ascii(s, errors)
	case "utf-8", "utf8", "latin-1", "latin1", "iso-8859-1":
		return self, nil
	}
	return nil, Fail("LookupError", "unknown encoding: %s", codec)
}

func ascii(s, errors string) (Value, error) {
	if !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7F }) {
		return starlark.String(s), nil
	}
	switch errors {
	case "ignore":
		return starlark.String(strings.Map(func(r rune) rune {
			if r > 0x7F {
				return -1
			}
			return r
		}, s)), nil
	case "replace":
		return starlark.String(strings.Map(func(r rune) rune {
			if r > 0x7F {
				return '?'
			}
			return r
		}, s)), nil
	}
	return nil, Fail("UnicodeEncodeError", "'ascii' codec can't encode characters: ordinal not in range(128)")
}

func strDecode(_ *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	codec, errors := "utf-8", "strict"
	if err := starlark.UnpackArgs("decode", args, kw, "encoding?", &codec, "errors?", &errors); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	s := string(self.(starlark.String))
	var out []byte
	var err error
	switch strings.ReplaceAll(strings.ToLower(codec), "_", "-") {
	case "hex":
		out, err = hex.DecodeString(s)
	case "base64":
		out, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(s, "\n", ""))
	case "ascii", "us-ascii", "utf-8", "utf8", "latin-1", "latin1", "iso-8859-1":
		return self, nil
	default:
		return nil, Fail("LookupError", "unknown encoding: %s", codec)
	}
	if err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	return starlark.String(out), nil
}

func strTranslate(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var table Value
	drop := ""
	if err := starlark.UnpackPositionalArgs("translate", args, kw, 1, &table, &drop); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	var b strings.Builder
	d, isDict := native(table).(*starlark.Dict)
	list, _ := native(table).(starlark.String)
	chars := []rune(string(list))
	for _, r := range string(self.(starlark.String)) {
		if err := th.Step(1); err != nil {
			return nil, err
		}
		if strings.ContainsRune(drop, r) {
			continue
		}
		if !isDict {
			if int(r) < len(chars) {
				r = chars[r]
			}
			b.WriteRune(r)
			continue
		}
		v, ok, err := d.Get(starlark.MakeInt(int(r)))
		switch {
		case err != nil:
			return nil, err
		case !ok:
			b.WriteRune(r)
		case v == starlark.None:
		default:
			if i, err := starlark.AsInt32(v); err == nil {
				b.WriteRune(rune(i))
				continue
			}
			s, err := th.Str(v)
			if err != nil {
				return nil, err
			}
			b.WriteString(s)
			if err := th.Grow(len(s)); err != nil {
				return nil, err
			}
		}
	}
	return starlark.String(b.String()), th.Grow(b.Len())
}

// base64Lines is base64 in lines of 76, as the codec of 2.7 writes it.
func base64Lines(s string) string {
	text := base64.StdEncoding.EncodeToString([]byte(s))
	var b strings.Builder
	for len(text) > 76 {
		b.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	if text != "" {
		b.WriteString(text + "\n")
	}
	return b.String()
}
