// SPDX-License-Identifier: Apache-2.0

package py

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

func biIsinstance(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v, of Value
	if err := starlark.UnpackPositionalArgs("isinstance", args, kw, 2, &v, &of); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	c := th.classOf(v)
	ok, err := within(c, of)
	return starlark.Bool(ok), err
}

// within tells whether a class is one of those, or extends it.
func within(c *Class, of Value) (bool, error) {
	switch k := of.(type) {
	case *Class:
		return c.is(k), nil
	case starlark.Tuple:
		for _, item := range k {
			if ok, err := within(c, item); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	return false, Fail("TypeError", "isinstance() arg 2 must be a class, type, or tuple of classes and types")
}

func biIssubclass(_ *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v, of Value
	if err := starlark.UnpackPositionalArgs("issubclass", args, kw, 2, &v, &of); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	c, ok := v.(*Class)
	if !ok {
		return nil, Fail("TypeError", "issubclass() arg 1 must be a class")
	}
	ok, err := within(c, of)
	return starlark.Bool(ok), err
}

func biHasattr(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v Value
	var n string
	if err := starlark.UnpackPositionalArgs("hasattr", args, kw, 2, &v, &n); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	_, err := th.Attr(v, n)
	if _, raised := err.(*Raised); raised {
		return starlark.False, nil
	}
	return starlark.True, err
}

func biGetattr(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v, deflt Value
	var n string
	if err := starlark.UnpackPositionalArgs("getattr", args, kw, 2, &v, &n, &deflt); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	out, err := th.Attr(v, n)
	if err != nil && deflt != nil && isMissing(err) {
		return deflt, nil
	}
	return out, err
}

func biSetattr(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v, x Value
	var n string
	if err := starlark.UnpackPositionalArgs("setattr", args, kw, 3, &v, &n, &x); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	return starlark.None, th.setAttr(v, n, x)
}

func biCallable(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("callable", args)
	return starlark.Bool(err == nil && th.callable(v)), err
}

func biSuper(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) != 2 {
		return nil, Fail("TypeError", "super() outside a method")
	}
	c, ok := args[0].(*Class)
	if !ok {
		return nil, Fail("TypeError", "super() argument 1 must be type")
	}
	return &superOf{c, args[1]}, nil
}

func biDir(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	names := map[string]bool{}
	if len(args) == 1 {
		switch v := args[0].(type) {
		case *Namespace:
			for n := range v.attrs {
				names[n] = true
			}
		case *Instance:
			for n := range v.attrs {
				names[n] = true
			}
			for n := range v.Class.attrs {
				names[n] = true
			}
		case *Class:
			for n := range v.attrs {
				names[n] = true
			}
		}
	}
	return texts(slices.Sorted(maps.Keys(names))), nil
}

func biOpen(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var path, mode string
	var buffering, encoding, errors Value
	if err := starlark.UnpackArgs("open", args, kw, "name", &path, "mode?", &mode, "buffering?", &buffering, "encoding?", &encoding, "errors?", &errors); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	if strings.ContainsAny(mode, "wax+") {
		return nil, refused("commit the file instead", "templates write no files: open(%s, %s)", quote(path), quote(mode))
	}
	s, err := th.readPath(path)
	if err != nil {
		return nil, err
	}
	return th.newFile(path, s), nil
}

// newFile makes a file that is read.
func (th *Thread) newFile(path, s string) *Instance {
	f := &Instance{Class: th.py.classes["file"], attrs: map[string]Value{"name": starlark.String(path)}}
	rest := s
	line := func() string {
		i := strings.IndexByte(rest, '\n') + 1
		if i == 0 {
			i = len(rest)
		}
		out := rest[:i]
		rest = rest[i:]
		return out
	}
	lines := func() []Value {
		var out []Value
		for rest != "" {
			out = append(out, starlark.String(line()))
		}
		return out
	}
	add := func(n string, fn func() Value) {
		f.attrs[n] = Func(n, func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) { return fn(), nil })
	}
	add("read", func() Value { out := rest; rest = ""; return starlark.String(out) })
	add("readline", func() Value { return starlark.String(line()) })
	add("readlines", func() Value { return starlark.NewList(lines()) })
	add("close", func() Value { return starlark.None })
	f.base = &Iter{Next: func() (Value, bool, error) {
		if rest == "" {
			return nil, false, nil
		}
		return starlark.String(line()), true, nil
	}}
	return f
}

// fileClass is the class of files, with what makes them contexts.
func fileClass(object *Class) *Class {
	self := Func("__enter__", func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) { return args[0], nil })
	c := newClass("file", nil, object)
	c.attrs["__enter__"], c.attrs["__exit__"] = self, Func("__exit__", biNothing)
	return c
}

func biExec(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return nil, Fail("TypeError", "exec expected at least 1 argument")
	}
	if len(args) < 2 || args[1] == starlark.None {
		return nil, refused("give exec a dictionary, or call it where the names are wanted", "exec from here")
	}
	return starlark.None, th.inDict(args[1], func(scope Scope) error { return th.execute(args[0], scope) })
}

// inDict runs code with the names of a dictionary.
func (th *Thread) inDict(v Value, run func(Scope) error) error {
	d, ok := native(v).(*starlark.Dict)
	if !ok {
		return Fail("TypeError", "exec needs a dictionary, not %s", th.typeName(v))
	}
	return run(dictScope{d})
}

// dictScope is a dictionary as names.
type dictScope struct{ d *starlark.Dict }

func (s dictScope) Get(n string) (Value, bool) {
	v, ok, err := s.d.Get(starlark.String(n))
	return v, ok && err == nil
}

// Set cannot fail: names are texts, and the dictionary is not being iterated.
func (s dictScope) Set(n string, v Value) { _ = s.d.SetKey(starlark.String(n), v) }

func (s dictScope) Delete(n string) bool {
	_, ok, err := s.d.Delete(starlark.String(n))
	return ok && err == nil
}

func biExecfile(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var path string
	var names Value
	if err := starlark.UnpackPositionalArgs("execfile", args, kw, 2, &path, &names); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	s, err := th.readPath(path)
	if err != nil {
		return nil, err
	}
	return starlark.None, th.inDict(names, func(scope Scope) error { return th.execute(starlark.String(s), scope) })
}

func biEval(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return nil, Fail("TypeError", "eval expected at least 1 argument")
	}
	src, ok := native(args[0]).(starlark.String)
	if !ok {
		return nil, Fail("TypeError", "eval() arg 1 must be a string")
	}
	e, err := ParseExpression(strings.TrimSpace(string(src)), 1)
	if err != nil {
		return nil, Fail("SyntaxError", "%v", err)
	}
	var scope Scope = Names{}
	if len(args) > 1 {
		d, ok := native(args[1]).(*starlark.Dict)
		if !ok {
			return nil, Fail("TypeError", "globals must be a dictionary")
		}
		scope = dictScope{d}
	}
	if err := th.enter(); err != nil {
		return nil, err
	}
	defer func() { th.depth-- }()
	return e.Eval(th, scope, false)
}

func biImport(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return nil, Fail("TypeError", "__import__() takes at least 1 argument")
	}
	n, ok := native(args[0]).(starlark.String)
	if !ok {
		return nil, Fail("TypeError", "__import__() argument 1 must be a string")
	}
	outer, _, err := th.importModule(string(n))
	return outer, err
}
