// SPDX-License-Identifier: Apache-2.0

package py

import (
	"fmt"
	"hash/maphash"
	"iter"

	"go.starlark.net/starlark"
)

// Value is a value of Python.
type Value = starlark.Value

// Builtin is a function written in Go.
type Builtin struct {
	name string
	fn   func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error)
	// self is what a method is bound to.
	self Value
}

// Func makes a function of a Go function.
func Func(name string, fn func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error)) *Builtin {
	return &Builtin{name: name, fn: fn}
}

// Closure is a function of Python with what is around it.
type Closure struct {
	def      *function
	defaults []Value
	outer    *frame
	scope    Scope
	attrs    map[string]Value
	class    *Class // whose body defines it
}

// Bound is a method with its object.
type Bound struct {
	fn   Value
	self Value
}

// Class is a type of Python's, or one that Python code defines.
type Class struct {
	Name  string
	bases []*Class
	// order is the class and all that it extends, in the order of look-ups.
	order []*Class
	attrs map[string]Value
	make  func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) // of a built-in type
	fixed bool
}

// Instance is an object of a class.
type Instance struct {
	Class *Class
	attrs map[string]Value
	// base is the value within, of a class that extends a built-in one.
	base Value
}

// Object is an object that Go code provides. Attr gives nil for what it has not.
type Object interface {
	Value
	Member(th *Thread, name string) (Value, error)
}

// Standin is an Object in the place of a plain value, with members of its own.
type Standin interface {
	Object
	Plain() Value
}

// Namespace is a module, or anything with attributes and no more.
type Namespace struct {
	Name  string
	attrs map[string]Value
	// dir is the folder of a package of the specification.
	dir string
}

// Iter is an iterator: it gives values until ok is false.
type Iter struct {
	Next func() (v Value, ok bool, err error)
}

// property, staticMethod and classMethod are what decorators make of a function.
type property struct{ get, set Value }

type staticMethod struct{ fn Value }

type classMethod struct{ fn Value }

// named is a value that is nothing but its name.
type named string

const (
	notImplemented = named("NotImplemented")
	ellipsis       = named("Ellipsis")
)

// sliceValue is what is between the brackets of x[a:b:c].
type sliceValue struct{ lo, hi, step Value }

// superOf is super(): what the bases of a class have.
type superOf struct {
	class *Class
	self  Value
}

// pulled makes an iterator of a Go sequence that runs beside the evaluation.
func (th *Thread) pulled(seq iter.Seq2[Value, error]) *Iter {
	next, stop := iter.Pull2(seq)
	th.stops = append(th.stops, stop)
	running, file := true, th.file
	th.bytes += stack
	return &Iter{Next: func() (Value, bool, error) {
		if err := th.Grow(0); err != nil {
			return nil, false, err
		}
		// It runs in the file where it was made, whoever asks it.
		caller := th.file
		th.file = file
		v, err, ok := next()
		th.file = caller
		if !ok && running {
			running = false
			th.bytes -= stack
		}
		if err != nil {
			return nil, false, err
		}
		return v, ok, nil
	}}
}

// seed makes hashes of names differ from run to run, as dictionaries keep the
// order of insertion.
var seed = maphash.MakeSeed()

func hashName(s string) (uint32, error) { return uint32(maphash.String(seed, s)), nil }

// The methods below make the types values of starlark.

func (b *Builtin) String() string { return fmt.Sprintf("<built-in function %s>", b.name) }

// Type is the name of the type.
func (b *Builtin) Type() string { return "builtin_function_or_method" }

// Freeze does nothing.
func (b *Builtin) Freeze() {}

// Truth is always true.
func (b *Builtin) Truth() starlark.Bool { return true }

// Hash is by name.
func (b *Builtin) Hash() (uint32, error) { return hashName(b.name) }

func (c *Closure) String() string { return fmt.Sprintf("<function %s>", c.def.name) }

// Type is the name of the type.
func (c *Closure) Type() string { return "function" }

// Freeze does nothing.
func (c *Closure) Freeze() {}

// Truth is always true.
func (c *Closure) Truth() starlark.Bool { return true }

// Hash is by name.
func (c *Closure) Hash() (uint32, error) { return hashName(c.def.name) }

func (b *Bound) String() string { return "<bound method>" }

// Type is the name of the type.
func (b *Bound) Type() string { return "instancemethod" }

// Freeze does nothing.
func (b *Bound) Freeze() {}

// Truth is always true.
func (b *Bound) Truth() starlark.Bool { return true }

// Hash is that of the function.
func (b *Bound) Hash() (uint32, error) { return b.fn.Hash() }

func (c *Class) String() string {
	if c.fixed {
		return fmt.Sprintf("<type '%s'>", c.Name)
	}
	return fmt.Sprintf("<class '%s'>", c.Name)
}

// Type is the name of the type.
func (c *Class) Type() string { return "type" }

// Freeze does nothing.
func (c *Class) Freeze() {}

// Truth is always true.
func (c *Class) Truth() starlark.Bool { return true }

// Hash is by name.
func (c *Class) Hash() (uint32, error) { return hashName(c.Name) }

func (o *Instance) String() string { return fmt.Sprintf("<%s object>", o.Class.Name) }

// Type is the name of the class.
func (o *Instance) Type() string { return o.Class.Name }

// Freeze does nothing.
func (o *Instance) Freeze() {}

// Truth is that of the value within.
func (o *Instance) Truth() starlark.Bool { return o.base == nil || o.base.Truth() }

// Hash is that of a string, number or tuple within, else by class.
func (o *Instance) Hash() (uint32, error) {
	switch o.base.(type) {
	case starlark.String, starlark.Int, starlark.Float, starlark.Tuple:
		return o.base.Hash()
	}
	return hashName(o.Class.Name)
}

func (n *Namespace) String() string { return fmt.Sprintf("<module '%s'>", n.Name) }

// Type is the name of the type.
func (n *Namespace) Type() string { return "module" }

// Freeze does nothing.
func (n *Namespace) Freeze() {}

// Truth is always true.
func (n *Namespace) Truth() starlark.Bool { return true }

// Hash is by name.
func (n *Namespace) Hash() (uint32, error) { return hashName(n.Name) }

func (i *Iter) String() string { return "<generator object>" }

// Type is the name of the type.
func (i *Iter) Type() string { return "generator" }

// Freeze does nothing.
func (i *Iter) Freeze() {}

// Truth is always true.
func (i *Iter) Truth() starlark.Bool { return true }

// Hash fails: nobody keys by iterators.
func (i *Iter) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: 'generator'") }

func (n named) String() string        { return string(n) }
func (n named) Type() string          { return string(n) }
func (n named) Freeze()               {}
func (n named) Truth() starlark.Bool  { return true }
func (n named) Hash() (uint32, error) { return hashName(string(n)) }

func (p *property) String() string       { return "<property object>" }
func (p *property) Type() string         { return "property" }
func (p *property) Freeze()              {}
func (p *property) Truth() starlark.Bool { return true }
func (p *property) Hash() (uint32, error) {
	return hashName("property")
}

func (m *staticMethod) String() string        { return "<staticmethod object>" }
func (m *staticMethod) Type() string          { return "staticmethod" }
func (m *staticMethod) Freeze()               {}
func (m *staticMethod) Truth() starlark.Bool  { return true }
func (m *staticMethod) Hash() (uint32, error) { return hashName("staticmethod") }

func (m *classMethod) String() string        { return "<classmethod object>" }
func (m *classMethod) Type() string          { return "classmethod" }
func (m *classMethod) Freeze()               {}
func (m *classMethod) Truth() starlark.Bool  { return true }
func (m *classMethod) Hash() (uint32, error) { return hashName("classmethod") }

func (s *sliceValue) String() string        { return "slice" }
func (s *sliceValue) Type() string          { return "slice" }
func (s *sliceValue) Freeze()               {}
func (s *sliceValue) Truth() starlark.Bool  { return true }
func (s *sliceValue) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: 'slice'") }

func (s *superOf) String() string        { return "<super>" }
func (s *superOf) Type() string          { return "super" }
func (s *superOf) Freeze()               {}
func (s *superOf) Truth() starlark.Bool  { return true }
func (s *superOf) Hash() (uint32, error) { return hashName("super") }
