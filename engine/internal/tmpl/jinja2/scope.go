// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// context is what one template is rendered with. A template and those that it
// extends share one.
type context struct {
	given map[string]py.Value
	outer *scope // of the place that includes the template
	root  *scope
	// exported are the names that an import of the template gives.
	exported map[string]bool
	blocks   map[string][]block // the most derived first
}

// block is a block with the template that it stands in.
type block struct {
	node *blockNode
	t    *Template
}

func newContext(outer *scope) *context {
	c := &context{outer: outer, exported: map[string]bool{}, blocks: map[string][]block{}}
	c.root = &scope{vars: map[string]py.Value{}, context: c}
	return c
}

// scope holds the names of a loop, a macro and so on.
type scope struct {
	vars    map[string]py.Value
	up      *scope
	context *context
}

func (s *scope) inner() *scope { return &scope{map[string]py.Value{}, s, s.context} }

// find looks a name up.
func (s *scope) find(n string) (py.Value, bool) {
	c := s.context
	for ; s != nil; s = s.up {
		if v, ok := s.vars[n]; ok {
			return v, true
		}
	}
	if v, ok := c.given[n]; ok {
		return v, true
	}
	if c.outer != nil {
		return c.outer.find(n)
	}
	return nil, false
}

// set gives a name a value.
func (s *scope) set(n string, v py.Value) {
	s.vars[n] = v
	if s == s.context.root && !strings.HasPrefix(n, "_") {
		s.context.exported[n] = true
	}
}

// undefined is the value of what is not there: empty, and an error to go on with.
type undefined struct {
	*py.Namespace
	why string
}

func newUndefined(why string) *undefined { return &undefined{py.NewModule("Undefined", nil), why} }

func isUndefined(v py.Value) bool { _, ok := v.(*undefined); return ok }

func (u *undefined) fail() error { return py.Fail("UndefinedError", "%s", u.why) }

// Member gives what Python asks a value for; anything else is an error.
func (u *undefined) Member(_ *py.Thread, n string) (py.Value, error) {
	give := func(v py.Value) (py.Value, error) {
		return py.Func(n, func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) { return v, nil }), nil
	}
	switch n {
	case "__str__":
		return give(starlark.String(""))
	case "__len__":
		return give(starlark.MakeInt(0))
	case "__iter__":
		return give(starlark.NewList(nil))
	case "__eq__":
		return py.Func(n, func(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
			return starlark.Bool(len(args) == 1 && isUndefined(args[0])), nil
		}), nil
	case "__contains__":
		return give(starlark.False)
	case "__getitem__", "__call__":
		return py.Func(n, func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) { return nil, u.fail() }), nil
	}
	if strings.HasPrefix(n, "__") {
		return nil, nil
	}
	return nil, u.fail()
}

func (u *undefined) String() string { return "Undefined" }

// Type is the name of the type.
func (u *undefined) Type() string { return "Undefined" }

// Truth is always false.
func (u *undefined) Truth() starlark.Bool { return false }

// markup is text that is not escaped again.
type markup struct {
	*py.Namespace
	s string
}

func newMarkup(s string) *markup { return &markup{py.NewModule("Markup", nil), s} }

// Plain is the text.
func (m *markup) Plain() py.Value { return starlark.String(m.s) }

// Member gives nothing that a text has not.
func (m *markup) Member(*py.Thread, string) (py.Value, error) { return nil, nil }

func (m *markup) String() string { return m.s }

// Type is the name of the type.
func (m *markup) Type() string { return "Markup" }

// Truth is that of the text.
func (m *markup) Truth() starlark.Bool { return m.s != "" }

// Hash is that of the text.
func (m *markup) Hash() (uint32, error) { return starlark.String(m.s).Hash() }

// object is an object with members that Go code gives.
type object struct {
	*py.Namespace
	member func(n string) (py.Value, error)
}

func newObject(kind string, member func(n string) (py.Value, error)) *object {
	return &object{py.NewModule(kind, nil), member}
}

// Member gives a member.
func (o *object) Member(_ *py.Thread, n string) (py.Value, error) { return o.member(n) }

// Type is the name of the type.
func (o *object) Type() string { return o.Name }

func (o *object) String() string { return "<" + o.Name + ">" }

// space is what namespace() makes.
type space struct {
	*object
	vars map[string]py.Value
}

func newSpace(vars map[string]py.Value) *space {
	s := &space{vars: vars}
	s.object = newObject("Namespace", func(n string) (py.Value, error) { return s.vars[n], nil })
	return s
}
