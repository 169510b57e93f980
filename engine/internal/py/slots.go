// SPDX-License-Identifier: Apache-2.0

package py

import "go.starlark.net/starlark"

// slotsOf are the special methods of the built-in types, by the operators that
// they stand for: classes that extend a type call them.
var slotsOf = map[string][]string{
	"str":   {"add", "mul", "rmul", "mod"},
	"list":  {"add", "mul", "rmul", "iadd"},
	"tuple": {"add", "mul", "rmul"},
	"dict":  {"or"},
	"set":   {"and", "or", "sub", "xor"},
	"int":   {"add", "sub", "mul", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift", "radd", "rsub", "rmul"},
	"float": {"add", "sub", "mul", "floordiv", "mod", "pow", "radd", "rsub", "rmul"},
	"bool":  {"and", "or", "xor"},
}

// withSlots adds the special methods to those of a type.
func withSlots(kind string, m map[string]method) map[string]method {
	for _, n := range slotsOf[kind] {
		m["__"+n+"__"] = operatorSlot(n)
	}
	for n, o := range map[string]string{"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="} {
		m["__"+n+"__"] = binarySlot(n, func(th *Thread, a, b Value) (Value, error) {
			ok, err := th.compare(o, a, b)
			return starlark.Bool(ok), err
		})
	}
	m["__str__"], m["__repr__"] = textSlot((*Thread).Str), textSlot((*Thread).Repr)
	m["__format__"] = binarySlot("format", func(th *Thread, a, b Value) (Value, error) {
		s, err := th.formatted(a, 0, string(b.(starlark.String)))
		return starlark.String(s), err
	})
	if kind == "int" || kind == "float" || kind == "bool" {
		m["__neg__"], m["__abs__"] = unarySlot("-"), func(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			return biAbs(th, starlark.Tuple{self}, nil)
		}
		return m
	}
	m["__len__"] = func(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		n, err := th.length(self)
		return starlark.MakeInt(n), err
	}
	m["__iter__"] = func(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		return th.iter(self)
	}
	m["__contains__"] = binarySlot("contains", func(th *Thread, a, b Value) (Value, error) {
		ok, err := th.contains(a, b)
		return starlark.Bool(ok), err
	})
	if kind != "set" {
		m["__getitem__"] = binarySlot("getitem", (*Thread).Item)
	}
	if kind == "list" || kind == "dict" {
		m["__delitem__"] = binarySlot("delitem", func(th *Thread, a, b Value) (Value, error) { return starlark.None, th.delItem(a, b) })
		m["__setitem__"] = func(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			if len(args) != 2 {
				return nil, Fail("TypeError", "expected 2 arguments, got %d", len(args))
			}
			return starlark.None, th.setItem(self, args[0], args[1])
		}
	}
	return m
}

func binarySlot(n string, do func(th *Thread, a, b Value) (Value, error)) method {
	return func(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		other, err := one("__"+n+"__", args)
		if err != nil {
			return nil, err
		}
		if _, ok := other.(starlark.String); n == "format" && !ok {
			return nil, Fail("TypeError", "__format__() argument must be a text")
		}
		return do(th, self, other)
	}
}

// operatorSlot is __add__ and the like.
func operatorSlot(n string) method {
	for o, special := range dunder {
		switch {
		case n == special:
			return binarySlot(n, func(th *Thread, a, b Value) (Value, error) { return th.binary(o, a, b) })
		case n == "r"+special:
			return binarySlot(n, func(th *Thread, a, b Value) (Value, error) { return th.binary(o, b, a) })
		case n == "i"+special:
			return binarySlot(n, func(th *Thread, a, b Value) (Value, error) { return th.augmented(o, a, b) })
		}
	}
	return nil
}

func textSlot(write func(*Thread, Value) (string, error)) method {
	return func(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		s, err := write(th, self)
		return starlark.String(s), err
	}
}

func unarySlot(o string) method {
	return func(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		return th.unary(o, self)
	}
}

// objectMembers are the methods that every class inherits.
func objectMembers() map[string]Value {
	return funcs(map[string]maker{
		"__init__": biNothing,
		"__setattr__": func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			var o *Instance
			var n starlark.String
			ok := len(args) == 3
			if ok {
				o, ok = args[0].(*Instance)
			}
			if ok {
				n, ok = args[1].(starlark.String)
			}
			if !ok {
				return nil, Fail("TypeError", "__setattr__() takes an object, a name and a value")
			}
			o.attrs[string(n)] = args[2]
			return starlark.None, nil
		},
		"__getattribute__": biGetattr,
	})
}
