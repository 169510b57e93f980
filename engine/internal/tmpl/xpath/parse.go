// SPDX-License-Identifier: Apache-2.0

package xpath

import (
	"regexp"
	"slices"
	"strconv"
)

// place is where an expression is evaluated: a node, and its position among those
// that are looked at.
type place struct {
	n         *node
	pos, size int
}

// expr gives nodes in order, a string, a float64 or a bool.
type expr func(at place) (any, error)

// token is a word of a path. kind is o for operators and signs, n for names, s for
// strings, d for numbers, v for variables.
type token struct {
	kind byte
	text string
}

type parser struct {
	s      *search
	tokens []token
	i      int
}

var (
	words     = regexp.MustCompile(`^(?:\s+|(\d+(?:\.\d*)?|\.\d+)|("[^"]*"|'[^']*')|\$([\pL_][\pL\pN_.-]*)|(::|//|!=|<=|>=|\.\.|[()\[\]@,/|+=<>*.-])|([\pL_][\pL\pN_.-]*(?::(?:\*|[\pL_][\pL\pN_.-]*))?))`)
	operators = []string{"and", "or", "mod", "div"}
)

func (p *parser) wrong(msg string) error { return &Error{p.s.q.Path, msg} }

// lex splits the path. A star or a word is an operator where an operand is complete.
func (p *parser) lex() error {
	for rest := p.s.q.Path; rest != ""; {
		m := words.FindStringSubmatch(rest)
		if m == nil {
			return p.wrong("unexpected " + strconv.Quote(rest))
		}
		rest = rest[len(m[0]):]
		switch {
		case m[1] != "":
			p.tokens = append(p.tokens, token{'d', m[1]})
		case m[2] != "":
			p.tokens = append(p.tokens, token{'s', m[2][1 : len(m[2])-1]})
		case m[3] != "":
			p.tokens = append(p.tokens, token{'v', m[3]})
		case m[4] == "*" && !p.complete():
			p.tokens = append(p.tokens, token{'n', "*"})
		case m[4] != "":
			p.tokens = append(p.tokens, token{'o', m[4]})
		case m[5] != "" && p.complete() && slices.Contains(operators, m[5]):
			p.tokens = append(p.tokens, token{'o', m[5]})
		case m[5] != "":
			p.tokens = append(p.tokens, token{'n', m[5]})
		}
	}
	p.tokens = append(p.tokens, token{})
	return nil
}

// complete tells whether what stands before is an operand.
func (p *parser) complete() bool {
	if len(p.tokens) == 0 {
		return false
	}
	last := p.tokens[len(p.tokens)-1]
	return last.kind != 'o' || slices.Contains([]string{")", "]", ".", ".."}, last.text)
}

func (p *parser) peek() token { return p.tokens[p.i] }

// is tells whether a sign comes, and takes it.
func (p *parser) is(sign string) bool {
	if t := p.peek(); t.kind == 'o' && t.text == sign {
		p.i++
		return true
	}
	return false
}

func (p *parser) need(sign string) error {
	if !p.is(sign) {
		return p.wrong("there is no " + sign)
	}
	return nil
}

func (p *parser) whole() (expr, error) {
	x, err := p.binary(0)
	if err == nil && p.peek().kind != 0 {
		err = p.wrong("unexpected " + strconv.Quote(p.peek().text))
	}
	return x, err
}

var levels = [][]string{{"or"}, {"and"}, {"=", "!="}, {"<", "<=", ">", ">="}, {"+", "-"}, {"*", "div", "mod"}}

// binary reads operators of a level and all that bind closer.
func (p *parser) binary(level int) (expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		op := p.peek()
		if op.kind != 'o' || !slices.Contains(levels[level], op.text) {
			return left, nil
		}
		p.i++
		var right expr
		if right, err = p.binary(level + 1); err == nil {
			left = p.s.operator(op.text, left, right)
		}
	}
	return nil, err
}

func (p *parser) unary() (expr, error) {
	if !p.is("-") {
		return p.union()
	}
	x, err := p.unary()
	return func(at place) (any, error) {
		f, err := p.s.number(x, at)
		return -f, err
	}, err
}

func (p *parser) union() (expr, error) {
	left, err := p.path()
	for err == nil && p.is("|") {
		var right expr
		if right, err = p.path(); err == nil {
			one := left
			left = func(at place) (any, error) {
				a, err := p.s.nodes(one, at)
				if err != nil {
					return nil, err
				}
				b, err := p.s.nodes(right, at)
				return inOrder(append(slices.Clone(a), b...)), err
			}
		}
	}
	return left, err
}

// path reads a path, or a value with what may follow it.
func (p *parser) path() (expr, error) {
	var from expr
	t, next := p.peek(), token{}
	if t.kind != 0 {
		next = p.tokens[p.i+1]
	}
	call := t.kind == 'n' && next.text == "(" && next.kind == 'o' && !slices.Contains([]string{"text", "node", "comment", "processing-instruction"}, t.text)
	switch {
	case call || t.kind == 's' || t.kind == 'd' || t.kind == 'v' || t.kind == 'o' && t.text == "(":
		x, err := p.primary()
		if err != nil {
			return nil, err
		}
		if from, err = p.filtered(x); err != nil {
			return nil, err
		}
		if next := p.peek(); next.kind != 'o' || next.text != "/" && next.text != "//" {
			return from, nil
		}
	case t.kind == 'o' && (t.text == "/" || t.text == "//"):
		from = func(place) (any, error) { return p.s.all[:1], nil }
		if next := p.tokens[p.i+1]; t.text == "/" && next.kind != 'n' && (next.kind != 'o' || next.text != "@" && next.text != "." && next.text != "..") {
			p.i++
			return from, nil
		}
	default:
		from = func(at place) (any, error) { return []*node{at.n}, nil }
		return p.steps(from)
	}
	if p.is("//") {
		return p.steps(p.along(from, step{axis: "descendant-or-self", test: anyNode}))
	}
	p.i++
	return p.steps(from)
}

// steps reads steps, with slashes between.
func (p *parser) steps(from expr) (expr, error) {
	for {
		st, err := p.step()
		if err != nil {
			return nil, err
		}
		from = p.along(from, st)
		switch {
		case p.is("//"):
			from = p.along(from, step{axis: "descendant-or-self", test: anyNode})
		case !p.is("/"):
			return from, nil
		}
	}
}
