// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"slices"
	"strings"
)

// assignments are the operators of #set.
var assignments = []string{"=", "+=", "-=", "/=", "*=", "**=", "//=", "^=", "%=", ">>=", "<<=", "&=", "|="}

// scopes are the words that may follow #set.
var scopes = []string{"local", "global", "module"}

// set reads #set $x = 1.
func (c *compiler) set(clear bool, firstEnd int) {
	c.skipBlanks(len(c.src))
	scope := ""
	for _, s := range scopes {
		if c.has(s) && !isNameChar(c.byteAt(c.pos+len(s))) {
			scope = s
			c.pos += len(s)
			c.skipBlanks(len(c.src))
		}
	}
	target := strings.TrimSpace(c.expression(until{plain: true, tokens: assignments}))
	start := c.pos
	if c.atEnd() || c.peek() == '\n' || c.peek() == '\r' || c.peek() == '#' || target == "" {
		c.failAt(c.from, "write #set $name = value", "#set without a value")
	}
	op := c.token()
	if !slices.Contains(assignments, op) {
		c.failAt(start, "write #set $name = value", "%q cannot assign", op)
	}
	value := strings.TrimSpace(c.expression(until{}))
	read := c.pos
	c.finish(clear, firstEnd)
	pos := c.pos
	c.pos = read
	switch scope {
	case "global":
		name, rest := target, ""
		if i := strings.IndexAny(target, ".["); i > 0 {
			name, rest = target[:i], target[i:]
		}
		c.emit(nameGlobals + "['" + name + "']" + rest + " " + op + " " + value)
	case "module":
		c.flush()
		c.module = append(c.module, line{target + " " + op + " " + value, c.origin()})
	default:
		c.emit(target + " " + op + " " + value)
	}
	c.pos = pos
}

// attr reads #attr $x = 1, an attribute of self.
func (c *compiler) attr(clear bool, firstEnd int) {
	c.skipBlanks(len(c.src))
	if c.peek() == '$' {
		c.pos++
	}
	name := c.identifier()
	c.skipBlanks(len(c.src))
	if c.peek() != '=' {
		c.fail("write #attr $name = value", "#attr without a value")
	}
	c.pos++
	value := strings.TrimSpace(c.expression(until{}))
	c.module = append(c.module, line{nameDef + name + " = " + value, c.origin()})
	c.defs = append(c.defs, name)
	c.finish(clear, firstEnd)
}

// def reads the head of #def and #block, and the text of a short one.
func (c *compiler) def(word string, clear bool, firstEnd int) {
	c.skipBlanks(len(c.src))
	if c.peek() == '$' {
		c.pos++
	}
	name := c.identifier()
	c.skipBlanks(len(c.src))
	params := ""
	if c.peek() == '(' {
		params = c.params()
	}
	if c.short() {
		c.pos++
		c.enter(word, name, params)
		c.skipBlanks(1)
		c.within(firstEnd)
		c.leave(word, name)
		c.finish(clear, firstEnd)
		return
	}
	if c.peek() == ':' {
		c.pos++
	}
	read := c.pos
	c.expression(until{})
	lineEnd, _ := c.eol()
	c.finish(clear, lineEnd)
	pos := c.pos
	c.pos = read
	c.enter(word, name, params)
	c.blocks = append(c.blocks, block{word, name, c.from})
	c.pos = pos
}

// params reads parameters; their defaults are Python's.
func (c *compiler) params() string {
	plain := c.plain
	c.plain = true
	defer func() { c.plain = plain }()
	args := strings.TrimSpace(c.arguments(nil))
	args = strings.TrimSpace(args[1 : len(args)-1])
	if args == "self" {
		return ""
	}
	if rest, ok := strings.CutPrefix(args, "self"); ok && strings.HasPrefix(strings.TrimSpace(rest), ",") {
		return strings.TrimPrefix(strings.TrimSpace(rest), ",")
	}
	return args
}

// enter begins the body of a def.
func (c *compiler) enter(word, name, params string) {
	within := func(b block) bool { return b.word == "def" }
	if word == "def" && slices.ContainsFunc(c.blocks, within) || len(c.methods) > maxIndents {
		c.failAt(c.from, "put it before the other one", "a #def within a #def is not supported")
	}
	c.defs = append(c.defs, name)
	c.open("def " + nameDef + name + "(" + params + "):")
}

// leave ends the body of a def; a block is written where it stands.
func (c *compiler) leave(word, name string) {
	c.close()
	if word == "block" {
		c.emit(nameWrite + "(" + nameFirst + "(None,'self." + name + "',1))")
	}
}

// raw reads #raw … #end raw: text that is not looked at.
func (c *compiler) raw(clear bool, firstEnd int) {
	c.skipBlanks(len(c.src))
	if c.atEnd() {
		c.failAt(c.from, "write \\#raw where it is just text", "#raw has nothing behind it")
	}
	if c.short() {
		c.pos++
		c.skipBlanks(1)
		end, _ := c.eol()
		c.add(c.src[c.pos:end], c.pos)
		c.pos = end
		return
	}
	c.long(clear, firstEnd)
	start, end, lineAlone := c.pos, c.pos, false
	for ; !c.atEnd(); c.pos++ {
		end = c.pos + 1
		if c.peek() != '#' || c.directiveAt(c.pos) != "end" {
			continue
		}
		hash := c.pos
		c.pos += len("#end")
		c.skipBlanks(len(c.src))
		if c.has("raw") {
			end = hash
			if before := c.src[:hash]; strings.Trim(before[strings.LastIndexAny(before, "\r\n")+1:], blanks) == "" {
				lineAlone = true
				end = max(start, strings.LastIndexAny(before, "\r\n")+1)
			}
			c.pos += len("raw")
			break
		}
		c.pos = hash
	}
	text := c.src[start:max(start, min(end, c.limit))]
	c.skipBlanks(len(c.src))
	lineEnd, next := c.eol()
	switch b := c.peek(); {
	case b == '#' && !c.escaped():
		c.pos++
	case lineAlone && c.pos == lineEnd:
		c.pos = next
	}
	c.add(text, start)
}

// include reads #include 'file', #include raw 'file' and #include source=text.
func (c *compiler) include(clear bool, firstEnd int) {
	kind := "file"
	c.skipBlanks(len(c.src))
	raw := "0"
	if c.has("raw") {
		c.pos += len("raw")
		raw = "1"
		c.skipBlanks(len(c.src))
	}
	if c.has("source") {
		c.pos += len("source")
		c.skipBlanks(len(c.src))
		if c.peek() != '=' {
			c.fail("write #include source=$text", "#include source without a text")
		}
		c.pos++
		kind = "text"
	}
	expr := strings.TrimSpace(c.expression(until{}))
	if expr == "" {
		c.fail("write #include '/path/of/file'", "#include needs the name of a file")
	}
	read := c.pos
	c.finish(clear, firstEnd)
	pos := c.pos
	c.pos = read
	if kind == "file" {
		c.emit(nameInclude + "(" + expr + ", " + raw + ", open)")
	} else {
		c.emit(nameInclude + "(" + expr + ", " + raw + ", None)")
	}
	c.pos = pos
}
