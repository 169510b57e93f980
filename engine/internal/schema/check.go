// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Codes of what Check finds.
const (
	UnknownElement      = "unknown-element"
	UnknownAttribute    = "unknown-attribute"
	MissingAttribute    = "missing-attribute"
	BadValue            = "bad-value"
	DeprecatedElement   = "deprecated-element"
	DeprecatedAttribute = "deprecated-attribute"
)

// maxFindings bounds what is kept of one file, for each severity.
const maxFindings = 200

// Check compares one file with its schema. In a templated file values that hold
// an expression are not looked at, and attributes may come from py:attrs.
func (s *Schema) Check(root *xmltree.Element, templated bool) []*problem.Problem {
	c := &checker{schema: s, templated: templated, old: map[string]*oldUse{}, kept: map[problem.Severity]int{}}
	c.root(root)
	for _, key := range slices.Sorted(maps.Keys(c.old)) {
		c.found = append(c.found, c.old[key].problem())
	}
	return c.found
}

type checker struct {
	schema    *Schema
	templated bool
	found     []*problem.Problem
	old       map[string]*oldUse
	kept      map[problem.Severity]int
}

// oldUse is an old spelling; it is said once for each file, however often it occurs.
type oldUse struct {
	pos             problem.Pos
	code, msg, hint string
	times           int
}

func (o *oldUse) problem() *problem.Problem {
	msg := o.msg
	if o.times > 1 {
		msg += fmt.Sprintf(" (%d times in this file)", o.times)
	}
	return problem.Warn(o.pos, o.code, msg, o.hint)
}

// add keeps so many findings of each severity: warnings must not hide an error.
func (c *checker) add(p *problem.Problem) {
	if c.kept[p.Severity]++; c.kept[p.Severity] <= maxFindings {
		c.found = append(c.found, p)
	}
}

// suggest gives a hint where a candidate is near, as long as findings are kept.
func (c *checker) suggest(word string, candidates []string, before, after string) string {
	if c.kept[problem.Warning] >= maxFindings {
		return ""
	}
	if near := Nearest(word, candidates); near != "" {
		return "did you mean " + before + near + after + "?"
	}
	return ""
}

func (c *checker) deprecated(pos problem.Pos, code, msg, hint string) {
	if o := c.old[msg]; o != nil {
		o.times++
		return
	}
	c.old[msg] = &oldUse{pos: pos, code: code, msg: msg, hint: hint, times: 1}
}

func (c *checker) root(root *xmltree.Element) {
	if root.Space != "" {
		c.children(root, c.schema.Elements[c.schema.Roots[0]], c.schema.Roots[0])
		return
	}
	e := c.schema.Elements[root.Tag]
	if e == nil {
		want := "<" + strings.Join(c.schema.Roots, "> or <") + ">"
		c.add(problem.Warn(root.Pos, UnknownElement,
			fmt.Sprintf("the root element is <%s>; such a file has %s", root.Tag, want), ""))
		e = c.schema.Elements[c.schema.Roots[0]]
		c.children(root, e, c.schema.Roots[0])
		return
	}
	c.element(root, e)
}

func (c *checker) element(x *xmltree.Element, e *Element) {
	if e.Old != "" {
		c.deprecated(x.Pos, DeprecatedElement, "<"+x.Tag+"> is an old spelling", e.Old)
	}
	if e.Open {
		return
	}
	c.attributes(x, e)
	c.children(x, e, x.Tag)
}

func (c *checker) children(x *xmltree.Element, e *Element, tag string) {
	for _, child := range x.Children {
		switch {
		case child.Kind != xmltree.Node || child.Space == xmltree.NSXInclude:
			continue
		case child.Space != "", stripped(child):
			// What stands in py:if and its like stands in the element around it.
			c.children(child, e, tag)
			continue
		}
		known := c.schema.Elements[child.Tag]
		if known != nil && slices.Contains(e.Children, child.Tag) {
			c.element(child, known)
			continue
		}
		if known != nil {
			c.add(problem.Warn(child.Pos, UnknownElement, fmt.Sprintf("<%s> has no meaning in <%s>", child.Tag, tag), c.belongs(child.Tag)))
			continue
		}
		c.add(problem.Warn(child.Pos, UnknownElement, fmt.Sprintf("<%s> is not known in <%s>", child.Tag, tag),
			c.suggest(child.Tag, e.Children, "<", ">")))
	}
}

// stripped tells whether a template leaves the element out and keeps what it holds.
func stripped(x *xmltree.Element) bool {
	return slices.ContainsFunc(x.Attrs, func(a xmltree.Attr) bool { return a.Space != "" && a.Name == "strip" })
}

// belongs says where an element may stand.
func (c *checker) belongs(tag string) string {
	var parents []string
	for _, name := range slices.Sorted(maps.Keys(c.schema.Elements)) {
		if slices.Contains(c.schema.Elements[name].Children, tag) {
			parents = append(parents, "<"+name+">")
		}
	}
	if len(parents) == 0 || len(parents) > 4 {
		return ""
	}
	return "it stands in " + strings.Join(parents, ", ")
}

func (c *checker) attributes(x *xmltree.Element, e *Element) {
	for i := range x.Attrs {
		a := &x.Attrs[i]
		if a.Space != "" {
			continue
		}
		pos := problem.Pos{File: x.Pos.File, Line: a.Line, Column: a.Column}
		known := find(e.Attrs, a.Name)
		switch {
		case known == nil:
			c.add(problem.Warn(pos, UnknownAttribute, fmt.Sprintf("%s is not known on <%s>", a.Name, x.Tag), c.meant(a.Name, x.Tag, e)))
		case known.Old != "":
			c.deprecated(pos, DeprecatedAttribute, fmt.Sprintf("%s on <%s> is an old spelling", a.Name, x.Tag), known.Old)
			if known.Name == "perms" && !ValidMode(a.Value) {
				c.value(pos, x.Tag, &Attr{Name: "perms", Sort: Mode, Strict: true}, a.Value)
			}
		default:
			c.value(pos, x.Tag, known, a.Value)
		}
	}
	for i := range e.Attrs {
		a := &e.Attrs[i]
		if _, there := x.Lookup(a.Name); !a.Required || there || c.computed(x) {
			continue
		}
		c.add(problem.New(x.Pos, MissingAttribute, fmt.Sprintf("<%s> needs %s", x.Tag, a.Name), ""))
	}
}

// computed tells whether a template may give x more attributes than are written.
func (c *checker) computed(x *xmltree.Element) bool {
	return slices.ContainsFunc(x.Attrs, func(a xmltree.Attr) bool { return a.Space != "" && a.Name == "attrs" })
}

func (c *checker) meant(name, tag string, e *Element) string {
	var names []string
	for _, a := range e.Attrs {
		if a.Old == "" {
			names = append(names, a.Name)
		}
	}
	if hint := c.suggest(name, names, "", ""); hint != "" {
		return hint
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "<" + tag + "> has no attributes"
	}
	return "known are " + strings.Join(slices.Compact(names), ", ")
}

func (c *checker) value(pos problem.Pos, tag string, a *Attr, value string) {
	if c.templated && strings.ContainsAny(value, "${") {
		return
	}
	want := ""
	switch a.Sort {
	case Word:
		if slices.Contains(a.Values, value) {
			return
		}
		want = "one of " + strings.Join(a.Values, ", ")
		if hint := c.suggest(value, a.Values, `"`, `"`); hint != "" {
			want += "; " + hint
		}
	case Bool:
		if v := strings.ToLower(value); v == "true" || v == "false" || v == "1" || v == "0" {
			return
		}
		want = "true or false"
	case Int, Natural:
		if a.Sort == Int && integers.MatchString(value) || naturals.MatchString(value) {
			return
		}
		want = "a whole number"
	case Mode:
		if ValidMode(value) || value == "inherit" {
			return
		}
		want = "three or four octal digits, such as 0644"
	case Owner:
		if owners.MatchString(value) {
			return
		}
		want = "a name of letters, digits, - and _, or a number"
	default:
		return
	}
	said := fmt.Sprintf("%s of <%s> cannot be %q", a.Name, tag, short(value))
	if a.Secret {
		said = fmt.Sprintf("%s of <%s> has a wrong value", a.Name, tag)
	}
	p := problem.Warn(pos, BadValue, said, "write "+want)
	if a.Strict {
		p.Severity = problem.Error
	}
	c.add(p)
}

// short keeps a message readable however long the value is.
func short(value string) string {
	if r := []rune(value); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return value
}

func find(list []Attr, name string) *Attr {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

var (
	modes    = regexp.MustCompile(`^[0-7]{3,4}$`)
	owners   = regexp.MustCompile(`^([A-Za-z_][-_.A-Za-z0-9]{0,30}\$?|[0-9]+)$`)
	integers = regexp.MustCompile(`^\s*[-+]?[0-9]+\s*$`)
	naturals = regexp.MustCompile(`^\s*[0-9]+\s*$`)
)

// ValidMode tells whether a mode is three or four octal digits, or five with a
// leading zero.
func ValidMode(mode string) bool {
	return modes.MatchString(mode) || len(mode) == 5 && mode[0] == '0' && modes.MatchString(mode[1:])
}

// ValidOwner tells whether a user or group name can exist.
func ValidOwner(name string) bool { return owners.MatchString(name) }
