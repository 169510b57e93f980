// SPDX-License-Identifier: Apache-2.0

package py

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// Str is str() of a value.
func (th *Thread) Str(v Value) (string, error) {
	switch x := v.(type) {
	case starlark.String:
		return string(x), nil
	case starlark.Float:
		return floatText(float64(x), 12), nil
	case *Instance:
		for _, n := range []string{"__str__", "__unicode__"} {
			if m := x.Class.find(n); m != nil {
				return th.textOf(m, x)
			}
		}
		if x.Class.is(th.py.classes["BaseException"]) {
			return th.exceptionText(x)
		}
		if x.base != nil && x.Class.find("__repr__") == nil {
			return th.Str(x.base)
		}
	}
	if s, ok := v.(Standin); ok {
		return th.Str(s.Plain())
	}
	if o, ok := v.(Object); ok {
		m, err := o.Member(th, "__str__")
		if err != nil {
			return "", err
		}
		if m != nil {
			s, err := th.Call(m, nil, nil)
			if err != nil {
				return "", err
			}
			return th.Str(s)
		}
	}
	return th.Repr(v)
}

func (th *Thread) textOf(m Value, x *Instance) (string, error) {
	v, err := th.Call(m, starlark.Tuple{x}, nil)
	if err != nil {
		return "", err
	}
	s, ok := native(v).(starlark.String)
	if !ok {
		return "", Fail("TypeError", "__str__ returned non-string")
	}
	return string(s), nil
}

func (th *Thread) exceptionText(x *Instance) (string, error) {
	args, _ := x.attrs["args"].(starlark.Tuple)
	switch {
	case len(args) == 0:
		return "", nil
	case len(args) == 1 && x.Class.is(th.py.classes["KeyError"]):
		return th.Repr(args[0])
	case len(args) == 1:
		return th.Str(args[0])
	case len(args) == 2 && x.Class.is(th.py.classes["EnvironmentError"]):
		a, err := th.Str(args[0])
		if err != nil {
			return "", err
		}
		b, err := th.Str(args[1])
		return "[Errno " + a + "] " + b, err
	}
	return th.Repr(args)
}

// Repr is repr() of a value.
func (th *Thread) Repr(v Value) (string, error) {
	var b strings.Builder
	if err := th.repr(&b, v); err != nil {
		return "", err
	}
	return b.String(), th.Grow(b.Len())
}

func (th *Thread) repr(b *strings.Builder, v Value) error {
	if err := th.Step(1); err != nil {
		return err
	}
	if b.Len() > maxBytes {
		return th.Grow(b.Len())
	}
	if err := th.enter(); err != nil {
		return err
	}
	defer func() { th.depth-- }()
	switch x := v.(type) {
	case starlark.String:
		b.WriteString(quote(string(x)))
	case starlark.Int:
		if err := th.digits(x); err != nil {
			return err
		}
		b.WriteString(x.String())
	case starlark.Float:
		b.WriteString(floatText(float64(x), -1))
	case *starlark.List, *starlark.Dict:
		return th.reprNested(b, v)
	case starlark.Tuple:
		if len(x) == 1 {
			return th.reprItems(b, "(", x, ",)")
		}
		return th.reprItems(b, "(", x, ")")
	case *starlark.Set:
		return th.reprItems(b, "set([", setItems(x), "])")
	case *Instance:
		return th.reprInstance(b, x)
	case Standin:
		return th.repr(b, x.Plain())
	case Object:
		m, err := x.Member(th, "__repr__")
		if err != nil {
			return err
		}
		if m == nil {
			b.WriteString(x.String())
			return nil
		}
		s, err := th.Call(m, nil, nil)
		if err != nil {
			return err
		}
		text, err := th.Str(s)
		b.WriteString(text)
		return err
	default:
		b.WriteString(v.String())
	}
	return nil
}

// reprNested writes what can hold itself.
func (th *Thread) reprNested(b *strings.Builder, v Value) error {
	again := slices.Contains(th.writing, v)
	th.writing = append(th.writing, v)
	defer func() { th.writing = th.writing[:len(th.writing)-1] }()
	switch x := v.(type) {
	case *starlark.List:
		if again {
			b.WriteString("[...]")
			return nil
		}
		return th.reprItems(b, "[", elements(x), "]")
	case *starlark.Dict:
		if again {
			b.WriteString("{...}")
			return nil
		}
		return th.reprDict(b, x)
	}
	return nil
}

func (th *Thread) reprItems(b *strings.Builder, before string, items []Value, behind string) error {
	b.WriteString(before)
	for i, v := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := th.repr(b, v); err != nil {
			return err
		}
	}
	b.WriteString(behind)
	return nil
}

func (th *Thread) reprDict(b *strings.Builder, d *starlark.Dict) error {
	b.WriteByte('{')
	for i, item := range d.Items() {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := th.repr(b, item[0]); err != nil {
			return err
		}
		b.WriteString(": ")
		if err := th.repr(b, item[1]); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func (th *Thread) reprInstance(b *strings.Builder, x *Instance) error {
	if m := x.Class.find("__repr__"); m != nil {
		s, err := th.textOf(m, x)
		b.WriteString(s)
		return err
	}
	if x.Class.is(th.py.classes["BaseException"]) {
		args, _ := x.attrs["args"].(starlark.Tuple)
		b.WriteString(x.Class.Name)
		if len(args) == 1 {
			return th.reprItems(b, "(", args, ",)")
		}
		return th.reprItems(b, "(", args, ")")
	}
	if x.base != nil {
		return th.repr(b, x.base)
	}
	fmt.Fprintf(b, "<%s object>", x.Class.Name)
	return nil
}

// quote writes a text as Python would.
func quote(s string) string {
	q := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte(q)
	for i, r := range s {
		switch {
		case r == utf8.RuneError && s[i] != 0xEF:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == rune(q) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r == 0x7F || r > 0x7F && r < 0x100 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case r >= 0x100 && r < 0x10000 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		case r >= 0x10000 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte(q)
	return b.String()
}

// floatText writes a number with that many digits, -1 for as many as it takes.
func floatText(f float64, digits int) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	limit := 16
	if digits > 0 {
		limit = digits
	}
	s := general(f, digits, limit, false)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// general is the format g: an exponent where the number is small, or not below
// ten to the limit.
func general(f float64, digits, limit int, keepZeros bool) string {
	prec := -1
	if digits > 0 {
		prec = digits - 1
	}
	e := strconv.FormatFloat(f, 'e', prec, 64)
	mantissa, exponent, _ := strings.Cut(e, "e")
	exp, _ := strconv.Atoi(exponent)
	trim := func(s string) string {
		if keepZeros || !strings.Contains(s, ".") {
			return s
		}
		return strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if exp < -4 || exp >= limit {
		return fmt.Sprintf("%se%+03d", trim(mantissa), exp)
	}
	if digits > 0 {
		return trim(strconv.FormatFloat(f, 'f', max(digits-1-exp, 0), 64))
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
