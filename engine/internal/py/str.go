// SPDX-License-Identifier: Apache-2.0

package py

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// textMethod is a method of texts that wants only texts and numbers.
func textMethod(fn func(s string) Value) method {
	return func(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		if len(args)+len(kw) > 0 {
			return nil, Fail("TypeError", "this method takes no arguments (%d given)", len(args)+len(kw))
		}
		s := string(self.(starlark.String))
		return fn(s), th.Grow(len(s))
	}
}

func test(ok func(rune) bool) method {
	return textMethod(func(s string) Value {
		return starlark.Bool(s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !ok(r) }))
	})
}

// cased tells whether a text has letters with case and all are of one.
func cased(of, other func(rune) bool) method {
	return textMethod(func(s string) Value {
		return starlark.Bool(strings.ContainsFunc(s, of) && !strings.ContainsFunc(s, other))
	})
}

func strMethods() map[string]method {
	m := map[string]method{
		"upper":      textMethod(func(s string) Value { return starlark.String(strings.ToUpper(s)) }),
		"lower":      textMethod(func(s string) Value { return starlark.String(strings.ToLower(s)) }),
		"casefold":   textMethod(func(s string) Value { return starlark.String(strings.ToLower(s)) }),
		"swapcase":   textMethod(func(s string) Value { return starlark.String(strings.Map(swapCase, s)) }),
		"title":      textMethod(func(s string) Value { return starlark.String(title(s)) }),
		"capitalize": textMethod(func(s string) Value { return starlark.String(capitalize(s)) }),
		"isdigit":    test(unicode.IsDigit), "isdecimal": test(unicode.IsDigit), "isnumeric": test(unicode.IsNumber),
		"isalpha": test(unicode.IsLetter), "isspace": test(unicode.IsSpace),
		"isalnum": test(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
		"isupper": cased(unicode.IsUpper, unicode.IsLower), "islower": cased(unicode.IsLower, unicode.IsUpper),
		"istitle": textMethod(func(s string) Value {
			return starlark.Bool(strings.ContainsFunc(s, unicode.IsLetter) && title(s) == s)
		}),
		"strip": strip(strings.TrimFunc, strings.Trim), "lstrip": strip(strings.TrimLeftFunc, strings.TrimLeft), "rstrip": strip(strings.TrimRightFunc, strings.TrimRight),
		"startswith": affix(strings.HasPrefix), "endswith": affix(strings.HasSuffix),
		"removeprefix": remove(strings.TrimPrefix), "removesuffix": remove(strings.TrimSuffix),
		"ljust": justify('<'), "rjust": justify('>'), "center": justify('^'), "zfill": justify('0'),
		"find": seek("find", strings.Index, false), "rfind": seek("rfind", strings.LastIndex, false),
		"index": seek("index", strings.Index, true), "rindex": seek("rindex", strings.LastIndex, true),
		"count": strCount, "replace": strReplace, "join": strJoin, "format": strFormat, "splitlines": strSplitlines,
		"split": strSplit(false), "rsplit": strSplit(true), "partition": strPartition(strings.Index, false), "rpartition": strPartition(strings.LastIndex, true),
		"expandtabs": strExpandtabs, "encode": strEncode, "decode": strDecode, "translate": strTranslate,
	}
	m["__len__"] = func(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		n, err := th.length(self)
		return starlark.MakeInt(n), err
	}
	return m
}

func swapCase(r rune) rune {
	if unicode.IsUpper(r) {
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}

func title(s string) string {
	inside := false
	return strings.Map(func(r rune) rune {
		was := inside
		inside = unicode.IsLetter(r)
		if inside && !was {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToTitle(r)) + strings.ToLower(s[n:])
}

func strip(blank func(string, func(rune) bool) string, set func(string, string) string) method {
	return func(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var chars Value = starlark.None
		if err := starlark.UnpackPositionalArgs("strip", args, kw, 0, &chars); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		s := string(self.(starlark.String))
		if chars == starlark.None {
			return starlark.String(blank(s, unicode.IsSpace)), nil
		}
		c, ok := native(chars).(starlark.String)
		if !ok {
			return nil, Fail("TypeError", "strip arg must be None or str")
		}
		return starlark.String(set(s, string(c))), th.Step(1 + len(s)/64)
	}
}

func affix(has func(s, x string) bool) method {
	return func(_ *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var x Value
		lo, hi := starlark.Value(starlark.None), starlark.Value(starlark.None)
		if err := starlark.UnpackPositionalArgs("startswith", args, kw, 1, &x, &lo, &hi); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		s, at, err := window(string(self.(starlark.String)), lo, hi)
		if err != nil {
			return nil, err
		}
		list, ok := x.(starlark.Tuple)
		if !ok {
			list = starlark.Tuple{x}
		}
		for _, v := range list {
			p, ok := native(v).(starlark.String)
			if !ok {
				return nil, Fail("TypeError", "startswith first arg must be str or a tuple of str, not %s", v.Type())
			}
			if at >= 0 && has(s, string(p)) {
				return starlark.True, nil
			}
		}
		return starlark.False, nil
	}
}

// window cuts a text to the characters from lo to hi, and tells how many are
// before it, -1 where there is no such place.
func window(s string, lo, hi Value) (string, int, error) {
	if lo == starlark.None && hi == starlark.None {
		return s, 0, nil
	}
	from, to, _, err := (&sliceValue{lo, hi, starlark.None}).bounds(utf8.RuneCountInString(s))
	if err != nil {
		return "", 0, err
	}
	if i, ok := numeric(lo).(starlark.Int); ok && starlark.MakeInt(utf8.RuneCountInString(s)).Sub(i).Sign() < 0 || to < from {
		return "", -1, nil
	}
	start := offset(s, from)
	return s[start : start+offset(s[start:], to-from)], from, nil
}

func remove(cut func(s, x string) string) method {
	return func(_ *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var x string
		if err := starlark.UnpackPositionalArgs("removeprefix", args, kw, 1, &x); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		return starlark.String(cut(string(self.(starlark.String)), x)), nil
	}
}

func justify(align byte) method {
	return func(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var width int
		fill := " "
		if err := starlark.UnpackPositionalArgs("ljust", args, kw, 1, &width, &fill); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		s := string(self.(starlark.String))
		if err := th.Grow(max(width, 0)*len(fill) + len(s)); err != nil {
			return nil, err
		}
		sp := spec{fill: fill, align: align, width: width}
		if align != '0' {
			if align == '^' {
				// Python puts the odd blank on the left where the width is odd.
				n := width - utf8.RuneCountInString(s)
				if n > 0 {
					left := n/2 + n&width&1
					return starlark.String(strings.Repeat(fill, left) + s + strings.Repeat(fill, n-left)), nil
				}
			}
			return starlark.String(pad(s, "", sp, align)), nil
		}
		sp.fill, sp.align = "0", '='
		sign := ""
		if s != "" && (s[0] == '-' || s[0] == '+') {
			sign, s = s[:1], s[1:]
		}
		return starlark.String(pad(s, sign, sp, '=')), nil
	}
}

func seek(n string, index func(s, x string) int, must bool) method {
	return func(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var x string
		lo, hi := starlark.Value(starlark.None), starlark.Value(starlark.None)
		if err := starlark.UnpackPositionalArgs(n, args, kw, 1, &x, &lo, &hi); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		s, before, err := window(string(self.(starlark.String)), lo, hi)
		if err != nil {
			return nil, err
		}
		i := -1
		if before >= 0 {
			i = index(s, x)
		}
		if i < 0 && must {
			return nil, Fail("ValueError", "substring not found")
		}
		if i >= 0 {
			i = before + utf8.RuneCountInString(s[:i])
		}
		return starlark.MakeInt(i), th.Step(1 + len(s)/64)
	}
}
