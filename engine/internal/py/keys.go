// SPDX-License-Identifier: Apache-2.0

package py

import "go.starlark.net/starlark"

// alike gives the key as a dictionary or set already holds it: True, 1 and 1.0 are
// one key in Python, and the first of them stays.
func alike(k Value, has func(Value) (bool, error)) Value {
	k = native(k)
	other := Value(nil)
	switch x := k.(type) {
	case starlark.Bool:
		other = numeric(x)
	case starlark.Int:
		if n, ok := x.Int64(); ok && (n == 0 || n == 1) {
			other = starlark.Bool(n == 1)
		}
	case starlark.Float:
		if x == 0 || x == 1 {
			other = starlark.Bool(x == 1)
		}
	}
	if other != nil {
		if ok, err := has(other); ok && err == nil {
			return other
		}
	}
	return k
}

// canonical gives the object that stands for a key: of objects whose class says
// when they are equal, the first that was one.
func (th *Thread) canonical(k Value) (Value, error) {
	o, ok := k.(*Instance)
	if !ok || o.base != nil {
		return k, nil
	}
	m, ok := o.Class.find("__hash__").(*Closure)
	if !ok {
		return k, nil
	}
	th.hashing++
	h, err := th.Call(m, starlark.Tuple{o}, nil)
	th.hashing--
	if err != nil {
		return nil, err
	}
	known := th.interned[o.Class]
	if known == nil {
		known = new(starlark.Dict)
		if th.interned == nil {
			th.interned = map[*Class]*starlark.Dict{}
		}
		th.interned[o.Class] = known
	}
	same, _, err := th.lookup(known, h)
	if err != nil {
		return nil, err
	}
	list, ok := same.(*starlark.List)
	if !ok {
		list = starlark.NewList(nil)
		if err := th.setKey(known, h, list); err != nil {
			return nil, err
		}
	}
	for i := range list.Len() {
		if equal, err := th.Equal(list.Index(i), o); equal || err != nil {
			return list.Index(i), err
		}
	}
	return o, th.extend(list, []Value{o})
}

// keyOf is alike for a dictionary.
func keyOf(d *starlark.Dict, k Value) Value {
	return alike(k, func(v Value) (bool, error) { _, ok, err := d.Get(v); return ok, err })
}

// memberOf is alike for a set.
func memberOf(s *starlark.Set, v Value) Value { return alike(v, s.Has) }

// lookup finds a key in a dictionary.
func (th *Thread) lookup(d *starlark.Dict, k Value) (Value, bool, error) {
	k, err := th.canonical(k)
	if err != nil {
		return nil, false, err
	}
	v, ok, err := d.Get(keyOf(d, k))
	if err != nil {
		return nil, false, Fail("TypeError", "unhashable type: '%s'", th.typeName(k))
	}
	return v, ok, nil
}

// remove takes a key out of a dictionary.
func (th *Thread) remove(d *starlark.Dict, k Value) (Value, bool, error) {
	k, err := th.canonical(k)
	if err != nil {
		return nil, false, err
	}
	v, ok, err := d.Delete(keyOf(d, k))
	if err != nil {
		return nil, false, Fail("TypeError", "unhashable type: '%s'", th.typeName(k))
	}
	return v, ok, nil
}

// keyError is the exception of a key that is not there.
func (th *Thread) keyError(k Value) error {
	r, err := th.Repr(k)
	if err != nil {
		return err
	}
	return &Raised{Class: "KeyError", Msg: r, args: starlark.Tuple{k}}
}

// has tells whether a set holds a value.
func has(s *starlark.Set, v Value) (bool, error) {
	ok, err := s.Has(memberOf(s, v))
	if err != nil {
		return false, Fail("TypeError", "unhashable type: '%s'", v.Type())
	}
	return ok, nil
}

// insert puts a value into a set.
func insert(s *starlark.Set, v Value) error {
	if err := s.Insert(memberOf(s, v)); err != nil {
		return Fail("TypeError", "unhashable type: '%s'", v.Type())
	}
	return nil
}
