// SPDX-License-Identifier: Apache-2.0

package py

import "strings"

// simple parses a statement without a block.
func (p *parser) simple() stmt {
	if p.tok.kind != name {
		return p.assignment()
	}
	l := line(p.tok.line)
	switch p.tok.s {
	case "pass":
		p.advance()
		return &jump{proceed}
	case "break", "continue":
		word := p.advance().s
		if p.loops == 0 {
			p.fail("%q outside loop", word)
		}
		if word == "break" {
			return &jump{broken}
		}
		return &jump{continued}
	case "return":
		p.advance()
		if p.scope == nil {
			p.fail("'return' outside function")
		}
		s := &returnStmt{line: l}
		if !p.endOfList() {
			s.x = p.exprList()
		}
		return s
	case "raise":
		p.advance()
		return p.raise(l)
	case "global", "nonlocal":
		return p.outer()
	case "del":
		p.advance()
		return p.del(l)
	case "assert":
		p.advance()
		s := &assertStmt{line: l, cond: p.expr()}
		if p.accept(",") {
			s.msg = p.expr()
		}
		return s
	case "import":
		p.advance()
		return p.imports(l)
	case "from":
		p.advance()
		return p.from(l)
	case "print", "exec":
		if s := p.old(l); s != nil {
			return s
		}
	}
	return p.assignment()
}

// old parses the statements print and exec of 2.7; nil where it is a call.
func (p *parser) old(l line) stmt {
	next := p.peek()
	if next.kind == op && next.s != ">>" && next.s != "-" && next.s != "[" && next.s != "{" && next.s != "`" {
		return nil
	}
	if next.kind == name && keywords[next.s] && next.s != "not" && next.s != "None" && next.s != "True" && next.s != "False" && next.s != "lambda" {
		return nil
	}
	if p.advance().s == "exec" {
		s := &execStmt{line: l, code: p.operand(bitOr)}
		if p.accept("in") {
			s.globals = p.expr()
			if p.accept(",") {
				p.expr()
			}
		}
		return s
	}
	s := &printStmt{}
	if p.accept(">>") {
		p.expr()
		p.accept(",")
	}
	for !p.endOfList() {
		s.items = append(s.items, p.expr())
		if !p.accept(",") {
			break
		}
	}
	return s
}

func (p *parser) raise(l line) stmt {
	s := &raiseStmt{line: l}
	if p.endOfList() {
		return s
	}
	s.x = p.expr()
	if p.accept("from") {
		p.expr()
	} else if p.accept(",") {
		s.value = p.expr()
		if p.accept(",") {
			p.expr()
		}
	}
	return s
}

func (p *parser) outer() stmt {
	word := p.advance().s
	for {
		n := p.ident()
		if p.scope != nil {
			delete(p.scope.locals, n)
			if word == "global" {
				p.scope.globals[n] = true
			} else {
				p.scope.nonlocals[n] = true
			}
		}
		if !p.accept(",") {
			return &jump{proceed}
		}
	}
}

func (p *parser) del(l line) stmt {
	s := &delStmt{line: l}
	x := p.exprList()
	if t, ok := x.(*tupleOf); ok {
		s.targets = t.items
	} else {
		s.targets = []expr{x}
	}
	for _, t := range s.targets {
		p.target(t)
	}
	return s
}

func (p *parser) imports(l line) stmt {
	var list []stmt
	for {
		s := &importStmt{line: l, module: p.dotted()}
		if p.accept("as") {
			s.as = p.ident()
			p.bind(s.as)
		} else {
			first, _, _ := strings.Cut(s.module, ".")
			p.bind(first)
		}
		list = append(list, s)
		if !p.accept(",") {
			break
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return sequence(list)
}

func (p *parser) from(l line) stmt {
	s := &fromStmt{line: l}
	for p.isOp(".") || p.isOp("...") {
		s.dots += len(p.advance().s)
	}
	if s.dots == 0 || !p.isWord("import") {
		s.module = p.dotted()
	}
	p.expect("import")
	if p.accept("*") {
		return s
	}
	open := p.accept("(")
	for {
		pair := [2]string{p.ident()}
		pair[1] = pair[0]
		if p.accept("as") {
			pair[1] = p.ident()
		}
		p.bind(pair[1])
		p.division = p.division || s.module == "__future__" && pair[0] == "division"
		s.names = append(s.names, pair)
		if !p.accept(",") || p.isOp(")") {
			break
		}
	}
	if open {
		p.expect(")")
	}
	return s
}

// assignment parses an expression, or an assignment of any kind.
func (p *parser) assignment() stmt {
	l := line(p.tok.line)
	x := p.exprList()
	if p.tok.kind != op {
		return &exprStmt{x}
	}
	switch p.tok.s {
	case "=":
		s := &assign{line: l}
		for p.accept("=") {
			s.targets = append(s.targets, p.target(x))
			x = p.exprList()
		}
		s.value = x
		return s
	case "+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>=", "@=":
		switch x.(type) {
		case *nameRef, *attrRef, *itemRef:
		default:
			p.fail("cannot assign to this")
		}
		o := p.operator(strings.TrimSuffix(p.advance().s, "="))
		return &augment{l, p.target(x), o, p.exprList()}
	case ":":
		p.advance()
		p.target(x)
		p.expr()
		if p.accept("=") {
			return &assign{l, []expr{x}, p.exprList()}
		}
		return &jump{proceed}
	}
	return &exprStmt{x}
}
