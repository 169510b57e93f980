// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// errMissing is a name that nothing has.
type errMissing struct{ name, whole string }

func (e *errMissing) Error() string {
	msg := fmt.Sprintf("cannot find '%s'", e.name)
	if e.whole != e.name {
		msg += fmt.Sprintf(" while searching for '%s'", e.whole)
	}
	return msg
}

// first finds the value of a variable: a local name, one that #set global made,
// an attribute of self, a name of the module, one of Python's.
func (r *renderer) first(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	names, auto, err := unpack(args)
	if err != nil {
		return nil, err
	}
	return r.lookup(th, args[0], names, names, auto)
}

// lookup finds the value of names, which are the first of all.
func (r *renderer) lookup(th *py.Thread, probe py.Value, names, all string, auto bool) (py.Value, error) {
	name, _, _ := strings.Cut(names, ".")
	v, err := r.local(th, probe, name)
	if v == nil && err == nil {
		v, err = r.self.find(th, name)
	}
	if v == nil && err == nil {
		v, err = r.outer(th, probe, name)
	}
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, r.missing(th, &errMissing{name, all})
	}
	v, err = walk(th, v, names, all, auto)
	return v, r.missing(th, err)
}

// local gives a local name its value, nil where it has none.
func (r *renderer) local(th *py.Thread, probe py.Value, name string) (py.Value, error) {
	if name == "self" {
		return r.self, nil
	}
	if probe == starlark.None {
		return nil, nil
	}
	r.probing = true
	v, err := th.Call(probe, nil, nil)
	r.probing = false
	var limit *py.Limit
	switch {
	case errors.As(err, &limit):
		return nil, err
	case err != nil || v == nothing:
		return nil, nil
	}
	return v, nil
}

// outer looks a name up in the module and in Python.
func (r *renderer) outer(th *py.Thread, probe py.Value, name string) (py.Value, error) {
	if v, ok := r.names[name]; ok && !strings.HasPrefix(name, "__") {
		return v, nil
	}
	if probe == starlark.None {
		return nil, nil
	}
	v, err := th.Call(probe, nil, nil)
	var limit *py.Limit
	if err != nil && !errors.As(err, &limit) {
		return nil, nil
	}
	return v, err
}

// next gives the value of further names.
func (r *renderer) next(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	names, auto, err := unpack(args)
	if err != nil {
		return nil, err
	}
	v, err := walk(th, args[0], "."+names, names, auto)
	return v, r.missing(th, err)
}

// unpack reads the arguments that the compiler writes.
func unpack(args starlark.Tuple) (names string, auto bool, err error) {
	if len(args) == 3 {
		s, ok := args[1].(starlark.String)
		n, isInt := integer(args[2])
		if ok && isInt {
			return string(s), n == 1, nil
		}
	}
	return "", false, py.Fail("TypeError", "%s() is not for templates", nameFirst)
}

// walk goes from a value along names, the first of which is the value's own.
func walk(th *py.Thread, v py.Value, names, whole string, auto bool) (py.Value, error) {
	var err error
	for i, name := range strings.Split(names, ".") {
		if i > 0 {
			if v, err = member(th, v, name, whole); err != nil {
				return nil, err
			}
		}
		if auto && name != "" && plainFunction(v) {
			if v, err = th.Call(v, nil, nil); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// plainFunction tells whether a value is called without being asked to: functions
// and methods are, types and objects are not.
func plainFunction(v py.Value) bool {
	switch v.(type) {
	case *py.Builtin, *py.Closure, *py.Bound, *starlark.Builtin:
		return true
	}
	return false
}

// member gives an attribute, else what is under the name as a key. With a
// dictionary the key comes first, as in Cheetah.
func member(th *py.Thread, v py.Value, name, whole string) (py.Value, error) {
	if d, ok := v.(*starlark.Dict); ok {
		if x, found, err := d.Get(starlark.String(name)); found && err == nil {
			return x, nil
		}
	}
	x, err := th.Attr(v, name)
	if err == nil {
		return x, nil
	}
	var raised *py.Raised
	if !errors.As(err, &raised) || raised.Class != "AttributeError" {
		return nil, err
	}
	x, err = th.Item(v, starlark.String(name))
	var limit *py.Limit
	switch {
	case err == nil:
		return x, nil
	case errors.As(err, &limit):
		return nil, err
	case errors.As(err, &raised) && raised.Class == "NotSupported":
		return nil, err
	}
	return nil, &errMissing{name, whole}
}

// missing makes Cheetah's exception of a name that nothing has.
func (r *renderer) missing(th *py.Thread, err error) error {
	var m *errMissing
	if !errors.As(err, &m) {
		return err
	}
	v, callErr := th.Call(r.names[nameMissing], starlark.Tuple{starlark.String(m.Error())}, nil)
	if callErr != nil {
		return callErr
	}
	o, _ := v.(*py.Instance)
	return &py.Raised{Class: nameMissing, Msg: m.Error(), Value: o,
		Hint: "a dollar sign that is just text is written \\$; $!" + m.whole + " is empty where there is no value"}
}

// self is the template as its code sees it.
type self struct {
	attrs   map[string]py.Value
	globals *starlark.Dict
}

// find gives a global of #set or an attribute, nil where there is none.
func (s *self) find(_ *py.Thread, name string) (py.Value, error) {
	if v, ok, err := s.globals.Get(starlark.String(name)); ok || err != nil {
		return v, err
	}
	return s.attrs[name], nil
}

// search is find for names with dots, as varExists and getVar do it.
func (s *self) search(th *py.Thread, args starlark.Tuple) (py.Value, error) {
	name, ok := args[0].(starlark.String)
	if !ok {
		return nil, py.Fail("TypeError", "the name of a variable must be a string")
	}
	names := strings.ReplaceAll(string(name), "$", "")
	start, _, _ := strings.Cut(names, ".")
	v, err := s.find(th, start)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, &errMissing{start, names}
	}
	auto := true
	if len(args) > 2 {
		auto, err = th.Truth(args[2])
		if err != nil {
			return nil, err
		}
	}
	return walk(th, v, names, strings.TrimPrefix(names, "."), auto)
}

// varExists tells whether self has a name.
func (s *self) varExists(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	if len(args) != 1 {
		return nil, py.Fail("TypeError", "varExists() takes one name")
	}
	_, err := s.search(th, args)
	var m *errMissing
	if errors.As(err, &m) {
		return starlark.False, nil
	}
	return starlark.Bool(err == nil), err
}

// getVar gives the value of a name, or a default.
func (s *self) getVar(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
	for _, k := range kw {
		if k[0] != starlark.String("default") || len(args) != 1 {
			return nil, py.Fail("TypeError", "getVar() takes a name and a default")
		}
		args = starlark.Tuple{args[0], k[1]}
	}
	if len(args) < 1 || len(args) > 3 {
		return nil, py.Fail("TypeError", "getVar() takes a name and a default")
	}
	v, err := s.search(th, args)
	var m *errMissing
	if errors.As(err, &m) {
		if len(args) > 1 {
			return args[1], nil
		}
		return nil, py.Fail("LookupError", "%s", m)
	}
	return v, err
}

// Member gives an attribute.
func (s *self) Member(_ *py.Thread, name string) (py.Value, error) { return s.attrs[name], nil }

func (s *self) String() string { return "<template>" }

// Type is the name of the type.
func (s *self) Type() string { return "Template" }

// Freeze does nothing.
func (s *self) Freeze() {}

// Truth is always true.
func (s *self) Truth() starlark.Bool { return true }

// Hash fails: nobody keys by it.
func (s *self) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: 'Template'") }
