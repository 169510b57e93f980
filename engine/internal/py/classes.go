// SPDX-License-Identifier: Apache-2.0

package py

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

// maker makes a value of a built-in type.
type maker func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error)

// newClass makes a class that Go code provides.
func newClass(n string, make maker, bases ...*Class) *Class {
	c := &Class{Name: n, make: make, bases: bases, attrs: map[string]Value{}, fixed: true}
	c.linear()
	return c
}

func (p *Python) class(n string, make maker, bases ...*Class) *Class {
	c := newClass(n, make, bases...)
	p.classes[n] = c
	return c
}

func (p *Python) types() {
	object := p.class("object", nil)
	basestring := p.class("basestring", nil, object)
	str := p.class("str", makeStr, basestring)
	integer := p.class("int", makeInt, object)
	p.class("float", makeFloat, object)
	p.class("bool", makeBool, integer)
	p.class("list", makeList, object)
	p.class("tuple", makeTuple, object)
	p.class("dict", makeDict, object)
	p.class("set", makeSet, object)
	p.class("long", makeInt, integer)
	for _, n := range []string{"NoneType", "function", "builtin_function_or_method", "instancemethod", "module", "generator", "type", "slice"} {
		p.class(n, nil, object)
	}
	p.classes["type"].make = func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		if len(args) != 1 {
			return nil, Fail("TypeError", "type() takes one argument")
		}
		return th.classOf(args[0]), nil
	}
	p.descriptors(object)
	for _, n := range []string{
		"object", "basestring", "str", "int", "float", "bool", "list", "tuple", "dict", "set", "long", "type",
		"property", "staticmethod", "classmethod",
	} {
		p.builtins[n] = p.classes[n]
	}
	p.classes["file"] = fileClass(object)
	// Texts and bytes are one.
	p.builtins["unicode"], p.builtins["bytes"] = str, str
	p.builtins["frozenset"] = p.classes["set"]
	p.classes["dict"].attrs["fromkeys"] = &staticMethod{Func("fromkeys", fromKeys)}
	p.classes["str"].attrs["maketrans"] = &staticMethod{Func("maketrans", makeTrans)}
}

func fromKeys(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var keys Value
	var v Value = starlark.None
	if err := starlark.UnpackPositionalArgs("fromkeys", args, kw, 1, &keys, &v); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	d := new(starlark.Dict)
	return d, th.each(keys, func(k Value) (bool, error) { return true, th.setKey(d, k, v) })
}

// descriptors are the classes that decorate methods.
func (p *Python) descriptors(object *Class) {
	p.class("property", func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		out := &property{}
		if len(args) > 0 {
			out.get = args[0]
		}
		if len(args) > 1 && args[1] != starlark.None {
			out.set = args[1]
		}
		return out, nil
	}, object)
	wrap := func(n string, make func(Value) Value) {
		p.class(n, func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			v, err := one(n, args)
			if err != nil {
				return nil, err
			}
			return make(v), nil
		}, object)
	}
	wrap("staticmethod", func(v Value) Value { return &staticMethod{v} })
	wrap("classmethod", func(v Value) Value { return &classMethod{v} })
}

// tree of the exceptions: a class and what extends it.
var tree = map[string]string{
	"BaseException": "", "Exception": "BaseException", "SystemExit": "BaseException", "KeyboardInterrupt": "BaseException", "GeneratorExit": "BaseException",
	"StandardError": "Exception", "StopIteration": "Exception", "Warning": "Exception", "NotSupported": "BaseException",
	"ArithmeticError": "StandardError", "LookupError": "StandardError", "EnvironmentError": "StandardError", "ValueError": "StandardError",
	"TypeError": "StandardError", "NameError": "StandardError", "AttributeError": "StandardError", "ImportError": "StandardError",
	"AssertionError": "StandardError", "RuntimeError": "StandardError", "SyntaxError": "StandardError", "EOFError": "StandardError",
	"MemoryError": "StandardError", "SystemError": "StandardError", "ReferenceError": "StandardError", "BufferError": "StandardError",
	"ZeroDivisionError": "ArithmeticError", "OverflowError": "ArithmeticError", "FloatingPointError": "ArithmeticError",
	"KeyError": "LookupError", "IndexError": "LookupError", "UnboundLocalError": "NameError", "UndefinedError": "NameError",
	"IOError": "EnvironmentError", "OSError": "EnvironmentError", "NotImplementedError": "RuntimeError", "RecursionError": "RuntimeError",
	"UnicodeError": "ValueError", "UnicodeDecodeError": "UnicodeError", "UnicodeEncodeError": "UnicodeError", "IndentationError": "SyntaxError",
	"ModuleNotFoundError": "ImportError", "DeprecationWarning": "Warning", "UserWarning": "Warning",
	// Of regular expressions.
	"error": "ValueError",
}

func (p *Python) exceptions() {
	var make func(n string) *Class
	make = func(n string) *Class {
		if c := p.classes[n]; c != nil {
			return c
		}
		base := p.classes["object"]
		if tree[n] != "" {
			base = make(tree[n])
		}
		c := p.class(n, nil, base)
		if n != "UndefinedError" && n != "NotSupported" && n != "error" {
			p.builtins[n] = c
		}
		return c
	}
	for n := range tree {
		make(n)
	}
	// Python 3 has one for all of these.
	p.builtins["FileNotFoundError"], p.builtins["PermissionError"] = p.classes["IOError"], p.classes["IOError"]
	p.classes["IOError"].bases = []*Class{p.classes["OSError"]}
	p.classes["IOError"].linear()
}

func makeStr(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return starlark.String(""), nil
	}
	s, err := th.Str(args[0])
	return starlark.String(s), err
}

func makeBool(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return starlark.False, nil
	}
	ok, err := th.Truth(args[0])
	return starlark.Bool(ok), err
}

func makeInt(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v Value = starlark.MakeInt(0)
	base := -1
	if err := starlark.UnpackArgs("int", args, kw, "x?", &v, "base?", &base); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	if m := own(v, "__int__"); m != nil {
		return th.Call(m, starlark.Tuple{v}, nil)
	}
	switch x := numeric(v).(type) {
	case starlark.Int:
		return x, nil
	case starlark.Float:
		if math.IsNaN(float64(x)) {
			return nil, Fail("ValueError", "cannot convert float NaN to integer")
		}
		if math.IsInf(float64(x), 0) {
			return nil, Fail("OverflowError", "cannot convert float infinity to integer")
		}
		return starlark.NumberToInt(starlark.Float(math.Trunc(float64(x))))
	case starlark.String:
		return parseInt(string(x), base)
	}
	return nil, Fail("TypeError", "int() argument must be a string or a number, not '%s'", th.typeName(v))
}

func parseInt(text string, base int) (Value, error) {
	bad := func() (Value, error) {
		b := base
		if b < 0 {
			b = 10
		}
		return nil, Fail("ValueError", "invalid literal for int() with base %d: %s", b, quote(text))
	}
	s := strings.ToLower(strings.TrimSpace(text))
	if len(s) > maxDigits {
		return bad()
	}
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = strings.TrimPrefix(s[:1], "+"), s[1:]
	}
	if base < 0 {
		base = 10
	}
	for b, prefix := range map[int]string{16: "0x", 8: "0o", 2: "0b"} {
		if (base == b || base == 0) && strings.HasPrefix(s, prefix) {
			s, base = s[2:], b
			break
		}
	}
	if base == 0 {
		if base = 10; len(s) > 1 && s[0] == '0' {
			base = 8
		}
	}
	if s == "" || s[0] == '-' || s[0] == '+' || strings.Contains(s, "_") || base < 2 || base > 36 {
		return bad()
	}
	n, ok := new(big.Int).SetString(sign+s, base)
	if !ok {
		return bad()
	}
	return starlark.MakeBigInt(n), nil
}

func makeFloat(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return starlark.Float(0), nil
	}
	v := args[0]
	if m := own(v, "__float__"); m != nil {
		return th.Call(m, starlark.Tuple{v}, nil)
	}
	switch x := numeric(v).(type) {
	case starlark.Int, starlark.Float:
		f, ok := starlark.AsFloat(x)
		if !ok {
			return nil, Fail("OverflowError", "int too large to convert to float")
		}
		return starlark.Float(f), nil
	case starlark.String:
		s := strings.ToLower(strings.TrimSpace(string(x)))
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(s, "_xp") {
			return nil, Fail("ValueError", "could not convert string to float: %s", string(x))
		}
		return starlark.Float(f), nil
	}
	return nil, Fail("TypeError", "float() argument must be a string or a number")
}

func makeList(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return starlark.NewList(nil), nil
	}
	items, err := th.list(args[0])
	return starlark.NewList(items), err
}

func makeTuple(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return starlark.Tuple{}, nil
	}
	items, err := th.list(args[0])
	return starlark.Tuple(items), err
}

func makeSet(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return starlark.NewSet(0), nil
	}
	items, err := th.list(args[0])
	if err != nil {
		return nil, err
	}
	return th.set(items)
}

func makeDict(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	d := new(starlark.Dict)
	_, err := dictUpdate(th, d, args, kw)
	return d, err
}

func makeTrans(_ *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var from, to, drop string
	if err := starlark.UnpackPositionalArgs("maketrans", args, kw, 2, &from, &to, &drop); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	a, b := []rune(from), []rune(to)
	if len(a) != len(b) {
		return nil, Fail("ValueError", "maketrans arguments must have same length")
	}
	d := new(starlark.Dict)
	for i := range a {
		if err := d.SetKey(starlark.MakeInt(int(a[i])), starlark.MakeInt(int(b[i]))); err != nil {
			return nil, err
		}
	}
	for _, r := range drop {
		if err := d.SetKey(starlark.MakeInt(int(r)), starlark.None); err != nil {
			return nil, err
		}
	}
	return d, nil
}
