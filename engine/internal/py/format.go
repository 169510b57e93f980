// SPDX-License-Identifier: Apache-2.0

package py

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// maxWidth bounds widths and precisions of formats.
const maxWidth = 1 << 20

// spec is how a value is to be written: of % and of format alike.
type spec struct {
	fill    string
	align   byte // < > = ^
	sign    byte // + - or blank
	alt     bool
	group   byte // between thousands: , or _
	width   int
	prec    int // -1: not given
	verb    byte
	percent bool
}

// parseSpec reads what stands behind the colon of a format field.
func parseSpec(s string) (spec, error) {
	out := spec{fill: " ", prec: -1}
	if _, n := utf8.DecodeRuneInString(s); n > 0 && len(s) > n && strings.IndexByte("<>=^", s[n]) >= 0 {
		out.fill, out.align = s[:n], s[n]
		s = s[n+1:]
	} else if s != "" && strings.IndexByte("<>=^", s[0]) >= 0 {
		out.align = s[0]
		s = s[1:]
	}
	take := func(set string) byte {
		if s != "" && strings.IndexByte(set, s[0]) >= 0 {
			c := s[0]
			s = s[1:]
			return c
		}
		return 0
	}
	number := func() (int, error) {
		i := 0
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		n, err := strconv.Atoi(s[:i])
		s = s[i:]
		if err != nil || n > maxWidth {
			return 0, Fail("ValueError", "Invalid format specifier")
		}
		return n, nil
	}
	var err error
	out.sign = take("+- ")
	out.alt = take("#") != 0
	if take("0") != 0 && out.align == 0 {
		out.fill, out.align = "0", '='
	}
	if s != "" && isDigit(s[0]) {
		if out.width, err = number(); err != nil {
			return out, err
		}
	}
	out.group = take(",_")
	if take(".") != 0 {
		if out.prec, err = number(); err != nil {
			return out, err
		}
	}
	out.verb = take("bcdeEfFgGnosxX%")
	if s != "" {
		return out, Fail("ValueError", "Invalid format specifier")
	}
	return out, nil
}

// formatted writes a value by conversion and format.
func (th *Thread) formatted(v Value, conv byte, format string) (string, error) {
	switch conv {
	case 'r', 'a':
		s, err := th.Repr(v)
		if err != nil {
			return "", err
		}
		v = starlark.String(s)
	case 's':
		s, err := th.Str(v)
		if err != nil {
			return "", err
		}
		v = starlark.String(s)
	case 0:
		if m := own(v, "__format__"); m != nil {
			out, err := th.Call(m, starlark.Tuple{v, starlark.String(format)}, nil)
			if err != nil {
				return "", err
			}
			return th.Str(out)
		}
	}
	if format == "" {
		return th.Str(v)
	}
	if x, ok := v.(Object); ok {
		m, err := x.Member(th, "__format__")
		if err != nil {
			return "", err
		}
		if m != nil {
			out, err := th.Call(m, starlark.Tuple{starlark.String(format)}, nil)
			if err != nil {
				return "", err
			}
			return th.Str(out)
		}
	}
	sp, err := parseSpec(format)
	if err != nil {
		return "", err
	}
	if err := th.Grow(sp.width + max(sp.prec, 0)); err != nil {
		return "", err
	}
	return th.write(v, sp)
}

// write writes a value by a spec.
func (th *Thread) write(v Value, sp spec) (string, error) {
	n := numeric(v)
	_, isBool := native(v).(starlark.Bool)
	if i, ok := n.(starlark.Int); ok && (!isBool || sp.verb != 0) {
		if strings.IndexByte("eEfFgG%", sp.verb) >= 0 && sp.verb != 0 {
			f, err := starlark.AsFloat(i)
			if !err {
				return "", Fail("OverflowError", "int too large to convert to float")
			}
			return writeFloat(float64(f), sp), nil
		}
		if err := th.digits(i); err != nil {
			return "", err
		}
		return writeInt(i.BigInt(), sp)
	}
	if f, ok := n.(starlark.Float); ok {
		switch sp.verb {
		case 'd', 'x', 'X', 'o', 'b', 'c':
			return "", Fail("ValueError", "Unknown format code '%c' for object of type 'float'", sp.verb)
		}
		return writeFloat(float64(f), sp), nil
	}
	if sp.sign != 0 || sp.alt || sp.group != 0 || sp.align == '=' && sp.fill != "0" {
		return "", Fail("ValueError", "Sign, '#', ',' and '=' are not allowed for texts")
	}
	if sp.align == '=' {
		sp.align = '<'
	}
	if sp.verb != 0 && sp.verb != 's' {
		return "", Fail("ValueError", "Unknown format code '%c' for object of type '%s'", sp.verb, th.typeName(v))
	}
	s, err := th.Str(v)
	if err != nil {
		return "", err
	}
	if sp.prec >= 0 {
		s = s[:offset(s, sp.prec)]
	}
	return pad(s, "", sp, '<'), nil
}

func writeInt(i *big.Int, sp spec) (string, error) {
	base, prefix := 10, ""
	switch sp.verb {
	case 'x', 'X':
		base, prefix = 16, "0"+string(sp.verb)
	case 'o':
		base, prefix = 8, "0o"
		if sp.percent {
			prefix = "0"
		}
	case 'b':
		base, prefix = 2, "0b"
	case 'c':
		if !i.IsInt64() || i.Int64() < 0 || i.Int64() > utf8.MaxRune {
			return "", Fail("OverflowError", "%%c arg not in range")
		}
		return pad(string(rune(i.Int64())), "", sp, '<'), nil
	}
	digits := new(big.Int).Abs(i).Text(base)
	if sp.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if sp.percent && sp.prec > len(digits) {
		digits = strings.Repeat("0", sp.prec-len(digits)) + digits
	}
	if sp.group != 0 {
		digits = group(digits, sp.group)
	}
	sign := signOf(i.Sign() < 0, sp)
	if sp.alt {
		sign += prefix
	}
	return pad(digits, sign, sp, '>'), nil
}

func signOf(negative bool, sp spec) string {
	switch {
	case negative:
		return "-"
	case sp.sign == '+':
		return "+"
	case sp.sign == ' ':
		return " "
	}
	return ""
}

// group puts a mark before every third digit of the whole part.
func group(s string, mark byte) string {
	whole, rest := s, ""
	if i := strings.IndexAny(s, ".e"); i >= 0 {
		whole, rest = s[:i], s[i:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + string(mark) + whole[i:]
	}
	return whole + rest
}

func writeFloat(f float64, sp spec) string {
	negative := math.Signbit(f)
	f = math.Abs(f)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		s := floatText(f, -1)
		if sp.verb == 'F' || sp.verb == 'E' || sp.verb == 'G' {
			s = strings.ToUpper(s)
		}
		if sp.verb == '%' {
			s += "%"
		}
		return pad(s, signOf(negative && !math.IsNaN(f), sp), sp, '>')
	}
	prec := sp.prec
	if prec < 0 {
		prec = 6
	}
	prec = min(prec, 400)
	var s string
	switch sp.verb {
	case 'f', 'F':
		s = strconv.FormatFloat(f, 'f', prec, 64)
	case 'e', 'E':
		s = strconv.FormatFloat(f, sp.verb, prec, 64)
	case '%':
		s = strconv.FormatFloat(f*100, 'f', prec, 64) + "%"
	case 0:
		if s = floatText(f, 12); sp.prec >= 0 {
			s = general(f, max(sp.prec, 1), max(sp.prec, 1), false)
		}
	default:
		s = general(f, max(prec, 1), max(prec, 1), sp.alt)
		if sp.verb == 'G' {
			s = strings.ToUpper(s)
		}
	}
	if sp.group != 0 {
		s = group(s, sp.group)
	}
	if sp.alt && !strings.Contains(s, ".") {
		s = withPoint(s)
	}
	return pad(s, signOf(negative, sp), sp, '>')
}

// withPoint puts the point that # asks for behind the whole part.
func withPoint(s string) string {
	i := strings.IndexAny(s, "eE%")
	if i < 0 {
		i = len(s)
	}
	return s[:i] + "." + s[i:]
}

// pad fills a text up to its width.
func pad(s, sign string, sp spec, align byte) string {
	if sp.align != 0 {
		align = sp.align
	}
	n := sp.width - utf8.RuneCountInString(s) - len(sign)
	if n <= 0 {
		return sign + s
	}
	switch align {
	case '<':
		return sign + s + strings.Repeat(sp.fill, n)
	case '^':
		return strings.Repeat(sp.fill, n/2) + sign + s + strings.Repeat(sp.fill, n-n/2)
	case '=':
		return sign + strings.Repeat(sp.fill, n) + s
	}
	return strings.Repeat(sp.fill, n) + sign + s
}
