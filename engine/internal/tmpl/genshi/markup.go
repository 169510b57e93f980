// SPDX-License-Identifier: Apache-2.0

package genshi

import (
	"fmt"
	"strings"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// The namespaces of directives and of includes.
const (
	Namespace   = "http://genshi.edgewall.org/"
	nsInclude   = "http://www.w3.org/2001/XInclude"
	includeName = "include"
)

// elementNode is an element of a markup template, without its directives.
type elementNode struct {
	e        *xmltree.Element
	attrs    []attrNode
	more     *py.Expression // py:attrs
	content  *py.Expression
	replace  *py.Expression
	strip    *py.Expression
	stripped bool // py:strip without a test
	body     []node
}

// instructionNode is a processing instruction that is none of Genshi's.
type instructionNode struct{ e *xmltree.Element }

// sectionNode is a CDATA section.
type sectionNode struct{ body []node }

type attrNode struct {
	space, name string
	value       []node
}

// fragment is an xi:include.
type fragment struct {
	line     int
	name     []node
	fallback []node // nil where there is none
	guarded  bool
}

// ParseMarkup reads a markup template.
func ParseMarkup(file, src string) (*Template, *problem.Problem) {
	source, p := xmltree.ParseSource(file, []byte(src))
	if p != nil {
		return nil, p
	}
	t := &Template{File: file, source: source}
	for _, e := range source.Nodes {
		nodes, err := compile(e)
		if err != nil {
			return nil, problemOf(file, err)
		}
		t.body = append(t.body, nodes...)
	}
	return t, nil
}

// order is that of directives on one element, the outermost first.
var order = []string{"def", "match", "when", "otherwise", "for", "if", "choose", "with"}

// arguments are the attributes that directives have as elements.
var arguments = map[string]string{"if": "test", "choose": "test", "when": "test", "for": "each", "with": "vars", "def": "function", "match": "path", "replace": "value"}

// compile makes nodes of one element.
func compile(e *xmltree.Element) ([]node, error) {
	switch {
	case e.Kind == xmltree.Comment:
		return nil, nil
	case e.Kind == xmltree.Instruction:
		return instruction(e)
	case e.Kind == xmltree.Section:
		body, err := interpolate(e.Text, e.Pos.Line)
		return []node{&sectionNode{body}}, err
	case e.Space == nsInclude:
		return include(e)
	}
	line := e.Pos.Line
	given := map[string]string{}
	n := &elementNode{e: e}
	for _, a := range e.Attrs {
		if a.Space == Namespace {
			given[a.Name] = a.Value
			continue
		}
		if e.Space == Namespace {
			continue
		}
		value, err := interpolate(a.Value, a.Line)
		if err != nil {
			return nil, err
		}
		n.attrs = append(n.attrs, attrNode{a.Space, a.Name, value})
	}
	body, err := children(e)
	if err != nil {
		return nil, err
	}
	n.body = body
	out := []node{n}
	if e.Space == Namespace {
		given[e.Tag] = e.Get(arguments[e.Tag])
		out = body
		if e.Tag == "replace" {
			out = []node{n}
		}
	}
	if err := n.own(given, line); err != nil {
		return nil, err
	}
	return around(out, given, line)
}

// around puts the directives of an element around it.
func around(out []node, given map[string]string, line int) ([]node, error) {
	for i := len(order) - 1; i >= 0; i-- {
		value, ok := given[order[i]]
		if !ok {
			continue
		}
		delete(given, order[i])
		d, err := newDirective(order[i], value, line)
		if err != nil {
			return nil, &errSyntax{line, err}
		}
		out = []node{&block{line, d, out}}
	}
	for name := range given {
		return nil, &errSyntax{line, fmt.Errorf("py:%s is no directive that is evaluated", name)}
	}
	return out, nil
}

// own takes the directives that are about the element itself.
func (n *elementNode) own(given map[string]string, line int) error {
	for name, to := range map[string]**py.Expression{"attrs": &n.more, "content": &n.content, "replace": &n.replace, "strip": &n.strip} {
		value, ok := given[name]
		if !ok {
			continue
		}
		delete(given, name)
		if name == "strip" && strings.TrimSpace(value) == "" {
			n.stripped = true
			continue
		}
		x, err := py.ParseExpression(strings.TrimSpace(value), line)
		if err != nil {
			return &errSyntax{line, err}
		}
		*to = x
	}
	return nil
}

// children compiles what an element holds.
func children(e *xmltree.Element) ([]node, error) {
	out, err := interpolate(e.Text, e.Pos.Line)
	if err != nil {
		return nil, err
	}
	for _, c := range e.Children {
		nodes, err := compile(c)
		if err != nil {
			return nil, err
		}
		tail, err := interpolate(c.Tail, c.Pos.Line)
		if err != nil {
			return nil, err
		}
		out = append(append(out, nodes...), tail...)
	}
	return out, nil
}

func instruction(e *xmltree.Element) ([]node, error) {
	if e.Tag != "python" {
		return []node{&instructionNode{e}}, nil
	}
	program, err := py.Parse(dedent(strings.TrimSpace(e.Text)), e.Pos.Line)
	if err != nil {
		return nil, &errSyntax{e.Pos.Line, err}
	}
	return []node{&codeNode{e.Pos.Line, program}}, nil
}

func include(e *xmltree.Element) ([]node, error) {
	if e.Tag != includeName {
		return nil, nil
	}
	name, err := interpolate(e.Get("href"), e.Pos.Line)
	if err != nil {
		return nil, err
	}
	f := &fragment{line: e.Pos.Line, name: name}
	for _, c := range e.Children {
		if c.Space == nsInclude && c.Tag == "fallback" {
			f.guarded = true
			if f.fallback, err = children(c); err != nil {
				return nil, err
			}
		}
	}
	return []node{f}, nil
}
