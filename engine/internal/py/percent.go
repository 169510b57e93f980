// SPDX-License-Identifier: Apache-2.0

package py

import (
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

// percentArgs are the values that a % format takes one after the other.
type percentArgs struct {
	whole   Value
	items   []Value
	mapping bool
}

func (a *percentArgs) next() (Value, error) {
	if len(a.items) == 0 {
		return nil, Fail("TypeError", "not enough arguments for format string")
	}
	v := a.items[0]
	a.items = a.items[1:]
	return v, nil
}

// percent is format % args.
func (th *Thread) percent(format string, v Value) (string, error) {
	args := &percentArgs{whole: v, items: []Value{v}}
	if t, ok := native(v).(starlark.Tuple); ok {
		args.items = t
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			b.WriteString(format)
			break
		}
		b.WriteString(format[:i])
		out, rest, err := th.conversion(format[i+1:], args)
		if err != nil {
			return "", err
		}
		b.WriteString(out)
		format = rest
		if err := th.Grow(len(out)); err != nil {
			return "", err
		}
		if err := th.Step(1); err != nil {
			return "", err
		}
	}
	if len(args.items) > 0 && !args.mapping {
		_, isDict := native(v).(*starlark.Dict)
		_, isObject := v.(Object)
		if !isDict && !isObject {
			return "", Fail("TypeError", "not all arguments converted during string formatting")
		}
	}
	return b.String(), th.Grow(b.Len())
}

// conversion writes one value. s is what stands behind the percent sign.
func (th *Thread) conversion(s string, args *percentArgs) (out, rest string, err error) {
	sp := spec{fill: " ", prec: -1, percent: true}
	var value Value
	if strings.HasPrefix(s, "(") {
		end := strings.IndexByte(s, ')')
		if end < 0 {
			return "", "", Fail("ValueError", "incomplete format key")
		}
		args.mapping = true
		if value, err = th.Item(args.whole, starlark.String(s[1:end])); err != nil {
			return "", "", err
		}
		s = s[end+1:]
	}
	s, left, zero := sp.flags(s)
	if sp.width, s, err = th.star(s, args); err != nil {
		return "", "", err
	}
	if sp.width < 0 {
		left, sp.width = true, -sp.width
	}
	if strings.HasPrefix(s, ".") {
		if sp.prec, s, err = th.star(s[1:], args); err != nil {
			return "", "", err
		}
	}
	s = strings.TrimLeft(s, "hlL")
	if s == "" {
		return "", "", Fail("ValueError", "incomplete format")
	}
	sp.verb, rest = s[0], s[1:]
	switch {
	case left:
		sp.align = '<'
	case zero && sp.verb != 's' && sp.verb != 'r':
		sp.fill, sp.align = "0", '='
	default:
		sp.align = '>'
	}
	if sp.verb == '%' {
		return "%", rest, nil
	}
	if value == nil {
		if value, err = args.next(); err != nil {
			return "", "", err
		}
	}
	if err = th.Grow(sp.width + max(sp.prec, 0)); err != nil {
		return "", "", err
	}
	out, err = th.converted(value, sp)
	return out, rest, err
}

// flags reads what may stand behind the percent sign.
func (sp *spec) flags(s string) (rest string, left, zero bool) {
	for ; s != "" && strings.IndexByte("-+ #0", s[0]) >= 0; s = s[1:] {
		switch s[0] {
		case '-':
			left = true
		case '0':
			zero = true
		case '#':
			sp.alt = true
		default:
			if sp.sign != '+' {
				sp.sign = s[0]
			}
		}
	}
	return s, left, zero
}

// star reads a width or a precision, which may be an argument.
func (th *Thread) star(s string, args *percentArgs) (int, string, error) {
	if strings.HasPrefix(s, "*") {
		v, err := args.next()
		if err != nil {
			return 0, "", err
		}
		n, err := starlark.AsInt32(numeric(v))
		if err != nil || n > maxWidth || n < -maxWidth {
			return 0, "", Fail("TypeError", "* wants int")
		}
		return n, s[1:], nil
	}
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == 0 {
		return 0, s, nil
	}
	n, err := strconv.Atoi(s[:i])
	if err != nil || n > maxWidth {
		return 0, "", Fail("ValueError", "width too big")
	}
	return n, s[i:], nil
}

func (th *Thread) converted(v Value, sp spec) (string, error) {
	switch sp.verb {
	case 's', 'r', 'a':
		conv := sp.verb
		s, err := th.formatted(v, conv, "")
		if err != nil {
			return "", err
		}
		if sp.prec >= 0 {
			s = s[:offset(s, sp.prec)]
		}
		return pad(s, "", sp, '>'), nil
	case 'd', 'i', 'u', 'x', 'X', 'o':
		i, err := th.whole(v, sp.verb)
		if err != nil {
			return "", err
		}
		return writeInt(i, sp)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		f, ok := starlark.AsFloat(numeric(v))
		if !ok {
			return "", Fail("TypeError", "float argument required, not %s", th.typeName(v))
		}
		return writeFloat(f, sp), nil
	case 'c':
		if s, ok := native(v).(starlark.String); ok {
			return pad(string(s), "", sp, '>'), nil
		}
		i, err := th.whole(v, 'c')
		if err != nil {
			return "", err
		}
		sp.align = 0
		return writeInt(i, sp)
	}
	return "", Fail("ValueError", "unsupported format character '%c'", sp.verb)
}

// digits counts the work of writing a number.
func (th *Thread) digits(i starlark.Int) error {
	words := bits(i) / 64
	if err := th.Grow(words * 20); err != nil {
		return err
	}
	return th.Step(words * words / 16)
}

func (th *Thread) whole(v Value, verb byte) (*big.Int, error) {
	switch x := numeric(v).(type) {
	case starlark.Int:
		return x.BigInt(), th.digits(x)
	case starlark.Float:
		i, err := makeInt(nil, starlark.Tuple{x}, nil)
		if err != nil {
			return nil, err
		}
		return i.(starlark.Int).BigInt(), nil
	}
	return nil, Fail("TypeError", "%%%c format: a number is required, not %s", verb, th.typeName(v))
}

// formatFields is the method format of texts.
func (th *Thread) formatFields(format string, args starlark.Tuple, kw []starlark.Tuple, auto *int) (string, error) {
	if err := th.enter(); err != nil {
		return "", err
	}
	defer func() { th.depth-- }()
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '{' && c != '}' {
			b.WriteByte(c)
			continue
		}
		if i+1 < len(format) && format[i+1] == c {
			b.WriteByte(c)
			i++
			continue
		}
		if c == '}' {
			return "", Fail("ValueError", "Single '}' encountered in format string")
		}
		end := fieldEnd(format, i+1)
		if end < 0 {
			return "", Fail("ValueError", "Single '{' encountered in format string")
		}
		s, err := th.formatField(format[i+1:end], args, kw, auto)
		if err != nil {
			return "", err
		}
		b.WriteString(s)
		if err := th.Grow(len(s)); err != nil {
			return "", err
		}
		i = end
	}
	return b.String(), th.Grow(b.Len())
}

func fieldEnd(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

func (th *Thread) formatField(field string, args starlark.Tuple, kw []starlark.Tuple, auto *int) (string, error) {
	field, format, _ := strings.Cut(field, ":")
	field, conv, _ := strings.Cut(field, "!")
	end := strings.IndexAny(field, ".[")
	if end < 0 {
		end = len(field)
	}
	v, err := fieldValue(field[:end], args, kw, auto)
	if err != nil {
		return "", err
	}
	for rest := field[end:]; rest != ""; {
		if rest[0] == '.' {
			n := len(rest)
			if i := strings.IndexAny(rest[1:], ".["); i >= 0 {
				n = i + 1
			}
			v, err = th.Attr(v, rest[1:n])
			rest = rest[n:]
		} else {
			closing := strings.IndexByte(rest, ']')
			if closing < 0 {
				return "", Fail("ValueError", "Missing ']' in format string")
			}
			var key Value = starlark.String(rest[1:closing])
			if n, convErr := strconv.Atoi(rest[1:closing]); convErr == nil {
				key = starlark.MakeInt(n)
			}
			v, err = th.Item(v, key)
			rest = rest[closing+1:]
		}
		if err != nil {
			return "", err
		}
	}
	if strings.Contains(format, "{") {
		if format, err = th.formatFields(format, args, kw, auto); err != nil {
			return "", err
		}
	}
	c := byte(0)
	if conv != "" {
		c = conv[0]
	}
	return th.formatted(v, c, format)
}

func fieldValue(n string, args starlark.Tuple, kw []starlark.Tuple, auto *int) (Value, error) {
	if n == "" {
		n = strconv.Itoa(*auto)
		*auto++
	}
	if i, err := strconv.Atoi(n); err == nil {
		if i < 0 || i >= len(args) {
			return nil, Fail("IndexError", "tuple index out of range")
		}
		return args[i], nil
	}
	for _, k := range kw {
		if k[0] == starlark.String(n) {
			return k[1], nil
		}
	}
	return nil, Fail("KeyError", "'%s'", n)
}
