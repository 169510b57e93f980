// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"slices"
)

// body reads up to a tag with one of the words, whose word it gives. The word is
// read, the end of its tag is not.
func (p *parser) body(opened string, line int, ends ...string) ([]node, string) {
	p.enter()
	defer p.leave()
	var out []node
	for {
		t := p.next()
		switch t.kind {
		case eof:
			if len(ends) == 0 {
				return out, ""
			}
			failAt(line, "%s is not closed: %s is missing", opened, ends[len(ends)-1])
		case data:
			out = append(out, &textNode{lineOf(t), t.s})
		case varBegin:
			x := p.tuple(true, false)
			if end := p.next(); end.kind != varEnd {
				failAt(end.line, "expected the end of the print statement, found %s", end)
			}
			out = append(out, &output{lineOf(t), x})
		case blockBegin:
			word := p.tok()
			if word.kind != name {
				p.fail("tag name expected")
			}
			if slices.Contains(ends, word.s) {
				p.next()
				return out, word.s
			}
			if n := p.statement(opened, ends); n != nil {
				out = append(out, n)
			}
			p.closeTag()
		}
	}
}

func lineOf(t token) line { return line(t.line) }

func (p *parser) closeTag() {
	if t := p.next(); t.kind != blockEnd {
		failAt(t.line, "expected the end of the tag, found %s", t)
	}
}

// enclosed reads "%} body {% end", with one end.
func (p *parser) enclosed(opened string, at line, end string) []node {
	p.closeTag()
	out, _ := p.body(opened, int(at), end)
	return out
}

// statement reads a tag up to its end.
func (p *parser) statement(within string, ends []string) node {
	t := p.next()
	at := lineOf(t)
	switch t.s {
	case "if":
		p.guarded++
		defer func() { p.guarded-- }()
		return p.ifTag(at)
	case "for":
		return p.forTag(at)
	case "set":
		return p.setTag(at)
	case "with":
		return p.withTag(at)
	case "block":
		return p.blockTag(at)
	case "macro":
		return p.macroTag(at)
	case "call":
		return p.callTag(at)
	case "filter":
		f := p.filterOf()
		return &filterNode{at, f, p.enclosed("filter", at, "endfilter")}
	case "autoescape":
		on := p.expression()
		return &autoescape{at, on, p.enclosed("autoescape", at, "endautoescape")}
	case "print":
		n := &printNode{at, []expr{p.expression()}}
		for p.accept(",") {
			n.items = append(n.items, p.expression())
		}
		return n
	case "extends":
		return &extendsNode{at, p.expression()}
	case "include":
		return p.includeTag(at)
	case "import":
		n := &importNode{line: at, name: p.expression()}
		p.expect("as")
		n.as = p.ident()
		n.context = p.context(false)
		return n
	case "from":
		return p.fromTag(at)
	}
	if len(ends) > 0 {
		failAt(t.line, "unknown tag %q; %s is open, which %s closes", t.s, within, ends[len(ends)-1])
	}
	failAt(t.line, "unknown tag %q", t.s)
	return nil
}

// filterOf reads the filters of {% filter %} and {% set x | … %}.
func (p *parser) filterOf() expr {
	x := p.filter(nil)
	for p.accept("|") {
		x = p.filter(x)
	}
	return x
}

func (p *parser) ifTag(at line) node {
	n := &ifNode{line: at, cond: p.tuple(false, false)}
	p.closeTag()
	var end string
	n.body, end = p.body("if", int(at), "elif", "else", "endif")
	switch end {
	case "elif":
		p.enter()
		defer p.leave()
		n.alt = []node{p.ifTag(line(p.tok().line))}
	case "else":
		n.alt = p.enclosed("if", at, "endif")
	}
	return n
}

func (p *parser) forTag(at line) node {
	n := &forNode{line: at, target: p.targets("in")}
	p.expect("in")
	n.over = p.tuple(false, false, "recursive")
	if p.accept("if") {
		n.test = p.expression()
	}
	n.recursive = p.accept("recursive")
	p.closeTag()
	var end string
	if n.body, end = p.body("for", int(at), "endfor", "else"); end == "else" {
		n.alt = p.enclosed("for", at, "endfor")
	}
	return n
}

// targets reads what is assigned to.
func (p *parser) targets(end string) target {
	var items []target
	comma := false
	for len(items) == 0 || comma {
		if len(items) > 0 && (p.isName(end) || p.isOp(end)) {
			break
		}
		items = append(items, p.target())
		comma = p.accept(",")
	}
	if len(items) == 1 && !comma {
		return items[0]
	}
	return target{items: items}
}

func (p *parser) target() target {
	if p.accept("(") {
		t := p.targets(")")
		p.expect(")")
		return t
	}
	t := p.tok()
	n := p.ident()
	if slices.Contains([]string{"true", "false", "none", "True", "False", "None"}, n) {
		failAt(t.line, "can't assign to %q", n)
	}
	if p.isOp(".") {
		p.next()
		return target{name: n, attr: p.ident()}
	}
	return target{name: n}
}

func (p *parser) setTag(at line) node {
	t := p.targets("=")
	if p.accept("=") {
		return &setNode{at, t, p.tuple(true, false)}
	}
	n := &setBlock{line: at, target: t}
	if p.accept("|") {
		n.filter = p.filterOf()
	}
	n.body = p.enclosed("set", at, "endset")
	return n
}

func (p *parser) withTag(at line) node {
	n := &withNode{line: at}
	for p.tok().kind != blockEnd {
		if n.targets != nil {
			p.expect(",")
		}
		n.targets = append(n.targets, p.target())
		p.expect("=")
		n.values = append(n.values, p.expression())
	}
	n.body = p.enclosed("with", at, "endwith")
	return n
}

func (p *parser) blockTag(at line) node {
	n := &blockNode{line: at, name: p.ident()}
	n.scoped = p.accept("scoped")
	n.required = p.accept("required")
	if p.blocks[n.name] != nil {
		failAt(int(at), "block %q defined twice", n.name)
	}
	p.blocks[n.name] = n
	n.body = p.enclosed("block "+n.name, at, "endblock")
	p.accept(n.name)
	return n
}

// signature reads the parameters of a macro.
func (p *parser) signature(m *macro) {
	p.expect("(")
	for !p.isOp(")") {
		m.params = append(m.params, p.ident())
		if p.accept("=") {
			m.defaults = append(m.defaults, p.expression())
		} else if m.defaults != nil {
			p.fail("non-default argument follows default argument")
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
}

func (p *parser) macroBody(m *macro, opened, end string) {
	p.macros = append(p.macros, m)
	m.body = p.enclosed(opened, line(m.line), end)
	p.macros = p.macros[:len(p.macros)-1]
}

func (p *parser) macroTag(at line) node {
	m := &macro{name: p.ident(), line: int(at)}
	p.signature(m)
	p.macroBody(m, "macro", "endmacro")
	return &macroNode{at, m}
}

func (p *parser) callTag(at line) node {
	m := &macro{name: "caller", line: int(at)}
	if p.isOp("(") {
		p.signature(m)
	}
	c, ok := p.expression().(*call)
	if !ok {
		failAt(int(at), "expected call")
	}
	p.macroBody(m, "call", "endcall")
	return &callNode{at, c, m}
}

// context reads "with context" or "without context".
func (p *parser) context(deflt bool) bool {
	if (p.isName("with") || p.isName("without")) && p.peek().kind == name && p.peek().s == "context" {
		deflt = p.next().s == "with"
		p.next()
	}
	return deflt
}

func (p *parser) includeTag(at line) node {
	n := &includeNode{line: at, name: p.expression()}
	if p.isName("ignore") && p.peek().kind == name && p.peek().s == "missing" {
		p.pos += 2
		n.missing = true
	}
	n.context = p.context(true)
	return n
}

func (p *parser) fromTag(at line) node {
	n := &importNode{line: at, name: p.expression()}
	p.expect("import")
	for p.tok().kind == name {
		if w := p.tok().s; len(n.names) > 0 && (w == "with" || w == "without") && p.peek().s == "context" {
			break
		}
		from := p.ident()
		as := from
		if from[0] == '_' {
			p.fail("names starting with an underline can not be imported")
		}
		if p.accept("as") {
			as = p.ident()
		}
		n.names = append(n.names, [2]string{from, as})
		if !p.accept(",") {
			break
		}
	}
	if n.names == nil {
		p.fail("expected a name, found %s", p.tok())
	}
	n.context = p.context(false)
	return n
}
