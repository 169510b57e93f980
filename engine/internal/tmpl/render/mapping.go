// SPDX-License-Identifier: Apache-2.0

package render

import (
	"slices"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// mapping is a dictionary whose values are made, and asked for, when they are
// read.
type mapping struct {
	kind, hint string
	names      func() []string
	// get gives a value; nil where there is none.
	get func(th *py.Thread, name string) (py.Value, error)
}

func newMapping(m *mapping) *object { return newObject(m.kind, m.member) }

// lookup reads the value of a key, which may be of any type.
func (m *mapping) lookup(th *py.Thread, key py.Value) (py.Value, error) {
	s, ok := py.Plain(key).(starlark.String)
	if !ok {
		return nil, nil
	}
	return m.get(th, string(s))
}

func (m *mapping) member(_ *py.Thread, n string) (py.Value, error) {
	var fn method
	switch n {
	case "__getitem__":
		fn = m.item
	case "__contains__", "has_key":
		fn = func(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
			if len(args) != 1 {
				return nil, py.Fail("TypeError", "%s() takes one argument", n)
			}
			v, err := m.lookup(th, args[0])
			return starlark.Bool(v != nil), err
		}
	case "get":
		fn = func(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
			var key py.Value
			var deflt py.Value = starlark.None
			if err := starlark.UnpackPositionalArgs(n, args, kw, 1, &key, &deflt); err != nil {
				return nil, py.Fail("TypeError", "%v", err)
			}
			v, err := m.lookup(th, key)
			if v == nil && err == nil {
				v = deflt
			}
			return v, err
		}
	case "__len__":
		fn = func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			return starlark.MakeInt(len(m.names())), nil
		}
	case "__iter__", "keys", "iterkeys":
		fn = func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			return starlark.NewList(texts(m.names())), nil
		}
	case "values", "itervalues", "items", "iteritems":
		pairs := slices.Contains([]string{"items", "iteritems"}, n)
		fn = func(th *py.Thread, _ starlark.Tuple, _ []starlark.Tuple) (py.Value, error) { return m.all(th, pairs) }
	default:
		return nil, nil
	}
	return py.Func(n, fn), nil
}

func (m *mapping) item(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	v, err := m.lookup(th, args[0])
	if v != nil || err != nil {
		return v, err
	}
	key, err := th.Repr(args[0])
	if err != nil {
		return nil, err
	}
	return nil, &py.Raised{Class: "KeyError", Msg: key, Hint: m.hint}
}

// all gives every value, with its key where pairs are wanted.
func (m *mapping) all(th *py.Thread, pairs bool) (py.Value, error) {
	var out []py.Value
	for _, name := range m.names() {
		v, err := m.get(th, name)
		if err != nil {
			return nil, err
		}
		if pairs {
			v = starlark.Tuple{starlark.String(name), v}
		}
		out = append(out, v)
	}
	return starlark.NewList(out), nil
}
