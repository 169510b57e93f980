// SPDX-License-Identifier: Apache-2.0

package py

import (
	"regexp"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// maxPattern bounds a regular expression.
const maxPattern = 10_000

// flags of regular expressions.
const (
	foldCase = 2
	manyLine = 8
	dotAll   = 16
	unicoded = 32
	verbose  = 64
)

var reFlags = map[string]int{
	"IGNORECASE": foldCase, "I": foldCase, "LOCALE": 4, "L": 4, "MULTILINE": manyLine, "M": manyLine, "DOTALL": dotAll, "S": dotAll,
	"UNICODE": unicoded, "U": unicoded, "VERBOSE": verbose, "X": verbose, "ASCII": 256, "A": 256, "NOFLAG": 0,
}

// compiled is an expression as a value.
type compiled struct {
	Namespace
	pattern starlark.String
	flags   int
	// text is the expression in Go's words, re what Go makes of it; from and whole
	// match at the start, or all of a text.
	text            string
	re, from, whole *regexp.Regexp
	// groups are the numbers of the groups that code wrote, names theirs; ends are
	// those of a $, which hold the newline that it stands before.
	groups []int
	names  []string
	ends   []int
	// object is what code sees of it.
	object *Instance
}

// compileRegexp makes Go's expression of Python's.
func (th *Thread) compileRegexp(expr string, flags int) (*compiled, error) {
	if len(expr) > maxPattern {
		return nil, &Limit{th.line, "too long a regular expression"}
	}
	if err := th.Step(1 + len(expr)/4); err != nil {
		return nil, err
	}
	t := &translator{expr: expr, flags: flags, groups: []int{0}}
	if err := t.inline(); err != nil {
		return nil, err
	}
	if err := t.all(); err != nil {
		return nil, err
	}
	text := t.out.String()
	set := ""
	for _, f := range []struct {
		bit  int
		flag string
	}{{foldCase, "i"}, {manyLine, "m"}, {dotAll, "s"}} {
		if t.flags&f.bit != 0 {
			set += f.flag
		}
	}
	if set != "" {
		text = "(?" + set + ")" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		if strings.Contains(err.Error(), "invalid repeat count") {
			return nil, refused("repeat at most 1000 times", "the regular expression %s cannot be evaluated: %v", quote(expr), err)
		}
		return nil, Fail("error", "invalid regular expression %s: %v", quote(expr), err)
	}
	c := &compiled{pattern: starlark.String(expr), flags: t.flags, text: text, re: re, groups: t.groups, ends: t.ends}
	for _, g := range c.groups {
		c.names = append(c.names, re.SubexpNames()[g])
	}
	return c, nil
}

// translator writes an expression of Python's in Go's words.
type translator struct {
	expr   string
	flags  int
	at     int
	out    strings.Builder
	count  int
	groups []int
	ends   []int
}

func (t *translator) beyond(what string) error {
	return refused("write it without look-around and back references", "the regular expression %s cannot be evaluated: it has %s", quote(t.expr), what)
}

// inlined are flags within an expression, which hold for all of it.
var inlined = regexp.MustCompile(`^\(\?([aiLmsux]+)\)`)

// inline reads the flags at the start.
func (t *translator) inline() error {
	for {
		m := inlined.FindStringSubmatch(t.expr[t.at:])
		if m == nil {
			return nil
		}
		for _, r := range m[1] {
			t.flags |= map[rune]int{'i': foldCase, 'm': manyLine, 's': dotAll, 'u': unicoded, 'x': verbose}[r]
		}
		t.at += len(m[0])
	}
}

func (t *translator) all() error {
	for t.at < len(t.expr) {
		rest := t.expr[t.at:]
		var err error
		switch c := rest[0]; {
		case c == '\\':
			err = t.escape(false)
		case c == '[':
			err = t.class()
		case c == '(':
			err = t.open(rest)
		case c == '$' && t.flags&manyLine == 0:
			// It holds before a newline at the end too.
			t.count++
			t.ends = append(t.ends, t.count)
			t.out.WriteString(`(?:(\n)?\z)`)
			t.at++
		case c == '{' && strings.HasPrefix(rest, "{,"):
			t.out.WriteString("{0,")
			t.at += 2
		case t.flags&verbose != 0 && c == '#':
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest) - 1
			}
			t.at += end + 1
		case t.flags&verbose != 0 && strings.IndexByte(" \t\r\n\f\v", c) >= 0:
			t.at++
		default:
			t.out.WriteByte(c)
			t.at++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// open translates what an opening parenthesis begins.
func (t *translator) open(rest string) error {
	special, named := strings.HasPrefix(rest, "(?"), strings.HasPrefix(rest, "(?P<")
	switch {
	case !special || named:
		t.count++
		t.groups = append(t.groups, t.count)
	case strings.HasPrefix(rest, "(?#"):
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return Fail("error", "missing ), unterminated comment in the regular expression %s", quote(t.expr))
		}
		t.at += end + 1
		return nil
	case slices.ContainsFunc([]string{"(?=", "(?!", "(?<"}, func(s string) bool { return strings.HasPrefix(rest, s) }):
		return t.beyond("a look-around")
	case strings.HasPrefix(rest, "(?P=") || strings.HasPrefix(rest, "(?("):
		return t.beyond("a reference to a group")
	case inlined.MatchString(rest):
		// 2.7 takes them anywhere, for all of the expression.
		return refused("write the flags at the start", "the regular expression %s has flags within", quote(t.expr))
	}
	t.out.WriteByte('(')
	t.at++
	if special {
		t.out.WriteByte('?')
		t.at++
	}
	return nil
}

// kept are letters that mean the same behind a backslash in both.
const kept = "AbBdDwWafnrtv"

// blanks are what \s stands for.
const blanks = `\t\n\v\f\r `

// escape translates a backslash and what it is of.
func (t *translator) escape(class bool) error {
	rest := t.expr[t.at:]
	if len(rest) < 2 {
		return Fail("error", "bogus escape (end of line) in the regular expression %s", quote(t.expr))
	}
	c, n := rest[1], 2
	bracketed := func(inner string) string {
		if class {
			return inner
		}
		return "[" + inner + "]"
	}
	word := ""
	switch {
	case c == 'Z' && !class:
		word = `\z`
	case c == 'b' && class:
		word = `\x08`
	case c == 's':
		word = bracketed(blanks)
	case c == 'S' && !class:
		word = "[^" + blanks + "]"
	case t.flags&unicoded != 0 && (c == 'w' || c == 'd'):
		word = bracketed(map[byte]string{'w': `\p{L}\p{N}_`, 'd': `\p{Nd}`}[c])
	case t.flags&unicoded != 0 && (c == 'W' || c == 'D') && !class:
		word = map[byte]string{'W': `[^\p{L}\p{N}_]`, 'D': `\P{Nd}`}[c]
	case c == 'u' && len(rest) >= 6 && strings.Trim(rest[2:6], "0123456789abcdefABCDEF") == "":
		word, n = `\x{`+rest[2:6]+"}", 6
	case c == 'x' || strings.IndexByte(kept, c) >= 0 || c == 'S':
		word = rest[:2]
	case c == '0':
		for n < len(rest) && n < 4 && rest[n] >= '0' && rest[n] <= '7' {
			n++
		}
		word = `\` + rest[1:n]
	case isDigit(c) && !class:
		if len(rest) < 4 || strings.Trim(rest[1:4], "01234567") != "" {
			return t.beyond("a reference to a group")
		}
		word, n = rest[:4], 4
	case c >= 0x80 || isDigit(c) || c|32 >= 'a' && c|32 <= 'z':
		word = rest[1:2]
	default:
		word = rest[:2]
	}
	t.out.WriteString(word)
	t.at += n
	return nil
}

// class translates what is in square brackets.
func (t *translator) class() error {
	t.out.WriteByte('[')
	t.at++
	if strings.HasPrefix(t.expr[t.at:], "^") {
		t.out.WriteByte('^')
		t.at++
	}
	for first := true; t.at < len(t.expr); first = false {
		switch c := t.expr[t.at]; {
		case c == ']' && !first:
			t.out.WriteByte(c)
			t.at++
			return nil
		case c == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
			continue
		case c == '[' || c == ']':
			t.out.WriteByte('\\')
		}
		t.out.WriteByte(t.expr[t.at])
		t.at++
	}
	return Fail("error", "unexpected end of regular expression %s", quote(t.expr))
}

// anchored gives the expression at the start of a text, or for all of it.
func (c *compiled) anchored(whole bool) (*regexp.Regexp, error) {
	at, end := &c.from, ")"
	if whole {
		at, end = &c.whole, `)\z`
	}
	if *at == nil {
		re, err := regexp.Compile(`\A(?:` + c.text + end)
		if err != nil {
			return nil, Fail("error", "invalid regular expression: %v", err)
		}
		*at = re
	}
	return *at, nil
}

// located gives where the groups of code are, of where all groups are. A newline
// that a $ stands before is not of the match.
func (c *compiled) located(s string, loc []int) []int {
	if loc == nil || len(c.ends) == 0 {
		return loc
	}
	cut := slices.ContainsFunc(c.ends, func(g int) bool { return loc[2*g] >= 0 })
	out := make([]int, 0, 2*len(c.groups))
	for _, g := range c.groups {
		for _, n := range loc[2*g : 2*g+2] {
			if cut && n == len(s) {
				n--
			}
			out = append(out, n)
		}
	}
	return out
}

// index finds a group by number or name.
func (c *compiled) index(v Value) (int, error) {
	switch x := numeric(v).(type) {
	case starlark.Int:
		if n, ok := x.Int64(); ok && n >= 0 && n < int64(len(c.groups)) {
			return int(n), nil
		}
	case starlark.String:
		if g := slices.Index(c.names, string(x)); g > 0 && x != "" {
			return g, nil
		}
	}
	return 0, Fail("IndexError", "no such group")
}
