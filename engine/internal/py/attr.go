// SPDX-License-Identifier: Apache-2.0

package py

import (
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// method is what a built-in type has.
type method func(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error)

// Attr gives an attribute of a value.
func (th *Thread) Attr(v Value, n string) (Value, error) {
	switch v := v.(type) {
	case *Namespace:
		if x, ok := v.attrs[n]; ok {
			return x, nil
		}
		if n == "__name__" {
			return starlark.String(v.Name), nil
		}
		return nil, Fail("AttributeError", "'module' object has no attribute '%s'", n)
	case *Instance:
		if x, err := th.instanceAttr(v, n); x != nil || err != nil {
			return x, err
		}
	case *Class:
		if x, err := th.classAttr(v, n); x != nil || err != nil {
			return x, err
		}
	case *superOf:
		return th.superAttr(v, n)
	case *Closure:
		if x, ok := v.attrs[n]; ok {
			return x, nil
		}
	case *property:
		if n == "setter" || n == "getter" {
			return Func(n, func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
				if len(args) != 1 {
					return nil, Fail("TypeError", "%s() takes one argument", n)
				}
				return &property{v.get, args[0]}, nil
			}), nil
		}
	case Object:
		if x, err := v.Member(th, n); x != nil || err != nil {
			return x, err
		}
	}
	if x := th.builtinMethod(v, n); x != nil {
		return x, nil
	}
	if n == "__class__" {
		return th.classOf(v), nil
	}
	if x := numeric(v); isNumber(x) && (n == "real" || n == "numerator") {
		return x, nil
	} else if isNumber(x) && n == "imag" {
		return starlark.MakeInt(0), nil
	}
	return nil, Fail("AttributeError", "'%s' object has no attribute '%s'", th.typeName(v), n)
}

// builtinMethod gives a method of a built-in type, nil where there is none.
func (th *Thread) builtinMethod(v Value, n string) Value {
	base := native(v)
	kind := th.typeName(base)
	if kind == "long" {
		kind = "int"
	}
	if m, ok := th.py.methods[kind][n]; ok {
		return &Builtin{name: n, self: v, fn: func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			if kind == "str" {
				args = plainTexts(args)
			}
			return m(th, base, args, kw)
		}}
	}
	return nil
}

// plainTexts replaces what stands for texts by the texts.
func plainTexts(args starlark.Tuple) starlark.Tuple {
	out := make(starlark.Tuple, len(args))
	for i, a := range args {
		out[i] = a
		if s, ok := native(a).(starlark.String); ok {
			out[i] = s
		}
	}
	return out
}

func (th *Thread) instanceAttr(o *Instance, n string) (Value, error) {
	found := o.Class.find(n)
	if p, ok := found.(*property); ok {
		return th.Call(p.get, starlark.Tuple{o}, nil)
	}
	if x, ok := o.attrs[n]; ok {
		return x, nil
	}
	switch {
	case found != nil:
		return bound(found, o, o.Class), nil
	case n == "__class__":
		return o.Class, nil
	case n == "__dict__":
		d := new(starlark.Dict)
		for k, x := range o.attrs {
			if err := d.SetKey(starlark.String(k), x); err != nil {
				return nil, err
			}
		}
		return sortedDict(d), nil
	}
	if o.base != nil {
		if m := th.builtinMethod(o, n); m != nil {
			return m, nil
		}
	}
	if m := o.Class.find("__getattr__"); m != nil {
		return th.Call(m, starlark.Tuple{o, starlark.String(n)}, nil)
	}
	return nil, nil
}

// bound makes a method of a function that a class holds.
func bound(found Value, self Value, c *Class) Value {
	switch m := found.(type) {
	case *Closure, *Builtin:
		return &Bound{fn: m, self: self}
	case *classMethod:
		return &Bound{fn: m.fn, self: c}
	case *staticMethod:
		return m.fn
	}
	return found
}

func (th *Thread) classAttr(c *Class, n string) (Value, error) {
	switch n {
	case "__name__":
		return starlark.String(c.Name), nil
	case "__bases__":
		return classTuple(c.bases), nil
	case "__mro__":
		return classTuple(c.order), nil
	case "mro":
		return Func(n, func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) {
			return starlark.NewList(classTuple(c.order)), nil
		}), nil
	case "__new__":
		if own, ok := c.find(n).(*Closure); ok {
			return own, nil
		}
		return Func(n, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) { return th.bare(args, kw) }), nil
	case "__dict__":
		d := new(starlark.Dict)
		for k, x := range c.attrs {
			if err := d.SetKey(starlark.String(k), x); err != nil {
				return nil, err
			}
		}
		return sortedDict(d), nil
	}
	switch m := c.find(n).(type) {
	case nil:
	case *classMethod:
		return &Bound{fn: m.fn, self: c}, nil
	case *staticMethod:
		return m.fn, nil
	default:
		return m, nil
	}
	kind := c.builtin()
	if kind == nil {
		return th.py.inherited[n], nil
	}
	m, ok := th.py.methods[strings.Replace(kind.Name, "unicode", "str", 1)][n]
	if !ok {
		return th.py.inherited[n], nil
	}
	return Func(n, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		if len(args) == 0 {
			return nil, Fail("TypeError", "descriptor '%s' needs an argument", n)
		}
		return m(th, native(args[0]), args[1:], kw)
	}), nil
}

func classTuple(list []*Class) starlark.Tuple {
	out := make(starlark.Tuple, len(list))
	for i, c := range list {
		out[i] = c
	}
	return out
}

func (th *Thread) superAttr(s *superOf, n string) (Value, error) {
	self, isClass := s.self.(*Class)
	if !isClass {
		self = th.classOf(s.self)
	}
	for _, b := range self.order[slices.Index(self.order, s.class)+1:] {
		v, ok := b.attrs[n]
		switch {
		case !ok:
		case isClass && n != "__new__":
			if m, ok := v.(*classMethod); ok {
				return &Bound{fn: m.fn, self: self}, nil
			}
			return v, nil
		default:
			return bound(v, s.self, self), nil
		}
	}
	if n == "__new__" {
		return Func(n, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) { return th.bare(args, kw) }), nil
	}
	if m := th.builtinMethod(native(s.self), n); m != nil {
		return m, nil
	}
	if n == "__init__" {
		return Func(n, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			return starlark.None, th.initBase(s.self, args, kw)
		}), nil
	}
	if v, ok := th.py.inherited[n]; ok && n != "__init__" {
		return bound(v, s.self, self), nil
	}
	return nil, Fail("AttributeError", "'super' object has no attribute '%s'", n)
}

// initBase is __init__ of a built-in type.
func (th *Thread) initBase(self Value, args starlark.Tuple, kw []starlark.Tuple) error {
	o, ok := self.(*Instance)
	if !ok {
		return nil
	}
	if o.Class.is(th.py.classes["BaseException"]) {
		o.attrs["args"] = args
		return nil
	}
	if k := o.Class.builtin(); k != nil && len(args)+len(kw) > 0 {
		base, err := k.make(th, args, kw)
		o.base = base
		return err
	}
	return nil
}

// setAttr gives an attribute a value.
func (th *Thread) setAttr(v Value, n string, x Value) error {
	switch v := v.(type) {
	case *Instance:
		if p, ok := v.Class.find(n).(*property); ok {
			if p.set == nil {
				return Fail("AttributeError", "can't set attribute")
			}
			_, err := th.Call(p.set, starlark.Tuple{v, x}, nil)
			return err
		}
		if m := v.Class.find("__setattr__"); m != nil {
			_, err := th.Call(m, starlark.Tuple{v, starlark.String(n), x}, nil)
			return err
		}
		v.attrs[n] = x
		return nil
	case *Class:
		if !v.fixed {
			if s, ok := x.(starlark.String); ok && n == "__name__" {
				v.Name = string(s)
			}
			v.attrs[n] = x
			return nil
		}
	case *Closure:
		v.attrs[n] = x
		return nil
	}
	return Fail("AttributeError", "'%s' object has no attribute '%s' that could be set", th.typeName(v), n)
}
