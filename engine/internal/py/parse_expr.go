// SPDX-License-Identifier: Apache-2.0

package py

import "go.starlark.net/starlark"

// expr parses one expression without commas.
func (p *parser) expr() expr {
	p.enter()
	defer p.leave()
	l := line(p.tok.line)
	switch {
	case p.isWord("lambda"):
		return p.lambda()
	case p.isWord("yield"):
		return p.yield()
	}
	if p.tok.kind == name && !keywords[p.tok.s] {
		if next := p.peek(); next.kind == op && next.s == ":=" {
			n := p.advance().s
			p.advance()
			if p.scope != nil {
				p.scope.locals[n] = true
			}
			return &walrus{l, n, p.expr()}
		}
	}
	x := p.or()
	if !p.isWord("if") {
		return x
	}
	p.advance()
	cond := p.or()
	p.expect("else")
	return &ternary{l, cond, x, p.expr()}
}

func (p *parser) or() expr {
	x := p.and()
	for n := 0; p.isWord("or"); n++ {
		if n > maxChain {
			p.fail("too long an expression")
		}
		l := line(p.advance().line)
		x = &logic{l, false, x, p.and()}
	}
	return x
}

func (p *parser) and() expr {
	x := p.not()
	for n := 0; p.isWord("and"); n++ {
		if n > maxChain {
			p.fail("too long an expression")
		}
		l := line(p.advance().line)
		x = &logic{l, true, x, p.not()}
	}
	return x
}

func (p *parser) not() expr {
	if !p.isWord("not") {
		return p.comparison()
	}
	p.enter()
	defer p.leave()
	l := line(p.advance().line)
	return &unary{l, "not", p.not()}
}

func (p *parser) comparison() expr {
	l := line(p.tok.line)
	first := p.operand(bitOr)
	var ops []string
	var rest []expr
	for {
		o := p.comparator()
		if o == "" {
			break
		}
		ops = append(ops, o)
		rest = append(rest, p.operand(bitOr))
	}
	if ops == nil {
		return first
	}
	return &comparison{l, first, ops, rest}
}

func (p *parser) comparator() string {
	if p.tok.kind == op {
		switch p.tok.s {
		case "<", ">", "<=", ">=", "==", "!=":
			return p.advance().s
		case "<>":
			p.advance()
			return "!="
		}
		return ""
	}
	switch {
	case p.isWord("in"):
		p.advance()
		return "in"
	case p.isWord("is"):
		p.advance()
		if p.accept("not") {
			return "is not"
		}
		return "is"
	case p.isWord("not"):
		if next := p.peek(); next.kind == name && next.s == "in" {
			p.advance()
			p.advance()
			return "not in"
		}
	}
	return ""
}

// maxChain bounds the operators of one expression.
const maxChain = 2000

// bitOr is the loosest of the operators below comparisons.
const bitOr = 1

// precedence of the binary operators that bind tighter than comparisons.
var precedence = map[string]int{
	"|": bitOr, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "@": 6,
}

// operand parses operators of at least that precedence.
func (p *parser) operand(least int) expr {
	p.enter()
	defer p.leave()
	x := p.factor()
	for n := 0; p.tok.kind == op; n++ {
		if n > maxChain {
			p.fail("too long an expression")
		}
		prec := precedence[p.tok.s]
		if prec == 0 || prec < least {
			break
		}
		t := p.advance()
		x = &binary{line(t.line), p.operator(t.s), x, p.operand(prec + 1)}
	}
	return x
}

// operator gives an operator the meaning that the module asked for.
func (p *parser) operator(o string) string {
	if o == "/" && p.division {
		return exactly
	}
	return o
}

func (p *parser) factor() expr {
	if p.isOp("-") || p.isOp("+") || p.isOp("~") {
		p.enter()
		defer p.leave()
		t := p.advance()
		return &unary{line(t.line), t.s, p.factor()}
	}
	x := p.primary()
	if p.isOp("**") {
		p.enter()
		defer p.leave()
		t := p.advance()
		return &binary{line(t.line), "**", x, p.factor()}
	}
	return x
}

// primary parses an atom and what is behind it: attributes, items, calls.
func (p *parser) primary() expr {
	x := p.atom()
	for n := 0; p.tok.kind == op; n++ {
		if n > 4*maxNesting {
			p.fail("too long a chain")
		}
		l := line(p.tok.line)
		switch p.tok.s {
		case ".":
			p.advance()
			if p.tok.kind != name {
				p.fail("invalid syntax: a name expected behind the dot, not %s", p.found())
			}
			x = &attrRef{l, x, p.advance().s}
		case "(":
			p.advance()
			x = p.arguments(l, x)
		case "[":
			p.advance()
			x = &itemRef{l, x, p.subscript()}
			p.expect("]")
		default:
			return x
		}
	}
	return x
}

func (p *parser) subscript() expr {
	l := line(p.tok.line)
	first := p.slice()
	if !p.isOp(",") {
		return first
	}
	items := []expr{first}
	for p.accept(",") {
		if p.isOp("]") {
			break
		}
		items = append(items, p.slice())
	}
	return &tupleOf{l, items}
}

func (p *parser) slice() expr {
	l := line(p.tok.line)
	part := func() expr {
		if p.isOp(":") || p.isOp("]") || p.isOp(",") {
			return nil
		}
		return p.expr()
	}
	lo := part()
	if !p.isOp(":") {
		if lo == nil {
			p.fail("invalid syntax: an index expected, not %s", p.found())
		}
		return lo
	}
	p.advance()
	s := &sliceRef{line: l, lo: lo, hi: part()}
	if p.accept(":") {
		s.step = part()
	}
	return s
}

func (p *parser) arguments(l line, fn expr) expr {
	c := &call{line: l, fn: fn, simple: true}
	for !p.isOp(")") {
		c.args = append(c.args, p.argument(c))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return c
}

func (p *parser) argument(c *call) argument {
	for spread, o := range []string{"*", "**"} {
		if p.accept(o) {
			c.simple = false
			return argument{spread: spread + 1, x: p.expr()}
		}
	}
	if p.tok.kind == name && !keywords[p.tok.s] {
		if next := p.peek(); next.kind == op && next.s == "=" {
			c.simple = false
			a := argument{name: p.advance().s}
			p.advance()
			a.x = p.expr()
			return a
		}
	}
	l := line(p.tok.line)
	return argument{x: p.orGenerator(l, p.expr)}
}

// orGenerator parses an expression, or a generator expression without brackets.
func (p *parser) orGenerator(l line, one func() expr) expr {
	x := one()
	if p.isWord("for") {
		return p.comprehension(l, '(', nil, x)
	}
	return x
}

// comprehension parses the clauses behind a value.
func (p *parser) comprehension(l line, kind byte, key, value expr) expr {
	c := &comprehension{line: l, kind: kind, key: key, value: value}
	for {
		switch {
		case p.isWord("for"):
			p.advance()
			outer := p.targets
			p.targets = map[string]bool{}
			t := p.targetList()
			p.targets = outer
			p.expect("in")
			x := p.or()
			if p.isOp(",") && kind == '[' {
				// 2.7 takes a tuple without brackets.
				items := []expr{x}
				for p.accept(",") {
					items = append(items, p.or())
				}
				x = &tupleOf{l, items}
			} else if p.isWord("lambda") {
				p.fail("invalid syntax")
			}
			c.clauses = append(c.clauses, clause{t, x})
		case p.isWord("if"):
			p.advance()
			c.clauses = append(c.clauses, clause{nil, p.or()})
		default:
			return c
		}
	}
}

// lambda and yield have no place among operators.
func (p *parser) lambda() expr {
	l := line(p.advance().line)
	outer := p.open("<lambda>", int(l))
	fn := p.scope
	p.params(":")
	p.expect(":")
	fn.result = p.expr()
	p.scope = outer
	return &lambda{l, fn}
}

func (p *parser) yield() expr {
	l := line(p.advance().line)
	if p.scope == nil {
		p.fail("yield outside a function")
	}
	p.scope.generator = true
	if p.accept("from") {
		return &yieldExpr{l, p.expr(), true}
	}
	if p.endOfList() {
		return &yieldExpr{l, &constant{l, starlark.None}, false}
	}
	return &yieldExpr{l, p.exprList(), false}
}
