// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// Entry is one entry of a bundle or of a list of rules.
type Entry struct {
	X *xmltree.Element
	// Tag is the entry's without Bound.
	Tag string
	// Bound entries are complete, as Rules hold them.
	Bound bool
	// Scope are the conditions around it, from the outside.
	Scope []*xmltree.Element
}

// EachEntry visits the entries of bundles, Base and Rules.
func (t *Tree) EachEntry(d *Doc, visit func(Entry)) {
	switch d.Dir {
	case "Bundler", "SGenshi", "Base":
		WalkEntries(d.Root, nil, func(e Entry) {
			if tag, ok := strings.CutPrefix(e.Tag, "Bound"); ok {
				e.Tag, e.Bound = tag, true
			}
			visit(e)
		})
	case "Rules", "Svcmgr":
		WalkEntries(d.Root, nil, func(e Entry) {
			e.Bound = true
			visit(e)
		})
	}
}

// WalkEntries visits the entries below an element, whatever conditions are around them.
func WalkEntries(x *xmltree.Element, scope []*xmltree.Element, visit func(Entry)) {
	for _, c := range x.Children {
		switch {
		case c.Kind != xmltree.Node || c.Space == xmltree.NSXInclude:
		case c.Is("Group") || c.Is("Client"):
			WalkEntries(c, append(slices.Clip(scope), c), visit)
		case c.Space != "" || c.Is("Bundle"):
			// What a template directive holds may be there or not, as in a condition.
			WalkEntries(c, append(slices.Clip(scope), c), visit)
		default:
			visit(Entry{X: c, Tag: c.Tag, Scope: scope})
		}
	}
}

// Dynamic entries get attributes from a template, or from Defaults.
func (e Entry) Dynamic(d *Doc) bool {
	for _, a := range e.X.Attrs {
		if a.Space != "" {
			return true
		}
	}
	return d.Templated && strings.Contains(e.X.Get("name"), "$")
}

// Has tells whether an attribute is written.
func Has(x *xmltree.Element, name string) bool {
	_, ok := x.Lookup(name)
	return ok
}
