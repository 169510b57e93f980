// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"strconv"
	"strings"
)

// Names in the program of what Go code provides.
const (
	nameFirst   = "__first"   // the value of a variable's first names
	nameNext    = "__next"    // the value of the names behind
	nameText    = "__text"    // writes literal text
	nameWrite   = "__write"   // writes a value
	nameMember  = "__member"  // writes the value of a variable's names, the last of which may be put in later
	nameInclude = "__include" // writes a file
	nameMain    = "__main"
	nameDef     = "__def_"
	nameGlobals = "__globals" // what #set global sets
	nameMissing = "NotFound"
)

// maxIndents bounds how deep blocks nest; those of Python are one deeper.
const maxIndents = 60

// line is a line of the program.
type line struct {
	text   string
	origin origin
}

// method is the body of the template, or of a #def.
type method struct {
	head    string
	lines   []line
	indent  int
	pending text // to be written
	fresh   bool // a block has begun and holds nothing yet
	repeats int
	begun   []origin // of the open blocks
}

// literal is a text that is written at once, and the pieces that it is made of.
type literal struct {
	whole  string
	pieces text
}

// text is literal text, in pieces.
type text []piece

// piece is literal text from one place of the template.
type piece struct {
	text string
	from int // where it begins
}

func (t text) String() string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.text)
	}
	return b.String()
}

// add appends literal text that begins at an offset.
func (c *compiler) add(s string, from int) {
	m := c.method()
	m.pending = append(m.pending, piece{s, from})
}

// trimLine drops what is pending of the current line: blanks before a directive
// that takes its whole line.
func (c *compiler) trimLine() {
	m := c.method()
	if n := len(m.pending); n > 0 {
		last := &m.pending[n-1]
		last.text = last.text[:strings.LastIndexAny(last.text, "\r\n")+1]
	}
}

// flush writes the text that is pending.
func (c *compiler) flush() {
	m := c.method()
	pending := m.pending
	m.pending = nil
	whole := pending.String()
	if whole == "" {
		return
	}
	c.texts = append(c.texts, literal{whole, pending})
	start := pending[0].from
	c.push(line{nameText + "(" + strconv.Itoa(len(c.texts)-1) + ")", origin{start, start}})
}

func (c *compiler) push(l line) {
	m := c.method()
	l.text = strings.Repeat(" ", m.indent) + l.text
	m.lines = append(m.lines, l)
	m.fresh = false
}

// emit appends a statement, from what was read since c.from.
func (c *compiler) emit(statement string) {
	c.flush()
	c.push(line{statement, c.origin()})
}

func (c *compiler) origin() origin { return origin{c.from, c.pos} }

// begin appends the head of a block.
func (c *compiler) begin(head string) {
	c.emit(strings.TrimSuffix(head, ":") + ":")
	m := c.method()
	m.begun = append(m.begun, c.origin())
	if m.indent++; m.indent > maxIndents {
		c.fail("", "blocks nest too deep")
	}
	m.fresh = true
}

// end closes a block.
func (c *compiler) end() {
	c.flush()
	m := c.method()
	n := len(m.begun)
	if n == 0 {
		c.failAt(c.from, "", "%s without a block it belongs to", shown(c.src[c.from:c.pos]))
	}
	o := m.begun[n-1]
	if m.fresh {
		c.failAt(o.start, "write #pass in it", "%s has nothing in it", shown(c.src[o.start:o.end]))
	}
	m.begun = m.begun[:n-1]
	m.indent--
}

func (c *compiler) method() *method { return c.methods[len(c.methods)-1] }

// open begins a method.
func (c *compiler) open(head string) {
	m := &method{head: head, indent: 1}
	m.lines = append(m.lines, line{head, c.origin()}, line{" pass", c.origin()})
	c.methods = append(c.methods, m)
}

// close ends a method.
func (c *compiler) close() {
	c.flush()
	n := len(c.methods) - 1
	if m := c.methods[n]; len(m.begun) > 0 {
		o := m.begun[len(m.begun)-1]
		c.failAt(o.start, "", "%s has no #end before the #def ends", shown(c.src[o.start:o.end]))
	}
	c.done = append(c.done, c.methods[n])
	c.methods = c.methods[:n]
}

// program joins the methods, and tells the template where the lines are from.
func (c *compiler) program(t *Template) string {
	var b strings.Builder
	write := func(l line) {
		b.WriteString(l.text)
		b.WriteByte('\n')
		for range strings.Count(l.text, "\n") + 1 {
			t.origins = append(t.origins, l.origin)
		}
	}
	write(line{text: "class " + nameMissing + "(LookupError): pass"})
	for _, l := range c.module {
		write(l)
	}
	for _, m := range c.done {
		for _, l := range m.lines {
			write(l)
		}
	}
	return b.String()
}
