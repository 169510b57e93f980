// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// maxNesting bounds how deep expressions and blocks nest.
const maxNesting = 100

// parser makes a tree of tokens.
type parser struct {
	tokens []token
	pos    int
	depth  int
	macros []*macro // open
	blocks map[string]*blockNode
	// guarded counts the open "if": what is in them may name filters and tests that
	// are not there.
	guarded int
	loops   int // open
	*language
}

func unescape(s string, line int) string {
	out, err := py.Unescape(s)
	if err != nil {
		failAt(line, "%v in a string", err)
	}
	return out
}

func (p *parser) tok() token { return p.tokens[p.pos] }

func (p *parser) peek() token { return p.tokens[min(p.pos+1, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.tok()
	if t.kind != eof {
		p.pos++
	}
	return t
}

func (p *parser) isOp(s string) bool   { t := p.tok(); return t.kind == op && t.s == s }
func (p *parser) isName(s string) bool { t := p.tok(); return t.kind == name && t.s == s }

func (p *parser) accept(s string) bool {
	if p.isOp(s) || p.isName(s) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) fail(format string, args ...any) { failAt(p.tok().line, format, args...) }

func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.fail("expected %q, found %s", s, p.tok())
	}
}

func (t token) String() string {
	switch t.kind {
	case eof:
		return "the end of the template"
	case data:
		return "text"
	case blockBegin:
		return "{%"
	case blockEnd:
		return "the end of the tag"
	case varBegin:
		return "{{"
	case varEnd:
		return "the end of the print statement"
	}
	return strconv.Quote(t.s)
}

func (p *parser) ident() string {
	if t := p.tok(); t.kind != name {
		p.fail("expected a name, found %s", t)
	}
	return p.next().s
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.fail("too deeply nested")
	}
}

func (p *parser) leave() { p.depth-- }

// expression reads one expression without commas.
func (p *parser) expression() expr { return p.conditional(true) }

func (p *parser) conditional(ternaries bool) expr {
	p.enter()
	defer p.leave()
	x := p.or()
	for ternaries && p.accept("if") {
		t := &ternary{cond: p.or(), yes: x}
		if p.accept("else") {
			t.no = p.conditional(true)
		}
		x = t
	}
	return x
}

func (p *parser) or() expr {
	x := p.and()
	for p.accept("or") {
		x = &logic{false, x, p.and()}
	}
	return x
}

func (p *parser) and() expr {
	x := p.not()
	for p.accept("and") {
		x = &logic{true, x, p.not()}
	}
	return x
}

func (p *parser) not() expr {
	p.enter()
	defer p.leave()
	if p.accept("not") {
		return &not{p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expr {
	x := &comparison{first: p.sum()}
	for {
		o := ""
		switch t := p.tok(); {
		case t.kind == op && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.s):
			o = p.next().s
		case p.accept("in"):
			o = "in"
		case p.isName("not") && p.peek().kind == name && p.peek().s == "in":
			p.pos += 2
			o = "not in"
		default:
			if x.ops == nil {
				return x.first
			}
			return x
		}
		x.ops = append(x.ops, o)
		x.rest = append(x.rest, p.sum())
	}
}

// leftOf reads operators of one rank, from left to right.
func (p *parser) leftOf(operand func() expr, ops ...string) expr {
	x := operand()
	for p.tok().kind == op && slices.Contains(ops, p.tok().s) {
		x = &binary{p.next().s, x, operand()}
	}
	return x
}

func (p *parser) sum() expr { return p.leftOf(p.concat, "+", "-") }

func (p *parser) concat() expr {
	items := []expr{p.product()}
	for p.accept("~") {
		items = append(items, p.product())
	}
	if len(items) == 1 {
		return items[0]
	}
	return &concat{items}
}

func (p *parser) product() expr { return p.leftOf(p.power, "*", "/", "//", "%") }

func (p *parser) power() expr {
	return p.leftOf(func() expr { return p.unary(true) }, "**")
}

func (p *parser) unary(filters bool) expr {
	p.enter()
	defer p.leave()
	var x expr
	if p.isOp("-") || p.isOp("+") {
		x = &unary{p.next().s, p.unary(false)}
	} else {
		x = p.primary()
	}
	x = p.postfix(x)
	if filters {
		x = p.filtered(x)
	}
	return x
}

func (p *parser) primary() expr {
	t := p.tok()
	switch t.kind {
	case name:
		p.next()
		switch t.s {
		case "true", "True":
			return &constant{starlark.True}
		case "false", "False":
			return &constant{starlark.False}
		case "none", "None":
			return &constant{starlark.None}
		}
		p.mention(t.s)
		return &nameRef{t.s}
	case text:
		var b strings.Builder
		for p.tok().kind == text {
			b.WriteString(p.next().s)
		}
		return &constant{starlark.String(b.String())}
	case number:
		p.next()
		return &constant{parseNumber(t)}
	}
	switch {
	case p.accept("("):
		x := p.tuple(true, true)
		p.expect(")")
		return x
	case p.accept("["):
		l := &listOf{}
		for !p.isOp("]") {
			l.items = append(l.items, p.expression())
			if !p.accept(",") {
				break
			}
		}
		p.expect("]")
		return l
	case p.accept("{"):
		d := &dictOf{}
		for !p.isOp("}") {
			d.keys = append(d.keys, p.expression())
			p.expect(":")
			d.values = append(d.values, p.expression())
			if !p.accept(",") {
				break
			}
		}
		p.expect("}")
		return d
	}
	p.fail("unexpected %s", t)
	return nil
}

// mention notes the names that a macro is given when its body asks for them.
func (p *parser) mention(n string) {
	for _, m := range p.macros {
		m.caller = m.caller || n == "caller"
		m.kwargs = m.kwargs || n == "kwargs"
		m.varargs = m.varargs || n == "varargs"
	}
}

func parseNumber(t token) py.Value {
	s := strings.ReplaceAll(t.s, "_", "")
	if i, ok := new(big.Int).SetString(s, 0); ok {
		return starlark.MakeBigInt(i)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		failAt(t.line, "%s is no number", t.s)
	}
	return starlark.Float(f)
}

// tuple reads expressions with commas between them: one, or a tuple.
func (p *parser) tuple(ternaries, enclosed bool, ends ...string) expr {
	var items []expr
	comma := false
	for {
		if len(items) > 0 && !comma || p.atTupleEnd(ends) {
			break
		}
		items = append(items, p.conditional(ternaries))
		comma = p.accept(",")
	}
	if len(items) == 1 && !comma {
		return items[0]
	}
	if len(items) == 0 && !enclosed {
		p.fail("expected an expression, found %s", p.tok())
	}
	return &tupleOf{items}
}

func (p *parser) atTupleEnd(ends []string) bool {
	t := p.tok()
	return t.kind == varEnd || t.kind == blockEnd || t.kind == eof || p.isOp(")") || t.kind == name && slices.Contains(ends, t.s)
}

// postfix reads what follows a value without a blank: .name, [index], (arguments).
func (p *parser) postfix(x expr) expr {
	for {
		switch {
		case p.isOp("."), p.isOp("["):
			x = p.subscript(x)
		case p.isOp("("):
			x = p.call(x)
		default:
			return x
		}
	}
}

func (p *parser) subscript(x expr) expr {
	if p.next().s == "." {
		switch t := p.next(); t.kind {
		case name:
			return &attrRef{x, t.s}
		case number:
			return &itemRef{x, &constant{parseNumber(t)}}
		default:
			failAt(t.line, "expected name or number, found %s", t)
		}
	}
	var items []expr
	for !p.isOp("]") {
		if len(items) > 0 {
			p.expect(",")
		}
		items = append(items, p.slice())
	}
	p.expect("]")
	switch len(items) {
	case 0:
		p.fail("an index is missing")
	case 1:
		return &itemRef{x, items[0]}
	}
	return &itemRef{x, &tupleOf{items}}
}

// slice reads an index, or a:b:c.
func (p *parser) slice() expr {
	part := func() expr {
		if p.isOp(":") || p.isOp("]") || p.isOp(",") {
			return nil
		}
		return p.expression()
	}
	lo := part()
	if !p.accept(":") {
		if lo == nil {
			p.fail("an index is missing")
		}
		return lo
	}
	s := &sliceRef{lo: lo, hi: part()}
	if p.accept(":") {
		s.step = part()
	}
	return s
}

func (p *parser) call(fn expr) *call {
	l := p.tok().line
	return &call{l, fn, p.arguments()}
}

// arguments reads (a, b=c, *d, **e).
func (p *parser) arguments() arguments {
	var a arguments
	p.expect("(")
	for !p.isOp(")") {
		switch {
		case p.accept("*"):
			if a.list != nil || a.dict != nil {
				p.fail("invalid syntax for function call expression")
			}
			a.list = p.expression()
		case p.accept("**"):
			if a.dict != nil {
				p.fail("invalid syntax for function call expression")
			}
			a.dict = p.expression()
		case p.tok().kind == name && p.peek().kind == op && p.peek().s == "=":
			if a.dict != nil {
				p.fail("invalid syntax for function call expression")
			}
			a.named = append(a.named, p.ident())
			p.next()
			a.values = append(a.values, p.expression())
		default:
			if a.list != nil || a.dict != nil || a.named != nil {
				p.fail("invalid syntax for function call expression")
			}
			a.plain = append(a.plain, p.expression())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return a
}

// filtered reads |filter, "is test" and calls behind a value.
func (p *parser) filtered(x expr) expr {
	for {
		switch {
		case p.isOp("|"):
			p.next()
			x = p.filter(x)
		case p.isName("is"):
			x = p.test(x)
		case p.isOp("("):
			x = p.call(x)
		default:
			return x
		}
	}
}

// dotted reads name.name, as filters and tests may be called.
func (p *parser) dotted() string {
	n := p.ident()
	for p.accept(".") {
		n += "." + p.ident()
	}
	return n
}

// filter reads a filter behind its "|".
func (p *parser) filter(x expr) expr {
	f := &filter{line: p.tok().line, x: x}
	f.name = p.dotted()
	if p.filters[f.name] == nil && p.guarded == 0 {
		failAt(f.line, "no filter named %q", f.name)
	}
	if p.isOp("(") {
		f.args = p.arguments()
	}
	return f
}

func (p *parser) test(x expr) expr {
	t := &test{line: p.next().line, x: x}
	negated := p.accept("not")
	t.name = p.dotted()
	if p.tests[t.name] == nil && p.guarded == 0 {
		failAt(t.line, "no test named %q", t.name)
	}
	switch next := p.tok(); {
	case p.isOp("("):
		t.args = p.arguments()
	case next.kind == name && !slices.Contains([]string{"else", "or", "and"}, next.s), next.kind == text, next.kind == number, p.isOp("["), p.isOp("{"):
		if p.isName("is") {
			p.fail("you cannot chain multiple tests with is")
		}
		t.args.plain = []expr{p.postfix(p.primary())}
	}
	if negated {
		return &not{t}
	}
	return t
}
