// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Draft is an entry while it is being bound.
type Draft struct {
	Tag       string
	Attrs     []config.Attr
	Text      string
	Children  []*config.Node
	Sensitive bool
	NamedAt   config.Source
	BoundAt   config.Source
	// At is where the entry is named, for problems.
	At problem.Pos
	// Notes are findings that do not keep the entry from being bound.
	Notes []*problem.Problem
	// Dropped: the entry is not delivered, and Notes say why.
	Dropped bool
	// Depth counts the entries that are being bound for the sake of this one.
	Depth int
}

// Name returns the name attribute.
func (d *Draft) Name() string { return d.Get("name") }

// Key is what generators look an entry up by.
func (d *Draft) Key() Name {
	name, named := d.Lookup("name")
	return Name{Tag: d.Tag, Name: name, Named: named}
}

// Key gives the tag and the name that an entry has before it is bound.
func (a *Abstract) Key() Name {
	if a.Item == nil {
		return a.Draft.Key()
	}
	return nameOf(a.Item.Element)
}

// RealName is the entry's own name while it is bound under that of its altsrc.
func (d *Draft) RealName() string {
	if real, ok := d.Lookup("realname"); ok {
		return real
	}
	return d.Name()
}

// Get returns an attribute, "" where it is absent.
func (d *Draft) Get(name string) string { v, _ := d.Lookup(name); return v }

// Lookup returns an attribute and whether it is there.
func (d *Draft) Lookup(name string) (string, bool) {
	for i := range d.Attrs {
		if d.Attrs[i].Name == name {
			return d.Attrs[i].Value, true
		}
	}
	return "", false
}

// Set gives an attribute a value, over the one it has.
func (d *Draft) Set(name, value string) {
	for i := range d.Attrs {
		if d.Attrs[i].Name == name {
			d.Attrs[i].Value = value
			return
		}
	}
	d.Attrs = append(d.Attrs, config.Attr{Name: name, Value: value})
}

// Default gives an attribute a value unless it has one.
func (d *Draft) Default(name, value string) {
	if _, ok := d.Lookup(name); !ok {
		d.Set(name, value)
	}
}

// Remove takes an attribute away and returns what it was.
func (d *Draft) Remove(name string) (string, bool) {
	for i := range d.Attrs {
		if d.Attrs[i].Name == name {
			v := d.Attrs[i].Value
			d.Attrs = append(d.Attrs[:i], d.Attrs[i+1:]...)
			return v, true
		}
	}
	return "", false
}

// NewDraft makes a draft of an element, with the conditions around its children
// dissolved for the host.
func NewDraft(v *memo.View, item *Item) *Draft {
	e := item.Element
	d := &Draft{Tag: Qualified(e.Space, e.Tag), Attrs: Attributes(e), Text: e.Text, NamedAt: SourceOf(e), At: e.Pos}
	d.Children = item.Inner.Nodes(v)
	return d
}

// SourceOf is the provenance of an element.
func SourceOf(e *xmltree.Element) config.Source {
	return config.Source{File: e.Pos.File, Line: e.Pos.Line}
}

// Attributes copies the attributes of an element, xml:base aside.
func Attributes(e *xmltree.Element) []config.Attr {
	out := make([]config.Attr, 0, len(e.Attrs)+8)
	for _, a := range e.Attrs {
		if a.Name == "base" && strings.HasSuffix(a.Space, "/namespace") {
			continue
		}
		out = append(out, config.Attr{Name: Qualified(a.Space, a.Name), Value: a.Value})
	}
	return out
}

// Qualified is the spelling of a name in the configuration.
func Qualified(space, name string) string {
	if space == "" {
		return name
	}
	return "{" + space + "}" + name
}
