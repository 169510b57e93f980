// SPDX-License-Identifier: Apache-2.0

package py

import "strings"

// statements parses up to the end of the block, or of the source.
func (p *parser) statements() []stmt {
	var out []stmt
	for p.tok.kind != eof && p.tok.kind != dedent {
		if p.tok.kind == newline {
			p.advance()
			continue
		}
		if p.tok.kind == indent {
			p.fail("unexpected indent")
		}
		out = append(out, p.statement()...)
	}
	return out
}

// block parses what stands behind a colon.
func (p *parser) block() []stmt {
	p.enter()
	defer p.leave()
	p.expect(":")
	if p.tok.kind != newline {
		return p.simpleLine()
	}
	p.advance()
	if p.tok.kind != indent {
		p.fail("expected an indented block")
	}
	p.advance()
	out := p.statements()
	if p.tok.kind == dedent {
		p.advance()
	}
	return out
}

func (p *parser) statement() []stmt {
	if p.isOp("@") {
		return []stmt{p.decorated()}
	}
	if p.tok.kind == name {
		l := line(p.tok.line)
		switch p.tok.s {
		case "if":
			p.advance()
			return []stmt{p.ifStatement(l)}
		case "while":
			p.advance()
			cond := p.expr()
			return []stmt{&whileStmt{l, cond, p.loop(), p.orElse()}}
		case "for":
			p.advance()
			target := p.targetList()
			p.expect("in")
			over := p.exprList()
			return []stmt{&forStmt{l, target, over, p.loop(), p.orElse()}}
		case "try":
			p.advance()
			return []stmt{p.try(l)}
		case "with":
			p.advance()
			return []stmt{p.with(l)}
		case "def":
			p.advance()
			return []stmt{p.def(l, nil)}
		case "class":
			p.advance()
			return []stmt{p.class(l, nil)}
		}
	}
	return p.simpleLine()
}

func (p *parser) loop() []stmt {
	p.loops++
	body := p.block()
	p.loops--
	return body
}

func (p *parser) orElse() []stmt {
	if p.isWord("else") {
		p.advance()
		return p.block()
	}
	return nil
}

func (p *parser) ifStatement(l line) stmt {
	s := &ifStmt{line: l, cond: p.expr()}
	s.body = p.block()
	if p.isWord("elif") {
		p.enter()
		defer p.leave()
		at := line(p.advance().line)
		s.alt = []stmt{p.ifStatement(at)}
		return s
	}
	s.alt = p.orElse()
	return s
}

func (p *parser) try(l line) stmt {
	s := &tryStmt{line: l, body: p.block()}
	for p.isWord("except") {
		p.advance()
		var h handler
		if !p.isOp(":") {
			h.kind = p.expr()
			if p.accept("as") || p.accept(",") {
				h.target = p.target(p.primary())
			}
		}
		h.body = p.block()
		s.handlers = append(s.handlers, h)
	}
	if s.handlers != nil {
		s.alt = p.orElse()
	}
	if p.isWord("finally") {
		p.advance()
		s.final = p.block()
	} else if s.handlers == nil {
		p.fail("expected 'except' or 'finally'")
	}
	return s
}

func (p *parser) with(l line) stmt {
	s := &withStmt{line: l}
	for {
		item := withItem{x: p.expr()}
		if p.accept("as") {
			item.target = p.target(p.primary())
		}
		s.items = append(s.items, item)
		if !p.accept(",") {
			break
		}
	}
	s.body = p.block()
	return s
}

func (p *parser) decorated() stmt {
	var list []expr
	for p.accept("@") {
		list = append(list, p.expr())
		if p.tok.kind != newline {
			p.fail("invalid syntax behind a decorator")
		}
		p.advance()
	}
	l := line(p.tok.line)
	switch {
	case p.accept("def"):
		return p.def(l, list)
	case p.accept("class"):
		return p.class(l, list)
	}
	p.fail("a decorator stands before def or class")
	return nil
}

// open begins a function and gives the one around it.
func (p *parser) open(n string, l int) *function {
	outer := p.scope
	p.scope = &function{name: n, locals: map[string]bool{}, globals: map[string]bool{}, nonlocals: map[string]bool{}, line: l}
	return outer
}

func (p *parser) def(l line, decorators []expr) stmt {
	n := p.ident()
	p.bind(n)
	loops, targets := p.loops, p.targets
	p.loops, p.targets = 0, nil
	outer := p.open(n, int(l))
	fn := p.scope
	p.expect("(")
	p.params(")")
	p.expect(")")
	if p.accept("->") {
		p.expr()
	}
	fn.body = p.block()
	p.scope, p.loops, p.targets = outer, loops, targets
	return &defStmt{l, fn, decorators}
}

// params parses the parameters of a function, of which defaults belong outside.
func (p *parser) params(closing string) {
	fn := p.scope
	named := false
	for !p.isOp(closing) {
		var q param
		switch {
		case p.accept("**"):
			q = param{name: p.ident(), spread: 2}
		case p.accept("*"):
			named = true
			if p.accept(",") {
				continue
			}
			q = param{name: p.ident(), spread: 1}
		case p.isOp("("):
			q = param{unpack: p.target(p.atom()), named: named}
		case p.accept("/"):
			p.accept(",")
			continue
		default:
			q = param{name: p.ident(), named: named}
		}
		if q.name != "" {
			fn.locals[q.name] = true
		}
		if closing == ")" && p.accept(":") {
			p.expr()
		}
		if p.accept("=") {
			q.deflt = p.expr()
		}
		fn.params = append(fn.params, q)
		if !p.accept(",") {
			break
		}
	}
}

func (p *parser) class(l line, decorators []expr) stmt {
	s := &classStmt{line: l, name: p.ident(), decorators: decorators}
	p.bind(s.name)
	if p.accept("(") {
		c := p.arguments(l, nil).(*call)
		for _, a := range c.args {
			if a.name == "" && a.spread == 0 {
				s.bases = append(s.bases, a.x)
			}
		}
	}
	outer, loops := p.scope, p.loops
	p.open(s.name, int(l))
	p.loops = 0
	s.body = p.block()
	p.scope, p.loops = outer, loops
	return s
}

// simpleLine parses statements with semicolons between them.
func (p *parser) simpleLine() []stmt {
	var out []stmt
	for {
		out = append(out, p.simple())
		if !p.accept(";") || p.tok.kind == newline || p.tok.kind == eof {
			break
		}
	}
	switch p.tok.kind {
	case newline:
		p.advance()
	case eof, dedent:
	default:
		p.fail("invalid syntax at %s", p.found())
	}
	return out
}

func (p *parser) dotted() string {
	parts := []string{p.ident()}
	for p.accept(".") {
		parts = append(parts, p.ident())
	}
	return strings.Join(parts, ".")
}
