// SPDX-License-Identifier: Apache-2.0

// Package xpath answers XPath 1.0 about elements of XML, as lxml's xpath() does:
// every axis but namespace, and every function but id() and lang(). It must not know
// what elements are for, nor who asks. (A library that walks over trees of others gives
// silently less than it should for positions and for functions of several paths.)
package xpath

import (
	"fmt"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// maxPath bounds an expression in bytes, and so how deep it can nest.
const maxPath = 4 << 10

// Question is one path, and what it is asked of.
type Question struct {
	Path string
	// Names are the namespaces of the prefixes in Path, Values what stands for $name:
	// a string, a float64 or a bool.
	Names  map[string]string
	Values map[string]any
	// At is the chain from the root of the document to the element that is asked.
	At []*xmltree.Element
	// Text gives the text in front of an element's first child.
	Text func(*xmltree.Element) (string, error)
	// Step is told of work; an error of it ends the search.
	Step func(n int) error
}

// Node is an element that was found, or a text: that of an attribute, or of text().
type Node struct {
	Parent  *Node
	Element *xmltree.Element
	Text    string
}

// Answer is what a path gives: nodes in the order of the document, or a Value, which
// is a string, a float64 or a bool.
type Answer struct {
	Nodes []*Node
	Value any
}

// Error is a mistake in a path.
type Error struct{ Path, Msg string }

func (e *Error) Error() string { return e.Path + ": " + e.Msg }

// Ask answers a question. What it fails with is an *Error, or comes from Text or Step.
func Ask(q Question) (Answer, error) {
	if len(q.Path) > maxPath {
		return Answer{}, &Error{q.Path[:40] + "...", fmt.Sprintf("the path is longer than %d bytes", maxPath)}
	}
	p := &parser{s: &search{q: q}}
	if err := p.lex(); err != nil {
		return Answer{}, err
	}
	x, err := p.whole()
	if err != nil {
		return Answer{}, err
	}
	at, err := p.s.tree()
	if err != nil {
		return Answer{}, err
	}
	v, err := x(place{at, 1, 1})
	if err != nil {
		return Answer{}, err
	}
	set, ok := v.([]*node)
	if !ok {
		return Answer{Value: v}, nil
	}
	return p.s.answer(set)
}

func (s *search) answer(set []*node) (Answer, error) {
	a := Answer{Nodes: []*Node{}}
	for _, n := range set {
		switch n.kind {
		case elementNode:
			a.Nodes = append(a.Nodes, found(n))
		case attributeNode, textNode:
			text, err := s.text(n)
			if err != nil {
				return Answer{}, err
			}
			a.Nodes = append(a.Nodes, &Node{Text: text})
		}
	}
	return a, nil
}

// found gives an element with those around it.
func found(n *node) *Node {
	if n.kind != elementNode {
		return nil
	}
	return &Node{Parent: found(n.parent), Element: n.e}
}
