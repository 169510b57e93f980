// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"regexp"
	"strings"
)

// compiler reads a template and makes lines of Python.
type compiler struct {
	cursor
	methods []*method // the last is being written
	done    []*method
	module  []line // what runs first
	texts   []literal
	defs    []string
	blocks  []block // open, by #end
	from    int     // where what is being read begins
	depth   int
	plain   bool
}

// block is a directive that wants an #end.
type block struct {
	word string
	name string // of a def
	at   int
}

func newCompiler(src string) *compiler {
	return &compiler{cursor: cursor{src: src, limit: len(src), lineEnd: -1}}
}

// compile reads the whole template.
func (c *compiler) compile() (err *misread) {
	defer func() {
		if r := recover(); r != nil {
			failed, ok := r.(misread)
			if !ok {
				panic(r)
			}
			err = &failed
		}
	}()
	c.open("def " + nameMain + "():")
	c.read()
	if n := len(c.blocks); n > 0 {
		b := c.blocks[n-1]
		c.failAt(b.at, "write #end "+b.word, "#%s has no #end", b.word)
	}
	c.close()
	return nil
}

// within reads up to an offset.
func (c *compiler) within(limit int) {
	if c.depth++; c.depth > maxNesting {
		c.fail("", "blocks nest too deep")
	}
	before := c.limit
	c.limit = limit
	c.read()
	c.limit = before
	c.depth--
}

// read reads text and what is in it.
func (c *compiler) read() {
	for !c.atEnd() {
		c.from = c.pos
		switch what := c.next(); what {
		case "":
			c.text()
		case "##":
			c.comment()
		case "#*":
			c.longComment()
		case "$":
			x, silent := c.placeholder()
			c.write(x, silent)
		case "#\n":
			c.slurp()
		default:
			c.directive(what)
		}
	}
}

// next tells what is at the cursor: "" is text.
func (c *compiler) next() string {
	switch c.peek() {
	case '$':
		if c.atPlaceholder() {
			return "$"
		}
	case '#':
		if !c.escaped() {
			if c.has("##") || c.has("#*") {
				return c.src[c.pos : c.pos+2]
			}
			if word := c.directiveAt(c.pos); word != "" {
				return word
			}
		}
		if c.blankToEOL() {
			return "#\n"
		}
	case '<':
		if c.has("<%") && !c.escaped() {
			c.fail("write \\<% where it is just text", "Python between <%% and %%> is not supported")
		}
	}
	return ""
}

// unescape makes text of what a backslash keeps from being a placeholder or a
// directive.
var unescape = strings.NewReplacer("\\$", "$", "\\#", "#")

// text reads text up to what is none.
func (c *compiler) text() {
	start := c.pos
	for c.pos++; !c.atEnd(); c.pos++ {
		if b := c.peek(); (b == '$' || b == '#' || b == '<') && c.next() != "" {
			break
		}
	}
	c.add(unescape.Replace(c.src[start:c.pos]), start)
}

// onlyNames is the look-up of names, and of nothing behind them.
var onlyNames = regexp.MustCompile(`^(lambda: \w+),'\w+(\.\w+)+',1\)$`)

// write emits the writing of a value.
func (c *compiler) write(x string, silent bool) {
	call := nameWrite + "((" + x + "))"
	if chain, ok := strings.CutPrefix(x, nameFirst+"("); ok && onlyNames.MatchString(chain) {
		call = nameMember + "(" + chain
	}
	if !silent {
		c.emit(call)
		return
	}
	c.begin("try")
	c.emit(call)
	c.end()
	c.begin("except " + nameMissing)
	c.emit("pass")
	c.end()
}

// comment reads a comment up to the end of the line.
func (c *compiler) comment() {
	end, next := c.eol()
	if c.lineClear() {
		c.trimLine()
		end = next
	}
	c.pos = end
	c.flush()
}

// longComment reads #* … *#, which nest.
func (c *compiler) longComment() {
	clear := c.lineClear()
	firstEnd, _ := c.eol()
	level := 0
	for {
		switch {
		case c.atEnd():
			level = 0
		case c.has("#*") && !c.escaped():
			level++
			c.pos += 2
			continue
		case c.has("*#") && !c.escaped():
			level--
			c.pos += 2
		default:
			c.pos++
			continue
		}
		if level <= 0 {
			break
		}
	}
	if !c.atEnd() {
		if end, next := c.eol(); strings.TrimSpace(c.src[c.pos:end]) == "" {
			c.pos = end
			if clear {
				c.pos = next
			}
		}
		if clear && (c.atEnd() || c.pos > firstEnd) {
			c.trimLine()
		}
	}
	c.flush()
}

// slurp reads a "#" with nothing behind, or #slurp: the rest of the line goes.
func (c *compiler) slurp() {
	if c.lineClear() {
		c.trimLine()
	}
	c.flush()
	if _, c.pos = c.eol(); c.pos > c.limit {
		c.failAt(c.from, "", "a block on one line cannot take the end of its line away")
	}
}

// finish reads what may follow a directive: a comment, a closing "#", the end of
// the line.
func (c *compiler) finish(clear bool, firstEnd int) {
	commented := false
	if c.has("##") && !c.escaped() && c.directiveAt(c.pos+1) == "" {
		commented = true
		start := c.pos
		c.pos, _ = c.eol()
		if strings.Trim(c.src[start:c.pos], "#") != "" {
			c.flush() // Cheetah keeps the blanks before a directive with a comment
		}
	}
	switch b := c.peek(); {
	case !commented && b == '#' && !c.escaped():
		c.pos++
	case clear && (b == '\n' || b == '\r'):
		_, c.pos = c.eol()
	}
	if clear && (c.atEnd() || c.pos > firstEnd) {
		c.trimLine()
	}
}
