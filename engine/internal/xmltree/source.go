// SPDX-License-Identifier: Apache-2.0

package xmltree

import (
	"regexp"

	"github.com/bindery/bindery/engine/problem"
)

// Namespace is a declaration of a namespace.
type Namespace struct{ Prefix, URI string }

// Declares tells whether the element itself declares a namespace.
func (e *Element) Declares(uri string) bool {
	for _, n := range e.Namespaces {
		if n.URI == uri {
			return true
		}
	}
	return false
}

// Source is a document with all that its text has: blank text, CDATA sections and
// what stands before the root.
type Source struct {
	// Declaration and Doctype are as written, "" where there is none.
	Declaration, Doctype string
	// Nodes are the root, and what stands before and behind it.
	Nodes []*Element
	// Root is the element among them.
	Root *Element
}

// ParseSource reads a document and drops nothing.
func ParseSource(file string, data []byte) (*Source, *problem.Problem) {
	s := &Source{}
	root, p := parse(file, data, s)
	if p != nil {
		return nil, p
	}
	s.Root = root
	return s, nil
}

var declaration = regexp.MustCompile(`^<\?xml\s+version\s*=\s*["']([^"']*)["'](?:\s+encoding\s*=\s*["']([^"']*)["'])?(?:\s+standalone\s*=\s*["']([^"']*)["'])?`)

// Declared gives version, encoding and standalone of the declaration.
func (s *Source) Declared() (version, encoding, standalone string) {
	m := declaration.FindStringSubmatch(s.Declaration)
	if m == nil {
		return "", "", ""
	}
	return m[1], m[2], m[3]
}

var doctype = regexp.MustCompile(`^<!DOCTYPE\s+([^\s\[>]+)(?:\s+PUBLIC\s+(?:"([^"]*)"|'([^']*)'))?(?:\s+SYSTEM)?(?:\s+(?:"([^"]*)"|'([^']*)'))?`)

// Identifiers gives the name and the public and system identifiers of the DOCTYPE.
func (s *Source) Identifiers() (name, public, system string) {
	m := doctype.FindStringSubmatch(s.Doctype)
	if m == nil {
		return "", "", ""
	}
	return m[1], m[2] + m[3], m[4] + m[5]
}
