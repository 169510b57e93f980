// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"slices"
	"strings"
)

// maxNesting bounds how deep expressions nest.
const maxNesting = 100

var closers = map[byte]byte{'(': ')', '[': ']', '{': '}'}

// until says where an expression ends besides the end of the line or a "#".
type until struct {
	// enclosed: with the bracket that closes the first one.
	enclosed bool
	// open are the brackets already read.
	open []byte
	// tokens end the expression.
	tokens []string
	// plain: names are Python's own, not looked up by Cheetah's rules.
	plain bool
}

// expression translates an expression to Python.
func (c *compiler) expression(u until) string { return strings.Join(c.parts(u), "") }

// parts translates an expression, piece by piece.
func (c *compiler) parts(u until) []string {
	c.nest()
	defer func() { c.depth-- }()
	plain := c.plain
	c.plain = plain || u.plain
	defer func() { c.plain = plain }()
	start := c.pos
	var out []string
	for {
		if c.atEnd() {
			if len(u.open) > 0 {
				c.failAt(start, "", "a closing %q is missing", string(closers[u.open[len(u.open)-1]]))
			}
			return out
		}
		piece, end := c.part(&u)
		if end {
			return out
		}
		out = append(out, piece...)
	}
}

// part reads one piece; end tells that the expression is over.
func (c *compiler) part(u *until) (piece []string, end bool) {
	b := c.peek()
	switch {
	case closers[b] != 0:
		u.open = append(u.open, b)
		c.pos++
		return []string{string(b)}, false
	case u.enclosed && len(u.open) == 0:
		return nil, true
	case b == ')' || b == ']' || b == '}':
		n := len(u.open)
		if n == 0 || closers[u.open[n-1]] != b {
			c.fail("", "%q closes nothing", string(b))
		}
		u.open = u.open[:n-1]
		c.pos++
		return []string{string(b)}, false
	case strings.IndexByte(blanks, b) >= 0:
		return []string{c.skipBlanks(len(c.src))}, false
	case b == '#' && len(u.open) == 0:
		return nil, true
	case b == '\\':
		c.pos++
		end, next := c.eol()
		if end != c.pos {
			c.fail("", "a backslash can only stand at the end of a line here")
		}
		c.pos = next
		return []string{" "}, false
	case (b == '\n' || b == '\r') && len(u.open) == 0:
		return nil, true
	case b == '\n' || b == '\r':
		c.pos++
		return []string{" "}, false
	case b == '$':
		return []string{c.variable()}, false
	}
	return c.word(u)
}

// word reads a token of Python and what belongs to it.
func (c *compiler) word(u *until) (piece []string, end bool) {
	start := c.pos
	t := c.token()
	if len(u.open) == 0 && slices.Contains(u.tokens, t) {
		c.pos = start
		return nil, true
	}
	t = c.special(t)
	if !isNameStart(t[0]) || strings.ContainsAny(t, "'\"") {
		return []string{t}, false
	}
	if t == "for" {
		return []string{t, c.expression(until{plain: true, tokens: []string{"in"}})}, false
	}
	piece = []string{t, c.skipBlanks(len(c.src))}
	if c.peek() == '(' {
		piece = append(piece, c.arguments(nil))
	}
	return piece, false
}

// special makes Python of c'text with $placeholders'.
func (c *compiler) special(t string) string {
	if t != "c" || c.peek() != '\'' && c.peek() != '"' {
		return t
	}
	start := c.pos
	s := c.token()
	mark := 1
	if len(s) >= 6 && s[:3] == strings.Repeat(s[:1], 3) {
		mark = 3
	}
	end, limit := c.pos, c.limit
	c.pos, c.limit = start+mark, end-mark
	var items []string
	from := c.pos
	flush := func() {
		if c.pos > from {
			items = append(items, quote(c.src[from:c.pos]))
		}
	}
	for !c.atEnd() {
		if c.peek() != '$' || !c.atPlaceholder() {
			c.pos++
			continue
		}
		flush()
		x, _ := c.placeholder()
		items = append(items, "str("+x+")")
		from = c.pos
	}
	flush()
	c.pos, c.limit = end, limit
	return "''.join([" + strings.Join(items, ",") + "])"
}

var quoter = strings.NewReplacer("\\", "\\\\", "'", "\\'", "\n", "\\n", "\r", "\\r")

// quote writes a string of Python's on one line.
func quote(s string) string {
	return "'" + quoter.Replace(s) + "'"
}

// arguments translates the arguments of a call, from the opening parenthesis or,
// with open, from behind it.
func (c *compiler) arguments(open []byte) string {
	c.nest()
	defer func() { c.depth-- }()
	start := c.pos
	if open == nil {
		c.pos++
	}
	var out strings.Builder
	out.WriteByte('(')
	for {
		b := c.peek()
		switch {
		case c.atEnd():
			c.failAt(start, "", "a closing \")\" is missing")
		case b == ')' || b == ']' || b == '}':
			if want := open; want != nil && closers[want[0]] != b || want == nil && b != ')' {
				c.fail("", "%q closes nothing", string(b))
			}
			c.pos++
			out.WriteByte(')')
			return out.String()
		case strings.IndexByte(blanks+"\r\n", b) >= 0:
			c.pos++
			out.WriteByte(' ')
		case b == '$':
			out.WriteString(c.argument())
		case closers[b] != 0:
			out.WriteString(c.expression(until{enclosed: true}))
		default:
			out.WriteString(strings.Join(c.argWord(), ""))
		}
	}
}

// argWord reads a token within arguments; the target of a for is Python's.
func (c *compiler) argWord() []string {
	t := c.special(c.token())
	if t == "for" {
		return []string{t, c.expression(until{plain: true, tokens: []string{"in"}})}
	}
	return []string{t}
}

// argument reads a variable, which before "=" is the name of a parameter.
func (c *compiler) argument() string {
	start := c.pos
	x := c.variable()
	space := c.skipBlanks(len(c.src))
	if c.peek() != '=' || c.byteAt(c.pos+1) == '=' {
		return x + space
	}
	end := c.pos
	c.pos = start + 1
	name := c.dotted()
	c.pos = end
	return name
}

func (c *compiler) nest() {
	if c.depth++; c.depth > maxNesting {
		c.fail("", "expressions nest too deep")
	}
}
