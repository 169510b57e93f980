// SPDX-License-Identifier: Apache-2.0

package py

import (
	"fmt"
)

// maxNesting bounds how deep expressions and statements nest.
const maxNesting = 120

// parser turns tokens into a tree.
type parser struct {
	s     *scanner
	tok   token
	ahead []token
	depth int
	scope *function // nil outside functions
	// targets collects the names of a comprehension, which are its own.
	targets map[string]bool
	loops   int
	// division: / never floors, by "from __future__ import division".
	division bool
}

// misread leaves the parser from any depth.
type misread struct{ err error }

// parse runs a rule and gives its syntax error.
func parse[T any](s *scanner, rule func(*parser) T) (out T, err error) {
	p := &parser{s: s}
	defer func() {
		if r := recover(); r != nil {
			failed, ok := r.(misread)
			if !ok {
				panic(r)
			}
			err = failed.err
		}
	}()
	p.advance()
	return rule(p), nil
}

func (p *parser) fail(format string, args ...any) {
	panic(misread{&SyntaxError{Line: p.tok.line, Msg: fmt.Sprintf(format, args...)}})
}

func (p *parser) scan() token {
	t, err := p.s.next()
	if err != nil {
		panic(misread{err})
	}
	return t
}

func (p *parser) advance() token {
	old := p.tok
	if len(p.ahead) > 0 {
		p.tok, p.ahead = p.ahead[0], p.ahead[1:]
	} else {
		p.tok = p.scan()
	}
	return old
}

// peek looks at the token behind the current one.
func (p *parser) peek() token {
	if len(p.ahead) == 0 {
		p.ahead = append(p.ahead, p.scan())
	}
	return p.ahead[0]
}

func (p *parser) isOp(s string) bool   { return p.tok.kind == op && p.tok.s == s }
func (p *parser) isWord(s string) bool { return p.tok.kind == name && p.tok.s == s }

func (p *parser) accept(s string) bool {
	if (p.tok.kind == op || p.tok.kind == name) && p.tok.s == s {
		p.advance()
		return true
	}
	return false
}

func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.fail("invalid syntax: %s expected, not %s", s, p.found())
	}
}

func (p *parser) found() string {
	switch p.tok.kind {
	case eof:
		return "the end"
	case newline:
		return "the end of the line"
	case indent, dedent:
		return "a change of indentation"
	}
	return fmt.Sprintf("%q", p.tok.s)
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.fail("too deeply nested")
	}
}

func (p *parser) leave() { p.depth-- }

// keywords cannot be names.
var keywords = map[string]bool{
	"and": true, "as": true, "assert": true, "break": true, "class": true, "continue": true, "def": true, "del": true, "elif": true,
	"else": true, "except": true, "finally": true, "for": true, "from": true, "global": true, "if": true, "import": true, "in": true,
	"is": true, "lambda": true, "not": true, "or": true, "pass": true, "raise": true, "return": true, "try": true, "while": true,
	"with": true, "yield": true, "None": true, "True": true, "False": true,
}

func (p *parser) ident() string {
	if p.tok.kind != name || keywords[p.tok.s] {
		p.fail("invalid syntax: a name expected, not %s", p.found())
	}
	return p.advance().s
}

// bind notes that a name is assigned here.
func (p *parser) bind(n string) {
	switch {
	case p.targets != nil:
		p.targets[n] = true
	case p.scope != nil && !p.scope.globals[n] && !p.scope.nonlocals[n]:
		p.scope.locals[n] = true
	}
}

// target checks what is assigned to, and notes its names.
func (p *parser) target(x expr) expr {
	switch x := x.(type) {
	case *nameRef:
		p.bind(x.name)
	case *attrRef, *itemRef:
	case *starred:
		p.target(x.x)
	case *tupleOf:
		for _, item := range x.items {
			p.target(item)
		}
	case *listOf:
		for _, item := range x.items {
			p.target(item)
		}
	default:
		p.fail("cannot assign to this")
	}
	return x
}

// targetList parses the names of a for.
func (p *parser) targetList() expr {
	l := line(p.tok.line)
	var items []expr
	comma := false
	for {
		if p.isOp("*") {
			p.advance()
			items = append(items, &starred{l, p.operand(bitOr)})
		} else {
			items = append(items, p.operand(bitOr))
		}
		if !p.accept(",") {
			break
		}
		comma = true
		if p.isWord("in") || p.isOp("=") {
			break
		}
	}
	if len(items) == 1 && !comma {
		return p.target(items[0])
	}
	return p.target(&tupleOf{l, items})
}

// exprList parses expressions with commas between them: one, or a tuple.
func (p *parser) exprList() expr {
	l := line(p.tok.line)
	first := p.starExpr()
	if !p.isOp(",") {
		if s, ok := first.(*starred); ok {
			return &tupleOf{l, []expr{s}}
		}
		return first
	}
	items := []expr{first}
	for p.accept(",") {
		if p.endOfList() {
			break
		}
		items = append(items, p.starExpr())
	}
	return &tupleOf{l, items}
}

func (p *parser) endOfList() bool {
	switch p.tok.kind {
	case eof, newline:
		return true
	case op:
		switch p.tok.s {
		case ")", "]", "}", "=", ":", ";", "+=", "`":
			return true
		}
	case name:
		return p.tok.s == "in" || p.tok.s == "for"
	}
	return false
}

func (p *parser) starExpr() expr {
	if p.isOp("*") {
		l := line(p.advance().line)
		return &starred{l, p.operand(bitOr)}
	}
	return p.expr()
}
