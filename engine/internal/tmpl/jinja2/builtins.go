// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// text is str() of a value as Python 3 has it; where autoescape is on, escaped.
func (r *renderer) text(v py.Value) (string, error) {
	s, err := r.str(v)
	if _, safe := v.(*markup); safe || !r.escaping || err != nil {
		return s, err
	}
	return escape(s), nil
}

func (r *renderer) str(v py.Value) (string, error) {
	switch x := v.(type) {
	case starlark.Float:
		return r.th.Repr(x)
	case *markup:
		return x.s, nil
	case *starlark.Set:
		if x.Len() == 0 {
			return "set()", nil
		}
		s, err := r.th.Repr(starlark.NewList(py.SetItems(x)))
		if err != nil {
			return "", err
		}
		return "{" + s[1:len(s)-1] + "}", nil
	}
	if s, ok := py.Plain(v).(*starlark.Set); ok {
		return r.str(s)
	}
	return r.th.Str(v)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;")

func escape(s string) string { return escaper.Replace(s) }

// reference is self: the blocks of the template as functions.
func (r *renderer) reference(c *context) py.Value {
	return newObject("TemplateReference", func(n string) (py.Value, error) {
		if len(c.blocks[n]) == 0 {
			return nil, nil
		}
		return py.Func(n, func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			text, err := r.capture(func() error { return r.block(c, n, 0, c.root) })
			return r.value(text), err
		}), nil
	})
}

// builtins are the names that every template has.
func (r *renderer) builtins() map[string]py.Value {
	return map[string]py.Value{
		"range": r.th.Builtin("range"),
		"dict":  r.th.Builtin("dict"),
		"namespace": py.Func("namespace", func(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
			v, err := th.Call(th.Builtin("dict"), args, kw)
			if err != nil {
				return nil, err
			}
			vars := map[string]py.Value{}
			for _, item := range v.(*starlark.Dict).Items() {
				n, err := th.Str(item[0])
				if err != nil {
					return nil, err
				}
				vars[n] = item[1]
			}
			return newSpace(vars), nil
		}),
		"cycler": py.Func("cycler", cycler),
		"joiner": py.Func("joiner", func(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
			var sep py.Value = starlark.String(", ")
			if err := unpack("joiner", args, kw, "sep?", &sep); err != nil {
				return nil, err
			}
			used := false
			return newObject("Joiner", func(n string) (py.Value, error) {
				if n != "__call__" {
					return nil, nil
				}
				return py.Func(n, func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
					if !used {
						used = true
						return starlark.String(""), nil
					}
					return sep, nil
				}), nil
			}), nil
		}),
		"lipsum": py.Func("lipsum", func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			return nil, refused("lipsum()", "a configuration must not depend on chance")
		}),
	}
}

func refused(what, hint string) error {
	return &py.Raised{Class: "NotSupported", Msg: what + " is not available in templates", Hint: hint}
}

// cycler is an object that gives its values in turn.
func cycler(_ *py.Thread, items starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	if len(items) == 0 {
		return nil, py.Fail("RuntimeError", "at least one item has to be provided")
	}
	pos := 0
	return newObject("Cycler", func(n string) (py.Value, error) {
		switch n {
		case "current":
			return items[pos], nil
		case "next", "__next__":
			return py.Func(n, func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
				v := items[pos]
				pos = (pos + 1) % len(items)
				return v, nil
			}), nil
		case "reset":
			return py.Func(n, func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
				pos = 0
				return starlark.None, nil
			}), nil
		}
		return nil, nil
	}), nil
}

// unpack is the binding of arguments with an exception of Python.
func unpack(n string, args starlark.Tuple, kw []starlark.Tuple, pairs ...any) error {
	plain := make(starlark.Tuple, len(args))
	for i, a := range args {
		plain[i] = py.Plain(a)
	}
	named := make([]starlark.Tuple, len(kw))
	for i, k := range kw {
		named[i] = starlark.Tuple{k[0], py.Plain(k[1])}
	}
	if err := starlark.UnpackArgs(n, plain, named, pairs...); err != nil {
		return py.Fail("TypeError", "%s", strings.TrimPrefix(err.Error(), n+": "))
	}
	return nil
}

type testFunc = func(r *renderer, v py.Value, args called) (bool, error)

// testTable gives the tests by name.
func testTable() map[string]testFunc {
	is := func(holds func(v py.Value) bool) testFunc {
		return func(_ *renderer, v py.Value, args called) (bool, error) {
			if len(args.plain)+len(args.named) > 0 {
				return false, py.Fail("TypeError", "the test takes no argument")
			}
			return holds(v), nil
		}
	}
	compared := func(o string) testFunc {
		return func(r *renderer, v py.Value, args called) (bool, error) {
			if len(args.plain) != 1 {
				return false, py.Fail("TypeError", "the test takes one argument")
			}
			return r.compare(o, v, args.plain[0])
		}
	}
	cased := func(change func(string) string) testFunc {
		return func(r *renderer, v py.Value, _ called) (bool, error) {
			s, err := r.str(v)
			return change(s) == s && strings.ToLower(s) != strings.ToUpper(s), err
		}
	}
	out := map[string]testFunc{
		"defined": is(func(v py.Value) bool { return !isUndefined(v) }), "undefined": is(isUndefined),
		"none": is(func(v py.Value) bool { return v == starlark.None }),
		"true": is(func(v py.Value) bool { return v == starlark.True }), "false": is(func(v py.Value) bool { return v == starlark.False }),
		"boolean": is(func(v py.Value) bool { _, ok := v.(starlark.Bool); return ok }),
		"integer": is(func(v py.Value) bool { _, ok := v.(starlark.Int); return ok }),
		"float":   is(func(v py.Value) bool { _, ok := v.(starlark.Float); return ok }),
		"number":  is(isNumber), "string": is(isString), "mapping": is(isMapping), "sequence": isSequence, "iterable": isIterable,
		"escaped": is(func(v py.Value) bool { _, ok := v.(*markup); return ok }),
		"odd":     divides(2, 1), "even": divides(2, 0), "divisibleby": divides(0, 0),
		"lower": cased(strings.ToLower), "upper": cased(strings.ToUpper),
		"in": compared("in"), "sameas": compared("is"),
		"filter":   named(func(r *renderer, n string) bool { return r.filters[n] != nil }),
		"test":     named(func(r *renderer, n string) bool { return r.tests[n] != nil }),
		"callable": func(r *renderer, v py.Value, _ called) (bool, error) { return r.callable(v), nil },
	}
	for o, names := range map[string][]string{
		"==": {"==", "eq", "equalto"}, "!=": {"!=", "ne"}, "<": {"<", "lt", "lessthan"}, "<=": {"<=", "le"}, ">": {">", "gt", "greaterthan"}, ">=": {">=", "ge"},
	} {
		for _, n := range names {
			out[n] = compared(o)
		}
	}
	return out
}

// divides tests the rest of a division; by is 0 where it is an argument.
func divides(by int, rest int64) testFunc {
	return func(r *renderer, v py.Value, args called) (bool, error) {
		var n py.Value = starlark.MakeInt(by)
		if by == 0 {
			if len(args.plain) != 1 {
				return false, py.Fail("TypeError", "the test takes one argument")
			}
			n = args.plain[0]
		}
		left, err := r.arithmetic("%", v, n)
		if err != nil {
			return false, err
		}
		return r.th.Equal(left, starlark.MakeInt64(rest))
	}
}

func named(known func(r *renderer, n string) bool) testFunc {
	return func(r *renderer, v py.Value, _ called) (bool, error) {
		s, ok := py.Plain(v).(starlark.String)
		return ok && known(r, string(s)), nil
	}
}

func (r *renderer) callable(v py.Value) bool {
	if r.th.IsCallable(v) || isUndefined(v) {
		return true
	}
	o, ok := v.(py.Object)
	if !ok {
		return false
	}
	m, err := o.Member(r.th, "__call__")
	return err == nil && m != nil
}

func isNumber(v py.Value) bool {
	switch v.(type) {
	case starlark.Int, starlark.Float, starlark.Bool:
		return true
	}
	return false
}

func isString(v py.Value) bool { _, ok := py.Plain(v).(starlark.String); return ok }

func isMapping(v py.Value) bool { _, ok := py.Plain(v).(*starlark.Dict); return ok }

func isSequence(r *renderer, v py.Value, _ called) (bool, error) {
	switch py.Plain(v).(type) {
	case starlark.String, *starlark.List, starlark.Tuple, *starlark.Dict, *undefined:
		return true, nil
	}
	return has(r, v, "__len__") && has(r, v, "__getitem__"), nil
}

func isIterable(r *renderer, v py.Value, _ called) (bool, error) {
	switch py.Plain(v).(type) {
	case starlark.String, starlark.Iterable, *py.Iter, *undefined:
		return true, nil
	}
	return has(r, v, "__iter__"), nil
}

// has tells whether an object has a member.
func has(r *renderer, v py.Value, n string) bool {
	if o, ok := v.(*py.Instance); ok && n == "__iter__" {
		return r.th.Iterable(o)
	}
	o, ok := v.(py.Object)
	if !ok {
		return false
	}
	m, err := o.Member(r.th, n)
	return err == nil && m != nil
}

// whole reads a number.
func whole(n string, v py.Value) (int, error) {
	i, ok := py.Plain(v).(starlark.Int)
	if !ok {
		return 0, py.Fail("TypeError", "%s must be a whole number", n)
	}
	k, ok := i.Int64()
	if !ok || k > 1<<30 || k < -1<<30 {
		return 0, py.Fail("OverflowError", "%s", fmt.Sprintf("%s is too large", n))
	}
	return int(k), nil
}
