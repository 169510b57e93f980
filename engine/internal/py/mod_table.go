// SPDX-License-Identifier: Apache-2.0

package py

import (
	"go.starlark.net/starlark"
)

// moduleTable lists the modules, each made when it is imported.
func moduleTable() map[string]func(*Thread) map[string]Value {
	return map[string]func(*Thread) map[string]Value{
		"math": mathModule, "re": reModule, "json": jsonModule, "simplejson": jsonModule,
		"copy": copyModule, "sys": sysModule, "os": osModule, "posixpath": pathModule, "glob": globModule, "hashlib": hashlibModule, "md5": md5Module, "sha": shaModule, "hmac": hmacModule, "struct": structModule, "base64": base64Module, "binascii": binasciiModule, "zlib": zlibModule,
		"socket": socketModule, "types": typesModule, "logging": loggingModule, "__future__": futureModule,
		"__builtin__": builtinModule, "builtins": builtinModule, "genshi": genshiModule, "passlib": passlibModule, "pprint": pprintModule,
	}
}

// funcs makes functions of Go functions.
func funcs(m map[string]maker) map[string]Value {
	out := make(map[string]Value, len(m))
	for n, fn := range m {
		out[n] = Func(n, fn)
	}
	return out
}

func floatArg(n string, args starlark.Tuple, i int) (float64, error) {
	if i >= len(args) {
		return 0, Fail("TypeError", "%s() takes more arguments", n)
	}
	f, ok := starlark.AsFloat(numeric(args[i]))
	if !ok {
		return 0, Fail("TypeError", "a float is required")
	}
	return f, nil
}

func textArg(th *Thread, n string, args starlark.Tuple, i int) (string, error) {
	if i >= len(args) {
		return "", Fail("TypeError", "%s() takes more arguments", n)
	}
	s, ok := native(args[i]).(starlark.String)
	if !ok {
		return "", Fail("TypeError", "%s() argument must be a string, not %s", n, th.typeName(args[i]))
	}
	return string(s), nil
}

func copyModule(*Thread) map[string]Value {
	duplicate := func(deep bool) maker {
		return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			if len(args) == 0 {
				return nil, Fail("TypeError", "copy() takes one argument")
			}
			return th.duplicate(args[0], deep)
		}
	}
	return funcs(map[string]maker{"copy": duplicate(false), "deepcopy": duplicate(true)})
}

func (th *Thread) duplicate(v Value, deep bool) (Value, error) {
	if err := th.enter(); err != nil {
		return nil, err
	}
	defer func() { th.depth-- }()
	if err := th.Step(1); err != nil {
		return nil, err
	}
	inner := func(x Value) (Value, error) {
		if !deep {
			return x, nil
		}
		return th.duplicate(x, true)
	}
	all := func(items []Value) ([]Value, error) {
		out := make([]Value, len(items))
		for i := range items {
			var err error
			if out[i], err = inner(items[i]); err != nil {
				return nil, err
			}
		}
		return out, th.Grow(slot * len(items))
	}
	switch x := v.(type) {
	case *starlark.List:
		items, err := all(elements(x))
		return starlark.NewList(items), err
	case starlark.Tuple:
		items, err := all(x)
		return starlark.Tuple(items), err
	case *starlark.Set:
		return th.set(setItems(x))
	case *starlark.Dict:
		d := new(starlark.Dict)
		for _, item := range x.Items() {
			value, err := inner(item[1])
			if err != nil {
				return nil, err
			}
			if err := th.setKey(d, item[0], value); err != nil {
				return nil, err
			}
		}
		return d, nil
	case *Instance:
		return th.duplicateObject(x, deep, inner)
	}
	return v, nil
}

// duplicateObject makes an object like another, its attributes by inner.
func (th *Thread) duplicateObject(x *Instance, deep bool, inner func(Value) (Value, error)) (*Instance, error) {
	o := &Instance{Class: x.Class, attrs: map[string]Value{}, base: x.base}
	for n, a := range x.attrs {
		value, err := inner(a)
		if err != nil {
			return nil, err
		}
		o.attrs[n] = value
	}
	if x.base != nil {
		base, err := th.duplicate(x.base, deep)
		if err != nil {
			return nil, err
		}
		o.base = base
	}
	return o, nil
}

func typesModule(th *Thread) map[string]Value {
	out := map[string]Value{}
	for n, c := range map[string]string{
		"StringType": "str", "UnicodeType": "str", "IntType": "int", "LongType": "long", "FloatType": "float", "BooleanType": "bool",
		"ListType": "list", "TupleType": "tuple", "DictType": "dict", "NoneType": "NoneType", "FunctionType": "function", "ModuleType": "module",
		"LambdaType": "function", "GeneratorType": "generator", "BuiltinFunctionType": "builtin_function_or_method", "TypeType": "type", "ClassType": "type",
		"BuiltinMethodType": "builtin_function_or_method", "MethodType": "instancemethod", "ObjectType": "object", "MappingProxyType": "dict",
	} {
		out[n] = th.py.classes[c]
	}
	out["StringTypes"] = starlark.Tuple{th.py.classes["str"]}
	return out
}

// loggingModule takes messages and drops them: there is nobody to read them.
func loggingModule(th *Thread) map[string]Value {
	quiet := map[string]maker{}
	for _, n := range []string{"debug", "info", "warning", "warn", "error", "critical", "exception", "basicConfig", "setLevel", "addHandler"} {
		quiet[n] = biNothing
	}
	out := funcs(quiet)
	logger := NewModule("logger", funcs(quiet))
	out["getLogger"] = Func("getLogger", func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) { return logger, nil })
	for i, n := range []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"} {
		out[n] = starlark.MakeInt(10 * (i + 1))
	}
	return out
}

func futureModule(*Thread) map[string]Value {
	out := map[string]Value{}
	for _, n := range []string{"division", "print_function", "unicode_literals", "absolute_import", "with_statement", "generators", "annotations", "nested_scopes"} {
		out[n] = starlark.True
	}
	return out
}

func builtinModule(th *Thread) map[string]Value { return th.py.builtins }

// genshiModule has what templates catch and mark up with.
func genshiModule(th *Thread) map[string]Value {
	failure := newClass("TemplateError", nil, th.py.classes["Exception"])
	undefined := th.py.classes["UndefinedError"]
	members := map[string]Value{"TemplateError": failure, "UndefinedError": undefined}
	return map[string]Value{"template": NewModule("genshi.template", members)}
}

func pprintModule(*Thread) map[string]Value {
	return funcs(map[string]maker{"pformat": biRepr, "pprint": biNothing})
}
