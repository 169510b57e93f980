// SPDX-License-Identifier: Apache-2.0

package xpath

import (
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// kind tells nodes apart.
type kind int

const (
	rootNode kind = iota
	elementNode
	attributeNode
	textNode
)

// node is a node of a document as XPath has it, where texts and attributes are nodes.
type node struct {
	kind   kind
	e      *xmltree.Element
	attr   xmltree.Attr
	tail   string
	parent *node
	kids   []*node
	attrs  []*node
	// order is the place in the document, last that of the last node inside.
	order, last int
}

func (n *node) name() (space, local string) {
	switch n.kind {
	case elementNode:
		return n.e.Space, n.e.Tag
	case attributeNode:
		return n.attr.Space, n.attr.Name
	}
	return "", ""
}

// search is one question under way. all are the nodes but for attributes, in order.
type search struct {
	q     Question
	order int
	all   []*node
}

// tree makes the nodes of the document, and gives the one that is asked.
func (s *search) tree() (*node, error) {
	top := &node{kind: rootNode}
	s.all = append(s.all, top)
	s.element(top, s.q.At[0])
	top.last = s.order
	at := top.kids[0]
	for _, e := range s.q.At[1:] {
		i := slices.IndexFunc(at.kids, func(kid *node) bool { return kid.kind == elementNode && kid.e == e })
		if i < 0 {
			break
		}
		at = at.kids[i]
	}
	return at, s.q.Step(1 + s.order)
}

func (s *search) add(parent, n *node) *node {
	s.order++
	n.parent, n.order, n.last = parent, s.order, s.order
	if n.kind == attributeNode {
		parent.attrs = append(parent.attrs, n)
		return n
	}
	parent.kids = append(parent.kids, n)
	s.all = append(s.all, n)
	return n
}

// element adds an element with what is in it. Its own text is asked for when it is
// looked at.
func (s *search) element(parent *node, e *xmltree.Element) {
	n := s.add(parent, &node{kind: elementNode, e: e})
	for _, a := range e.Attrs {
		s.add(n, &node{kind: attributeNode, attr: a})
	}
	if e.Text != "" {
		s.add(n, &node{kind: textNode, e: e})
	}
	for _, c := range e.Children {
		if c.Kind == xmltree.Node {
			s.element(n, c)
		}
		if c.Tail != "" {
			s.add(n, &node{kind: textNode, tail: c.Tail})
		}
	}
	n.last = s.order
}

// text is the text of a node; that of an element is all text in it.
func (s *search) text(n *node) (string, error) {
	switch {
	case n.kind == attributeNode:
		return n.attr.Value, s.q.Step(1)
	case n.kind == textNode && n.e != nil:
		return s.q.Text(n.e)
	case n.kind == textNode:
		return n.tail, s.q.Step(1)
	}
	var out strings.Builder
	for _, kid := range n.kids {
		text, err := s.text(kid)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	return out.String(), s.q.Step(1 + out.Len()/100)
}

// inOrder sorts nodes as the document has them, each once.
func inOrder(set []*node) []*node {
	slices.SortFunc(set, func(a, b *node) int { return a.order - b.order })
	return slices.Compact(set)
}

// axis gives the nodes of an axis, nearest first.
func (s *search) axis(name string, n *node) []*node {
	var out []*node
	switch name {
	case "self":
		return []*node{n}
	case "child":
		return n.kids
	case "attribute":
		return n.attrs
	case "parent":
		if n.parent != nil {
			return []*node{n.parent}
		}
	case "ancestor", "ancestor-or-self":
		if name == "ancestor" {
			n = n.parent
		}
		for ; n != nil; n = n.parent {
			out = append(out, n)
		}
	case "following-sibling", "preceding-sibling":
		if n.kind == attributeNode || n.parent == nil {
			return nil
		}
		i := slices.Index(n.parent.kids, n)
		if name == "following-sibling" {
			return n.parent.kids[i+1:]
		}
		out = slices.Clone(n.parent.kids[:i])
		slices.Reverse(out)
	default:
		return s.wide(name, n)
	}
	return out
}

// wide gives the nodes of the axes that go over much of the document.
func (s *search) wide(name string, n *node) []*node {
	behind := func(order int) int {
		i, _ := slices.BinarySearchFunc(s.all, order+1, func(x *node, order int) int { return x.order - order })
		return i
	}
	switch name {
	case "descendant":
		return s.all[behind(n.order):behind(n.last)]
	case "following":
		return s.all[behind(n.last):]
	case "preceding":
		out := slices.DeleteFunc(slices.Clone(s.all[:behind(n.order-1)]), func(x *node) bool { return x.last >= n.order })
		slices.Reverse(out)
		return out
	}
	if n.kind == attributeNode {
		return []*node{n}
	}
	return s.all[behind(n.order-1):behind(n.last)]
}
