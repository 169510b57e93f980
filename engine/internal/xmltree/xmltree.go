// SPDX-License-Identifier: Apache-2.0

// Package xmltree reads XML as Bcfg2's parser did: strict, with the position of
// every element and attribute, blank text between elements removed, internal
// entities expanded, external ones refused, and XInclude as Bcfg2 follows it.
// It must not know what the elements mean.
package xmltree

import (
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

// Kind tells elements from the other nodes that lxml keeps in its tree.
type Kind uint8

const (
	// Node is an element.
	Node Kind = iota
	// Comment is a comment; Text is what it says.
	Comment
	// Instruction is a processing instruction: Tag is its target, Text the rest.
	Instruction
	// Section is a CDATA section, which only a Source has.
	Section
)

// Attr is an attribute with its position. Space is the namespace URI.
type Attr struct {
	Space, Name, Value string
	Line, Column       int
}

// Element is one node of the tree. Text is what stands before the first child,
// Tail what stands between this node and the next. Trees are never changed after
// they were loaded and are safe for concurrent use.
type Element struct {
	Kind       Kind
	Space, Tag string
	Attrs      []Attr
	Text, Tail string
	Children   []*Element
	// Namespaces are those that the element itself declares.
	Namespaces []Namespace
	Pos        problem.Pos
}

// Get returns the value of an attribute without namespace, "" where it is absent.
func (e *Element) Get(name string) string { v, _ := e.Lookup(name); return v }

// Lookup returns the value of an attribute without namespace and whether it is there.
func (e *Element) Lookup(name string) (string, bool) {
	for i := range e.Attrs {
		if e.Attrs[i].Name == name && e.Attrs[i].Space == "" {
			return e.Attrs[i].Value, true
		}
	}
	return "", false
}

// AttrPos returns the position of an attribute, or that of the element where it
// is absent.
func (e *Element) AttrPos(name string) problem.Pos {
	for i := range e.Attrs {
		if e.Attrs[i].Name == name && e.Attrs[i].Space == "" {
			return problem.Pos{File: e.Pos.File, Line: e.Attrs[i].Line, Column: e.Attrs[i].Column}
		}
	}
	return e.Pos
}

// True tells whether an attribute says true, in any letter case.
func (e *Element) True(name string) bool { return strings.EqualFold(e.Get(name), "true") }

// Is tells whether e is an element of that name in no namespace.
func (e *Element) Is(tag string) bool { return e.Kind == Node && e.Space == "" && e.Tag == tag }

// Walk calls visit for e and everything below it, in document order, and leaves
// out what is below an element for which visit returns false.
func (e *Element) Walk(visit func(*Element) bool) {
	if !visit(e) {
		return
	}
	for _, c := range e.Children {
		c.Walk(visit)
	}
}
