// SPDX-License-Identifier: Apache-2.0

package genshi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// paths are the alternatives of a path of Genshi: a|b/c.
type paths [][]step

// step is one name of a path.
type step struct {
	deep bool   // behind "//"
	name string // "*" for any; "." for the element itself, "text()", "node()"
	attr bool
	// has and equals are [@name] and [@name="text"].
	has    string
	equals *string
}

var stepPattern = regexp.MustCompile(`^(@?)(?:[\w-]+:)?([\w.-]+(?:\(\))?|\*)(?:\[@([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?\])?$`)

// parsePaths reads a path: names, *, ., @name, text(), node(), / and //, and tests of
// attributes in brackets.
func parsePaths(s string) (paths, error) {
	var out paths
	for _, alternative := range strings.Split(s, "|") {
		var steps []step
		deep := false
		for i, part := range strings.Split(strings.TrimSpace(alternative), "/") {
			if part == "" {
				deep = deep || i > 0
				continue
			}
			m := stepPattern.FindStringSubmatchIndex(part)
			if m == nil {
				return nil, fmt.Errorf("the path %q is none that is evaluated", s)
			}
			group := func(n int) string {
				if m[2*n] < 0 {
					return ""
				}
				return part[m[2*n]:m[2*n+1]]
			}
			st := step{deep: deep, name: group(2), attr: group(1) != "", has: group(3)}
			if m[8] >= 0 || m[10] >= 0 {
				value := group(4) + group(5)
				st.equals = &value
			}
			if strings.HasSuffix(st.name, "()") && st.name != "text()" && st.name != "node()" {
				return nil, fmt.Errorf("the path %q is none that is evaluated", s)
			}
			steps = append(steps, st)
			deep = false
		}
		if steps == nil {
			return nil, fmt.Errorf("the path %q is empty", s)
		}
		out = append(out, steps)
	}
	return out, nil
}

// holds tells whether an element is what a step names.
func (s *step) holds(e *xmltree.Element) bool {
	if s.attr || s.name == "text()" || s.name != "*" && s.name != "node()" && s.name != e.Tag {
		return false
	}
	if s.has == "" {
		return true
	}
	value, ok := e.Lookup(s.has)
	return ok && (s.equals == nil || *s.equals == value)
}

// match tells whether a path leads to an element below others.
func (p paths) match(above []*xmltree.Element, e *xmltree.Element) bool {
	return slices.ContainsFunc(p, func(steps []step) bool { return leads(steps, above, e) })
}

func leads(steps []step, above []*xmltree.Element, e *xmltree.Element) bool {
	last := steps[len(steps)-1]
	if !last.holds(e) {
		return false
	}
	if len(steps) == 1 {
		return true
	}
	for i := len(above) - 1; i >= 0; i-- {
		if leads(steps[:len(steps)-1], above[:i], above[i]) {
			return true
		}
		if !last.deep {
			break
		}
	}
	return false
}

// found is an element, an attribute or text.
type found struct {
	element *xmltree.Element
	attr    *xmltree.Attr
	text    string
}

// find gives what the paths name from an element, in the order of the document.
func (p paths) find(e *xmltree.Element) []found {
	var out []found
	if len(p) == 1 {
		return follow(p[0], e, out)
	}
	// Alternatives of one step are looked at together, so that the order stays.
	single := !slices.ContainsFunc(p, func(s []step) bool { return len(s) > 1 || s[0].deep || s[0].name == "." })
	if !single {
		for _, steps := range p {
			out = follow(steps, e, out)
		}
		return out
	}
	for i := range e.Attrs {
		if slices.ContainsFunc(p, func(s []step) bool { return s[0].attr && (s[0].name == "*" || s[0].name == e.Attrs[i].Name) }) {
			out = append(out, found{attr: &e.Attrs[i]})
		}
	}
	each(e, func(f found) {
		if slices.ContainsFunc(p, func(s []step) bool { return s[0].takes(f) }) {
			out = append(out, f)
		}
	})
	return out
}

// each visits text and elements in an element.
func each(e *xmltree.Element, visit func(f found)) {
	if e.Text != "" {
		visit(found{text: e.Text})
	}
	for _, c := range e.Children {
		visit(found{element: c})
		if c.Tail != "" {
			visit(found{text: c.Tail})
		}
	}
}

func (s *step) takes(f found) bool {
	if f.element != nil {
		return (f.element.Kind == xmltree.Node || s.name == "node()") && s.holds(f.element)
	}
	return !s.attr && (s.name == "text()" || s.name == "node()")
}

func follow(steps []step, e *xmltree.Element, out []found) []found {
	s := steps[0]
	rest := steps[1:]
	if s.name == "." && !s.attr {
		if len(rest) == 0 {
			return append(out, found{element: e})
		}
		return follow(rest, e, out)
	}
	if s.attr {
		for i := range e.Attrs {
			if s.name == "*" || s.name == e.Attrs[i].Name {
				out = append(out, found{attr: &e.Attrs[i]})
			}
		}
	}
	each(e, func(f found) {
		if s.takes(f) {
			if len(rest) == 0 {
				out = append(out, f)
			} else if f.element != nil {
				out = follow(rest, f.element, out)
			}
		}
		if s.deep && f.element != nil {
			out = follow(steps, f.element, out)
		}
	})
	return out
}
