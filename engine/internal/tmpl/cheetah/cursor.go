// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"fmt"
	"strings"
)

const blanks = " \t\f"

// cursor is a place in the source; what is from limit on does not exist for it.
type cursor struct {
	src   string
	pos   int
	limit int
	// lineFrom and lineEnd are a stretch without an end of line, and its end.
	lineFrom, lineEnd int
}

// fail leaves the compiler with a problem at the cursor.
func (c *cursor) fail(hint, format string, args ...any) {
	c.failAt(c.pos, hint, format, args...)
}

func (c *cursor) failAt(at int, hint, format string, args ...any) {
	panic(misread{at: at, msg: fmt.Sprintf(format, args...), hint: hint})
}

func (c *cursor) atEnd() bool { return c.pos >= c.limit }

// peek is the byte at the cursor, 0 at the end.
func (c *cursor) peek() byte { return c.byteAt(c.pos) }

func (c *cursor) byteAt(i int) byte {
	if i < 0 || i >= c.limit {
		return 0
	}
	return c.src[i]
}

// rest is what is still to be read.
func (c *cursor) rest() string {
	if c.atEnd() {
		return ""
	}
	return c.src[c.pos:c.limit]
}

func (c *cursor) has(prefix string) bool { return strings.HasPrefix(c.rest(), prefix) }

// escaped tells whether a backslash stands before the cursor.
func (c *cursor) escaped() bool { return c.pos > 0 && c.src[c.pos-1] == '\\' }

// skipBlanks goes over at most n blanks.
func (c *cursor) skipBlanks(n int) string {
	start := c.pos
	for c.pos < c.limit && c.pos-start < n && strings.IndexByte(blanks, c.src[c.pos]) >= 0 {
		c.pos++
	}
	return c.src[start:c.pos]
}

// eol is where the line ends, and where the next begins; the limit of a block on
// one line does not count, as in Cheetah.
func (c *cursor) eol() (end, next int) {
	if c.pos < c.lineFrom || c.pos > c.lineEnd {
		c.lineFrom, c.lineEnd = c.pos, len(c.src)
		if i := strings.IndexAny(c.src[c.pos:], "\r\n"); i >= 0 {
			c.lineEnd = c.pos + i
		}
	}
	end = c.lineEnd
	switch {
	case end >= len(c.src):
		return end, end
	case strings.HasPrefix(c.src[end:], "\r\n"):
		return end, end + 2
	}
	return end, end + 1
}

// lineClear tells whether nothing but blanks is on the line before the cursor.
func (c *cursor) lineClear() bool {
	i := c.pos - 1
	for i >= 0 && strings.IndexByte(blanks+"\v", c.src[i]) >= 0 {
		i--
	}
	return i < 0 || c.src[i] == '\n' || c.src[i] == '\r'
}

// blankToEOL tells whether only blanks and the end of a line are behind the byte
// at the cursor.
func (c *cursor) blankToEOL() bool {
	i := c.pos + 1
	for strings.IndexByte(blanks, c.byteAt(i)) >= 0 && i < c.limit {
		i++
	}
	return c.byteAt(i) == '\n' || c.byteAt(i) == '\r'
}

func isNameStart(b byte) bool { return b == '_' || b|32 >= 'a' && b|32 <= 'z' }

func isNameChar(b byte) bool { return isNameStart(b) || b >= '0' && b <= '9' }

// identifier reads a name.
func (c *cursor) identifier() string {
	start := c.pos
	if !isNameStart(c.peek()) {
		c.fail("", "a name is missing")
	}
	for isNameChar(c.peek()) {
		c.pos++
	}
	return c.src[start:c.pos]
}

// dotted reads names with dots between them.
func (c *cursor) dotted() string {
	start := c.pos
	c.identifier()
	for c.peek() == '.' && isNameStart(c.byteAt(c.pos+1)) {
		c.pos++
		c.identifier()
	}
	return c.src[start:c.pos]
}

// operators of Python, longest first.
var operators = []string{
	"**=", ">>=", "<<=", "//=", "...", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "==", "!=", "<=", ">=", "<>", "**", "//", ">>", "<<", "->", ":=",
}

// token reads a token of Python.
func (c *cursor) token() string {
	start := c.pos
	b := c.peek()
	switch {
	case c.quoted():
	case isNameStart(b):
		c.identifier()
	case b >= '0' && b <= '9' || b == '.' && c.byteAt(c.pos+1) >= '0' && c.byteAt(c.pos+1) <= '9':
		c.number()
	case b == '#':
		c.pos, _ = c.eol()
		return " "
	case strings.IndexByte("+-*/%&|^~<>=!()[]{},:.`;@", b) >= 0 && b != 0:
		c.pos++
		for _, op := range operators {
			if strings.HasPrefix(c.src[start:c.limit], op) {
				c.pos = start + len(op)
				break
			}
		}
	default:
		c.fail("a dollar or hash sign that is just text is written \\$ or \\#", "%q cannot stand in an expression", string([]rune(c.rest() + " ")[:1]))
	}
	return c.src[start:c.pos]
}

func (c *cursor) number() {
	for isNameChar(c.peek()) || c.peek() == '.' ||
		(c.peek() == '+' || c.peek() == '-') && c.byteAt(c.pos-1)|32 == 'e' && !strings.HasPrefix(c.src[c.pos-2:], "0x") {
		c.pos++
	}
}

// quoted reads a string with its prefix, if one is there.
func (c *cursor) quoted() bool {
	i := c.pos
	for i-c.pos < 2 && strings.IndexByte("uUrRbB", c.byteAt(i)) >= 0 && c.byteAt(i) != 0 {
		i++
	}
	q := c.byteAt(i)
	if q != '\'' && q != '"' {
		return false
	}
	start := c.pos
	mark := string(q)
	if strings.HasPrefix(c.src[i:c.limit], strings.Repeat(mark, 3)) {
		mark = strings.Repeat(mark, 3)
	}
	for i += len(mark); i < c.limit; i++ {
		if strings.HasPrefix(c.src[i:c.limit], mark) {
			c.pos = i + len(mark)
			return true
		}
		if c.src[i] == '\\' {
			i++
			continue
		}
		if len(mark) == 1 && (c.src[i] == '\n' || c.src[i] == '\r') {
			break
		}
	}
	c.failAt(start, "", "a string does not end")
	return false
}
