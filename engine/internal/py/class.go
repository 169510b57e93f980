// SPDX-License-Identifier: Apache-2.0

package py

import (
	"maps"
	"slices"

	"go.starlark.net/starlark"
)

// maxBases bounds what a class extends.
const maxBases = 50

// is tells whether c is other, or extends it.
func (c *Class) is(other *Class) bool {
	if c == other {
		return true
	}
	return slices.ContainsFunc(c.bases, func(b *Class) bool { return b.is(other) })
}

// find looks an attribute up in the class and what it extends; nil for none.
func (c *Class) find(n string) Value {
	for _, b := range c.order {
		if v, ok := b.attrs[n]; ok {
			return v
		}
	}
	return nil
}

// linear finds the order of look-ups of a class: what it extends in the order of
// writing, nothing before what extends it. False where there is no such order.
func (c *Class) linear() bool {
	var lists [][]*Class
	for _, b := range c.bases {
		lists = append(lists, slices.Clone(b.order))
	}
	lists = append(lists, slices.Clone(c.bases))
	c.order = []*Class{c}
	for {
		lists = slices.DeleteFunc(lists, func(l []*Class) bool { return len(l) == 0 })
		if len(lists) == 0 {
			return true
		}
		i := slices.IndexFunc(lists, func(l []*Class) bool {
			return !slices.ContainsFunc(lists, func(o []*Class) bool { return slices.Contains(o[1:], l[0]) })
		})
		if i < 0 {
			return false
		}
		next := lists[i][0]
		c.order = append(c.order, next)
		for j, l := range lists {
			if l[0] == next {
				lists[j] = l[1:]
			}
		}
	}
}

// builtin is the type with a constructor that the class extends; nil for none.
func (c *Class) builtin() *Class {
	if c.make != nil {
		return c
	}
	for _, b := range c.bases {
		if k := b.builtin(); k != nil {
			return k
		}
	}
	return nil
}

func (s *classStmt) exec(f *frame) (signal, error) {
	c := &Class{Name: s.name, attrs: map[string]Value{"__name__": starlark.String(s.name), "__doc__": starlark.None}}
	for _, b := range s.bases {
		v, err := f.evaluate(b)
		if err != nil {
			return proceed, err
		}
		base, ok := v.(*Class)
		if !ok {
			return proceed, Fail("TypeError", "a class cannot extend %s", f.th.describe(v))
		}
		c.bases = append(c.bases, base)
	}
	if len(c.bases) == 0 {
		c.bases = []*Class{f.th.py.classes["object"]}
	}
	if len(c.bases) > maxBases || !c.linear() {
		return proceed, Fail("TypeError", "no order of look-ups fits the bases of class %s", s.name)
	}
	inner := &frame{th: f.th, vars: map[string]Value{}, outer: f, scope: f.scope, class: c}
	if _, err := inner.run(s.body); err != nil {
		return proceed, err
	}
	maps.Copy(c.attrs, inner.vars)
	v, err := f.decorate(c, s.decorators)
	if err != nil {
		return proceed, err
	}
	f.set(s.name, v)
	return proceed, nil
}

// construct makes an object of a class.
func (th *Thread) construct(c *Class, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	if c.make != nil {
		return c.make(th, args, kw)
	}
	m, ok := c.find("__new__").(*Closure)
	if !ok {
		return th.instance(c, args, kw)
	}
	v, err := th.Call(m, append(starlark.Tuple{c}, args...), kw)
	if o, ok := v.(*Instance); err == nil && ok && o.Class.is(c) {
		if init := o.Class.find("__init__"); init != nil {
			_, err = th.Call(init, append(starlark.Tuple{o}, args...), kw)
		}
	}
	return v, err
}

// bare makes an object without calling __init__: __new__ of object and of what
// the class extends.
func (th *Thread) bare(args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return nil, Fail("TypeError", "__new__() takes a class")
	}
	c, ok := args[0].(*Class)
	if !ok {
		return nil, Fail("TypeError", "__new__() takes a class, not %s", th.describe(args[0]))
	}
	o := &Instance{Class: c, attrs: map[string]Value{}}
	if c.is(th.py.classes["BaseException"]) {
		o.attrs["args"] = args[1:]
	} else if k := c.builtin(); k != nil {
		base, err := k.make(th, args[1:], kw)
		if c.make != nil || err != nil {
			return base, err
		}
		o.base = base
	}
	return o, nil
}

// instance makes an object of a class that has no __new__.
func (th *Thread) instance(c *Class, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	o := &Instance{Class: c, attrs: map[string]Value{}}
	init := c.find("__init__")
	if c.is(th.py.classes["BaseException"]) {
		o.attrs["args"] = args
		if len(args) > 0 {
			o.attrs["message"] = args[0]
		}
		if len(args) > 1 && c.is(th.py.classes["EnvironmentError"]) {
			o.attrs["errno"], o.attrs["strerror"] = args[0], args[1]
		}
	} else if k := c.builtin(); k != nil {
		own := args
		if init != nil && k.Name != "str" && k.Name != "int" && k.Name != "float" && k.Name != "tuple" {
			own = nil
		}
		// What stands for __new__ in the modules that are written in Python.
		if m, ok := c.find("__new_base__").(*classMethod); ok {
			base, err := th.Call(m.fn, append(starlark.Tuple{c}, args...), kw)
			o.base = base
			return o, err
		}
		base, err := k.make(th, own, nil)
		if err != nil {
			return nil, err
		}
		o.base = base
	}
	if init == nil {
		if len(args)+len(kw) > 0 && o.base == nil && o.attrs["args"] == nil {
			return nil, Fail("TypeError", "object() takes no parameters")
		}
		return o, nil
	}
	_, err := th.Call(init, append(starlark.Tuple{o}, args...), kw)
	return o, err
}

// native is the value that methods of built-in types work on.
func native(v Value) Value {
	switch o := v.(type) {
	case *Instance:
		if o.base != nil {
			return o.base
		}
	case Standin:
		return o.Plain()
	}
	return v
}

// Plain is the value that methods of built-in types see in an object.
func Plain(v Value) Value { return native(v) }

// own looks a special method of an object's class up; nil for none.
func own(v Value, n string) Value {
	if o, ok := v.(*Instance); ok {
		return o.Class.find(n)
	}
	return nil
}

// method calls a method by name.
func (th *Thread) method(v Value, n string, args ...Value) (Value, error) {
	m, err := th.Attr(v, n)
	if err != nil {
		return nil, err
	}
	return th.Call(m, args, nil)
}

// classOf gives the class of a value.
func (th *Thread) classOf(v Value) *Class {
	if o, ok := v.(*Instance); ok {
		return o.Class
	}
	if s, ok := v.(Standin); ok {
		return th.classOf(s.Plain())
	}
	if c := th.py.classes[th.typeName(v)]; c != nil {
		return c
	}
	return th.py.classes["object"]
}

// typeName is the name of a value's type in 2.7.
func (th *Thread) typeName(v Value) string {
	switch v := v.(type) {
	case Standin:
		return th.typeName(v.Plain())
	case starlark.String:
		return "str"
	case starlark.NoneType:
		return "NoneType"
	case starlark.Int:
		if _, ok := v.Int64(); !ok {
			return "long"
		}
		return "int"
	}
	return v.Type()
}

// describe names a value for a message.
func (th *Thread) describe(v Value) string {
	switch v := v.(type) {
	case *Instance:
		return "an object of class " + v.Class.Name
	case *Namespace:
		return "module " + v.Name
	case *Class:
		return "class " + v.Name
	case starlark.NoneType:
		return "None"
	}
	return "a value of type " + th.typeName(v)
}
