// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The words of directives, by how they are read.
var (
	blockWords = strings.Fields("else elif for while try except finally repeat unless")
	lineWords  = strings.Fields("pass break continue stop silent echo import from assert raise")
	otherWords = strings.Fields("if set def block raw include slurp end attr encoding shBang")
	// refusedWords are Cheetah's too, and not to be had.
	refusedWords = strings.Fields("return del extends implements super cache filter transform call arg capture @ defmacro closure" +
		" yield errorCatcher breakpoint compiler compiler-settings i18n")
	endWords = strings.Fields("def block while for if try repeat unless")
)

// directiveAt gives the word of the directive that the "#" at an offset begins.
func (c *compiler) directiveAt(at int) string {
	if at > 0 && c.src[at-1] == '\\' {
		return ""
	}
	i := at + 1
	if c.byteAt(i) == '@' && isNameStart(c.byteAt(i+1)) {
		return "@"
	}
	for isNameChar(c.byteAt(i)) || c.byteAt(i) == '-' || c.byteAt(i) == '@' {
		i++
	}
	if i == at+1 || i > c.limit {
		return ""
	}
	word := c.src[at+1 : i]
	if word == "@" {
		return ""
	}
	for _, words := range [][]string{blockWords, lineWords, otherWords, refusedWords} {
		if slices.Contains(words, word) {
			return word
		}
	}
	return ""
}

// directive reads a directive.
func (c *compiler) directive(word string) {
	clear := c.lineClear()
	firstEnd, _ := c.eol()
	if slices.Contains(refusedWords, word) {
		c.fail("write \\#"+word+" where it is just text", "#%s is not supported", word)
	}
	c.pos += 1 + len(word)
	switch word {
	case "if":
		c.ifDirective(clear, firstEnd)
	case "set":
		c.set(clear, firstEnd)
	case "attr":
		c.attr(clear, firstEnd)
	case "def", "block":
		c.def(word, clear, firstEnd)
	case "raw":
		c.raw(clear, firstEnd)
	case "include":
		c.include(clear, firstEnd)
	case "slurp":
		c.pos = c.from
		c.slurp()
	case "encoding", "shBang":
		_, c.pos = c.eol()
	case "end":
		c.endDirective(clear, firstEnd)
	default:
		if slices.Contains(blockWords, word) {
			c.blockDirective(word, clear, firstEnd)
		} else {
			c.lineDirective(word, clear, firstEnd)
		}
	}
}

// short tells whether text follows the colon on its line: the block is that text.
func (c *compiler) short() bool {
	if c.peek() != ':' {
		return false
	}
	end, _ := c.eol()
	rest := strings.TrimSpace(c.src[c.pos+1 : end])
	return rest != "" && !strings.HasPrefix(rest, "##")
}

// shortBlock reads the text behind the colon as a block of its own.
func (c *compiler) shortBlock() {
	c.pos++
	c.skipBlanks(1)
	_, next := c.eol()
	c.within(next)
	c.end()
}

// long reads what is left of a directive that has no text on its line.
func (c *compiler) long(clear bool, firstEnd int) {
	if c.peek() == ':' {
		c.pos++
	}
	c.skipBlanks(len(c.src))
	c.finish(clear, firstEnd)
}

func (c *compiler) opened(word string) { c.blocks = append(c.blocks, block{word, "", c.from}) }

// ifDirective reads #if c, #if c: text and #if c then a else b.
func (c *compiler) ifDirective(clear bool, firstEnd int) {
	parts := c.parts(until{tokens: []string{":"}})
	expr := strings.TrimSpace(strings.Join(parts, ""))
	then, other := slices.Index(parts, "then"), slices.Index(parts, "else")
	switch {
	case then >= 0 && other > then:
		read := c.origin()
		c.finish(clear, firstEnd)
		c.ternary(read, strings.Join(parts[:then], ""), strings.Join(parts[then+1:other], ""), strings.Join(parts[other+1:], ""))
	case c.short():
		c.begin("if " + expr)
		c.shortBlock()
	default:
		read := c.pos
		c.long(clear, firstEnd)
		c.opened("if")
		c.head("if "+expr, read)
	}
}

// head begins a block; what was read of it ends at an offset.
func (c *compiler) head(code string, read int) {
	pos := c.pos
	c.pos = read
	c.begin(code)
	c.pos = pos
}

func (c *compiler) ternary(read origin, cond, yes, no string) {
	pos := c.pos
	c.pos = read.end
	c.begin("if " + strings.TrimSpace(cond))
	c.write(strings.TrimSpace(yes), false)
	c.end()
	c.begin("else")
	c.write(strings.TrimSpace(no), false)
	c.end()
	c.pos = pos
}

var elseIf = regexp.MustCompile(`^else[ \f\t]+if\b`)

// blockDirective reads the head of a block.
func (c *compiler) blockDirective(word string, clear bool, firstEnd int) {
	again := slices.Contains([]string{"else", "elif", "except", "finally"}, word)
	if word != "repeat" && word != "unless" {
		c.pos -= len(word) // the expression is the whole statement
	}
	expr := strings.TrimSpace(c.expression(until{tokens: []string{":"}}))
	switch word {
	case "unless":
		expr = "if not (" + expr + ")"
	case "repeat":
		m := c.method()
		expr = "for __i" + strconv.Itoa(m.repeats) + " in range(" + expr + ")"
		m.repeats++
	case "else":
		expr = elseIf.ReplaceAllString(expr, "elif")
	}
	if c.short() {
		c.begin(expr)
		c.shortBlock()
		return
	}
	read := c.pos
	c.long(clear, firstEnd)
	if again {
		pos := c.pos
		c.pos = read
		c.end()
		c.pos = pos
	} else {
		c.opened(word)
	}
	c.head(expr, read)
}

// lineDirective reads a directive that is a statement.
func (c *compiler) lineDirective(word string, clear bool, firstEnd int) {
	own := word == "silent" || word == "echo"
	if !own {
		c.pos -= len(word)
	}
	expr := strings.TrimSpace(c.expression(until{}))
	if expr == "" {
		c.fail("", "#%s needs an expression", word)
	}
	read := c.pos
	c.finish(clear, firstEnd)
	pos := c.pos
	c.pos = read
	switch word {
	case "echo":
		c.write(expr, false)
	case "import", "from":
		c.flush()
		c.module = append(c.module, line{expr, c.origin()})
	case "stop":
		c.emit("return")
	default:
		c.emit(expr)
	}
	c.pos = pos
}

// endDirective closes the innermost block.
func (c *compiler) endDirective(clear bool, firstEnd int) {
	c.skipBlanks(len(c.src))
	i := slices.IndexFunc(endWords, c.has)
	if i < 0 {
		c.failAt(c.from, "write #end if, #end for …, or \\#end where it is just text", "#end must name what it ends")
	}
	word := endWords[i]
	read := c.pos + len(word)
	c.expression(until{})
	c.finish(clear, firstEnd)
	n := len(c.blocks) - 1
	if n < 0 {
		c.failAt(c.from, "write \\#end where it is just text", "#end %s ends nothing", word)
	}
	b := c.blocks[n]
	if b.word != word {
		c.failAt(c.from, "write #end "+b.word, "#end %s stands where #%s of line %d is open", word, b.word, position("", c.src, b.at).Line)
	}
	c.blocks = c.blocks[:n]
	pos := c.pos
	c.pos = read
	if word == "def" || word == "block" {
		c.leave(word, b.name)
	} else {
		c.end()
	}
	c.pos = pos
}
