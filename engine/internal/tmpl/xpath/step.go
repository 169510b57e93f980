// SPDX-License-Identifier: Apache-2.0

package xpath

import (
	"slices"
	"strconv"
	"strings"
)

// step is one part of a path.
type step struct {
	axis  string
	test  func(*node) bool
	conds []expr
}

func anyNode(*node) bool { return true }

var axes = []string{"ancestor", "ancestor-or-self", "attribute", "child", "descendant", "descendant-or-self", "following", "following-sibling", "parent", "preceding", "preceding-sibling", "self"}

func (p *parser) step() (step, error) {
	st := step{axis: "child"}
	switch {
	case p.is("."):
		return step{axis: "self", test: anyNode}, nil
	case p.is(".."):
		return step{axis: "parent", test: anyNode}, nil
	case p.is("@"):
		st.axis = "attribute"
	}
	t := p.peek()
	if next := p.i + 1; t.kind == 'n' && p.tokens[next].kind == 'o' && p.tokens[next].text == "::" {
		if !slices.Contains(axes, t.text) {
			return st, p.wrong("there is no axis " + t.text)
		}
		st.axis = t.text
		p.i += 2
		t = p.peek()
	}
	if t.kind != 'n' {
		return st, p.wrong("a name is missing")
	}
	p.i++
	var err error
	if st.test, err = p.test(t.text, st.axis); err != nil {
		return st, err
	}
	st.conds, err = p.conditions()
	return st, err
}

// test reads what nodes of a step have to be.
func (p *parser) test(name, axis string) (func(*node) bool, error) {
	if p.is("(") {
		switch name {
		case "text":
			return func(n *node) bool { return n.kind == textNode }, p.need(")")
		case "node":
			return anyNode, p.need(")")
		case "comment", "processing-instruction":
			return func(*node) bool { return false }, p.need(")")
		}
		return nil, p.wrong(name + "() is no kind of node")
	}
	of := elementNode
	if axis == "attribute" {
		of = attributeNode
	}
	if name == "*" {
		return func(n *node) bool { return n.kind == of }, nil
	}
	space, local := "", name
	if prefix, rest, ok := strings.Cut(name, ":"); ok {
		if space, ok = p.s.q.Names[prefix]; !ok {
			return nil, p.wrong("the prefix " + prefix + " has no namespace")
		}
		local = rest
	}
	return func(n *node) bool {
		s, l := n.name()
		return n.kind == of && s == space && (l == local || local == "*")
	}, nil
}

func (p *parser) conditions() ([]expr, error) {
	var out []expr
	for p.is("[") {
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if err := p.need("]"); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// filtered reads the conditions behind a value; positions are those in the document.
func (p *parser) filtered(x expr) (expr, error) {
	conds, err := p.conditions()
	if err != nil || len(conds) == 0 {
		return x, err
	}
	return func(at place) (any, error) {
		set, err := p.s.nodes(x, at)
		if err != nil {
			return nil, err
		}
		return p.s.keep(set, conds)
	}, nil
}

// along follows a step from each node.
func (p *parser) along(from expr, st step) expr {
	return func(at place) (any, error) {
		start, err := p.s.nodes(from, at)
		if err != nil {
			return nil, err
		}
		var out []*node
		for _, n := range start {
			var set []*node
			near := p.s.axis(st.axis, n)
			for _, x := range near {
				if st.test(x) {
					set = append(set, x)
				}
			}
			if err := p.s.q.Step(1 + len(near)); err != nil {
				return nil, err
			}
			if set, err = p.s.keep(set, st.conds); err != nil {
				return nil, err
			}
			out = append(out, set...)
		}
		return inOrder(out), nil
	}
}

// keep leaves the nodes that conditions hold for; a number is a position.
func (s *search) keep(set []*node, conds []expr) ([]*node, error) {
	for _, cond := range conds {
		var kept []*node
		for i, n := range set {
			v, err := cond(place{n, i + 1, len(set)})
			if err != nil {
				return nil, err
			}
			holds := false
			if f, ok := v.(float64); ok {
				holds = f == float64(i+1)
			} else if holds, err = s.truth(v); err != nil {
				return nil, err
			}
			if holds {
				kept = append(kept, n)
			}
		}
		set = kept
	}
	return set, nil
}

// primary reads a value: in parentheses, a text, a number, a variable or a call.
func (p *parser) primary() (expr, error) {
	t := p.peek()
	p.i++
	value := func(v any) (expr, error) { return func(place) (any, error) { return v, nil }, nil }
	switch t.kind {
	case 's':
		return value(t.text)
	case 'd':
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, p.wrong("no number: " + t.text)
		}
		return value(f)
	case 'v':
		v, ok := p.s.q.Values[t.text]
		if !ok {
			return nil, p.wrong("nothing is given for $" + t.text)
		}
		return value(v)
	case 'n':
		return p.call(t.text)
	}
	x, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	return x, p.need(")")
}

func (p *parser) call(name string) (expr, error) {
	var args []expr
	if err := p.need("("); err != nil {
		return nil, err
	}
	for !p.is(")") {
		if len(args) > 0 {
			if err := p.need(","); err != nil {
				return nil, err
			}
		}
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		args = append(args, x)
	}
	f, ok := functions[name]
	switch {
	case !ok:
		return nil, p.wrong("there is no function " + name + "()")
	case len(args) < f.least || len(args) > f.most:
		return nil, p.wrong(name + "() does not take " + strconv.Itoa(len(args)) + " arguments")
	}
	return func(at place) (any, error) { return f.do(p.s, at, args) }, nil
}
