// SPDX-License-Identifier: Apache-2.0

package genshi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// RenderMarkup gives the text of a markup template, as Genshi's method xml writes
// it. names are changed by it.
func (t *Template) RenderMarkup(th *py.Thread, names map[string]py.Value, load Load) (string, *problem.Problem) {
	r, top, p := t.tree(th, names, load, true)
	if p != nil {
		return "", p
	}
	s := &serializer{hollow: r.hollow, bound: []xmltree.Namespace{{Prefix: "xml", URI: "http://www.w3.org/XML/1998/namespace"}}}
	s.prolog(t.source)
	for _, e := range top.Children {
		s.node(e)
	}
	if err := th.Grow(s.out.Len()); err != nil {
		return "", problemOf(t.File, err)
	}
	return s.out.String(), nil
}

// serializer writes markup.
type serializer struct {
	out    strings.Builder
	hollow map[*xmltree.Element]bool
	bound  []xmltree.Namespace // the innermost last
	made   int                 // prefixes for namespaces that have none
}

var (
	escapeText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	escapeAttr = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;")
)

// prolog writes the declaration and the DOCTYPE of the source.
func (s *serializer) prolog(source *xmltree.Source) {
	if version, encoding, standalone := source.Declared(); version != "" {
		s.out.WriteString(`<?xml version="` + version + `"`)
		if encoding != "" {
			s.out.WriteString(` encoding="` + encoding + `"`)
		}
		if standalone != "" {
			s.out.WriteString(` standalone="` + standalone + `"`)
		}
		s.out.WriteString("?>\n")
	}
	name, public, system := source.Identifiers()
	if name == "" {
		return
	}
	s.out.WriteString("<!DOCTYPE " + name)
	if public != "" {
		s.out.WriteString(` PUBLIC "` + public + `"`)
	} else if system != "" {
		s.out.WriteString(" SYSTEM")
	}
	if system != "" {
		s.out.WriteString(` "` + system + `"`)
	}
	s.out.WriteString(">\n")
}

func (s *serializer) node(e *xmltree.Element) {
	switch e.Kind {
	case xmltree.Instruction:
		s.out.WriteString("<?" + e.Tag + " " + e.Text + "?>")
	case xmltree.Section:
		s.out.WriteString("<![CDATA[" + strings.ReplaceAll(e.Text, "]]>", "]]]]><![CDATA[>"))
		for _, c := range e.Children { // of a function that was called there
			s.node(c)
		}
		s.out.WriteString("]]>")
	default:
		s.element(e)
	}
	s.out.WriteString(escapeText.Replace(e.Tail))
}

func (s *serializer) element(e *xmltree.Element) {
	depth := len(s.bound)
	var declared []xmltree.Namespace
	bind := func(n xmltree.Namespace) {
		s.bound = append(s.bound, n)
		declared = append(declared, n)
	}
	for _, n := range e.Namespaces {
		if _, known := s.prefix(n.URI); !known && n.URI != Namespace && n.URI != nsInclude && n.URI != "" {
			bind(n)
		}
	}
	if _, known := s.prefix(e.Space); !known && e.Space != "" {
		bind(xmltree.Namespace{URI: e.Space})
	}
	var attrs strings.Builder
	for _, a := range e.Attrs {
		if _, known := s.prefix(a.Space); !known && a.Space != "" {
			s.made++
			bind(xmltree.Namespace{Prefix: "ns" + strconv.Itoa(s.made), URI: a.Space})
		}
		attrs.WriteString(" " + s.name(a.Space, a.Name) + `="` + escapeAttr.Replace(a.Value) + `"`)
	}
	tag := s.name(e.Space, e.Tag)
	s.out.WriteString("<" + tag)
	for _, n := range declared {
		s.out.WriteString(" " + strings.TrimSuffix("xmlns:"+n.Prefix, ":") + `="` + escapeAttr.Replace(n.URI) + `"`)
	}
	s.out.WriteString(attrs.String())
	if e.Text == "" && len(e.Children) == 0 && !s.hollow[e] {
		s.out.WriteString("/>")
	} else {
		s.out.WriteString(">" + escapeText.Replace(e.Text))
		for _, c := range e.Children {
			s.node(c)
		}
		s.out.WriteString("</" + tag + ">")
	}
	s.bound = s.bound[:depth]
}

// prefix is the one that a namespace has here.
func (s *serializer) prefix(uri string) (string, bool) {
	for _, n := range slices.Backward(s.bound) {
		if n.URI == uri {
			return n.Prefix, true
		}
	}
	return "", false
}

func (s *serializer) name(space, local string) string {
	if prefix, _ := s.prefix(space); space != "" && prefix != "" {
		return prefix + ":" + local
	}
	return local
}
