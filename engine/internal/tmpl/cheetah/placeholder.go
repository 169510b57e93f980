// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"regexp"
	"slices"
	"strings"
)

// The starts of a placeholder: of a variable, and of any expression in brackets.
var (
	variableStart   = regexp.MustCompile(`^\$!?(?:\*[0-9.]+[smhdw]?\*|\*)?(?:[{(\[][ \t\f]*)?[A-Za-z_]`)
	expressionStart = regexp.MustCompile(`^\$(?:\*[0-9.]+[smhdw]?\*|\*)?[{(\[][ \t\f]*[^)}\]]`)
)

// maxStart bounds how far a placeholder's start is looked for.
const maxStart = 256

// keywords cannot be names of Python, but are found in dictionaries.
var keywords = strings.Fields("and as assert async await break class continue def del elif else except exec finally for from global if import in is lambda" +
	" nonlocal not or pass print raise return try while with yield")

// atPlaceholder tells whether the dollar sign at the cursor begins a placeholder.
func (c *compiler) atPlaceholder() bool {
	if c.escaped() {
		return false
	}
	near := c.src[c.pos:min(c.limit, c.pos+maxStart)]
	return variableStart.MatchString(near) || expressionStart.MatchString(near)
}

// placeholder translates the placeholder at the cursor; silent is that of $!x.
func (c *compiler) placeholder() (x string, silent bool) {
	c.pos++
	if silent = c.peek() == '!'; silent {
		c.pos++
	}
	if c.peek() == '*' {
		c.fail("leave the * out", "placeholders that keep their first value ($*x) are not supported")
	}
	open := c.peek()
	if closers[open] == 0 {
		return c.chain(), silent
	}
	c.pos++
	c.skipBlanks(len(c.src))
	if !isNameStart(c.peek()) || c.isString() {
		return c.closed(open, ""), silent
	}
	x = c.chain() + c.skipBlanks(len(c.src))
	switch c.peek() {
	case closers[open]:
		c.pos++
		return x, silent
	case ',':
		c.pos++
		c.arguments([]byte{open}) // of a filter, and there is none
		return x, silent
	}
	return c.closed(open, x), silent
}

// isString tells whether a string with a prefix is at the cursor.
func (c *compiler) isString() bool {
	i := c.pos
	for i-c.pos < 2 && strings.IndexByte("uUrRbBc", c.byteAt(i)) >= 0 && c.byteAt(i) != 0 {
		i++
	}
	return c.byteAt(i) == '\'' || c.byteAt(i) == '"'
}

// closed reads the rest of an expression up to the bracket that closes it.
func (c *compiler) closed(open byte, x string) string {
	start := c.pos
	x += c.expression(until{enclosed: true, open: []byte{open}})
	x = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(x), string(closers[open])))
	if x == "" {
		c.failAt(start, "", "an expression is missing")
	}
	return x
}

// variable translates the variable at the cursor, within an expression.
func (c *compiler) variable() string {
	start := c.pos
	c.pos++
	if c.peek() == '!' {
		c.pos++
	}
	if !isNameStart(c.peek()) || c.byteAt(c.pos-1) == '!' {
		c.failAt(start, "within an expression write the name alone", "this form of placeholder cannot stand in an expression")
	}
	return c.chain()
}

// link is a part of a variable: names, and brackets behind the last.
type link struct {
	names string
	auto  bool // call what can be called
	rest  string
}

// chain reads names, calls and items as far as they belong to a variable. The dot
// behind a bracket may be left out, so $f(1)s is $f(1).s.
func (c *compiler) chain() string {
	var links []link
	for {
		if len(links) > 0 && c.peek() == '.' && isNameStart(c.byteAt(c.pos+1)) {
			c.pos++
		}
		if !isNameStart(c.peek()) {
			break
		}
		names, rest := c.dotted(), ""
		switch c.peek() {
		case '(':
			rest = c.arguments(nil)
		case '[':
			rest = c.expression(until{enclosed: true})
		}
		if i := strings.LastIndexByte(names, '.'); i > 0 && rest != "" {
			links = append(links, link{names[:i], true, ""})
			names = names[i+1:]
		}
		links = append(links, link{names, rest == "" || rest[0] != '(', rest})
	}
	if c.plain {
		return plainChain(links)
	}
	return lookup(links)
}

func plainChain(links []link) string {
	var parts []string
	for _, l := range links {
		parts = append(parts, l.names+l.rest)
	}
	return strings.Join(parts, ".")
}

// lookup makes calls of the functions that look names up. The lambda gives a
// local name its value, wherever the variable stands.
func lookup(links []link) string {
	first, _, _ := strings.Cut(links[0].names, ".")
	local := "lambda: " + first
	if slices.Contains(keywords, first) {
		local = "None"
	}
	x := nameFirst + "(" + local + ",'" + links[0].names + "'," + flag(links[0].auto) + ")" + links[0].rest
	for _, l := range links[1:] {
		x = nameNext + "(" + x + ",'" + l.names + "'," + flag(l.auto) + ")" + l.rest
	}
	return x
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
