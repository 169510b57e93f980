// SPDX-License-Identifier: Apache-2.0

package py

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
)

// evaluate gives the value of an expression and counts the step.
func (f *frame) evaluate(x expr) (Value, error) {
	if err := f.th.Step(1); err != nil {
		return nil, err
	}
	v, err := x.eval(f)
	if err != nil {
		return nil, f.th.located(err, x.at())
	}
	return v, nil
}

func (f *frame) all(list []expr) ([]Value, error) {
	out := make([]Value, 0, len(list))
	for _, x := range list {
		if s, ok := x.(*starred); ok {
			v, err := f.evaluate(s.x)
			if err != nil {
				return nil, err
			}
			items, err := f.th.list(v)
			if err != nil {
				return nil, err
			}
			out = append(out, items...)
			continue
		}
		v, err := f.evaluate(x)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, f.th.Grow(slot * len(out))
}

func (x *constant) eval(*frame) (Value, error)  { return x.value, nil }
func (x *nameRef) eval(f *frame) (Value, error) { return f.lookup(x.name) }

func (x *attrRef) eval(f *frame) (Value, error) {
	v, err := f.evaluate(x.x)
	if err != nil {
		return nil, err
	}
	out, err := f.th.Attr(v, x.name)
	if err == nil || !f.lenient || !isMissing(err) {
		return out, err
	}
	item, itemErr := f.th.Item(v, starlark.String(x.name))
	if itemErr == nil || !isAbsent(itemErr) {
		return item, itemErr
	}
	return nil, f.undefined(v, x.name, itemErr)
}

// undefined is the error of a member that neither an attribute nor an item is.
func (f *frame) undefined(v Value, n string, cause error) error {
	out := &Raised{Class: "UndefinedError", Msg: fmt.Sprintf("%s has no member named \"%s\"", f.th.describe(v), n)}
	if r, ok := cause.(*Raised); ok {
		out.Hint = r.Hint
	}
	return out
}

// isAbsent tells whether an error says that something is not there, rather than
// that it cannot be had.
func isAbsent(err error) bool {
	r, ok := err.(*Raised)
	return ok && (r.Class == "KeyError" || r.Class == "IndexError" || r.Class == "TypeError" || r.Class == "AttributeError")
}

func isMissing(err error) bool {
	r, ok := err.(*Raised)
	return ok && r.Class == "AttributeError"
}

func (x *itemRef) eval(f *frame) (Value, error) {
	v, err := f.evaluate(x.x)
	if err != nil {
		return nil, err
	}
	index, err := f.evaluate(x.index)
	if err != nil {
		return nil, err
	}
	out, err := f.th.Item(v, index)
	if err == nil || !f.lenient || !isAbsent(err) {
		return out, err
	}
	s, ok := index.(starlark.String)
	if !ok {
		return nil, err
	}
	member, memberErr := f.th.Attr(v, string(s))
	if memberErr == nil || !isAbsent(memberErr) {
		return member, memberErr
	}
	return nil, f.undefined(v, string(s), err)
}

func (x *sliceRef) eval(f *frame) (Value, error) {
	var parts [3]Value
	for i, e := range []expr{x.lo, x.hi, x.step} {
		parts[i] = starlark.None
		if e != nil {
			v, err := f.evaluate(e)
			if err != nil {
				return nil, err
			}
			parts[i] = v
		}
	}
	return &sliceValue{parts[0], parts[1], parts[2]}, nil
}

func (x *call) eval(f *frame) (Value, error) {
	fn, err := f.evaluate(x.fn)
	if err != nil {
		return nil, err
	}
	if n, ok := x.fn.(*nameRef); ok && len(x.args) == 0 {
		if v := f.special(n.name); v != nil {
			return v, nil
		}
	}
	args := make(starlark.Tuple, 0, len(x.args))
	var kw []starlark.Tuple
	for _, a := range x.args {
		v, err := f.evaluate(a.x)
		if err != nil {
			return nil, err
		}
		switch {
		case a.name != "":
			kw = append(kw, starlark.Tuple{starlark.String(a.name), v})
		case a.spread == 1:
			items, err := f.th.list(v)
			if err != nil {
				return nil, err
			}
			args = append(args, items...)
		case a.spread == 2:
			d, ok := native(v).(*starlark.Dict)
			if !ok {
				return nil, Fail("TypeError", "argument after ** must be a mapping")
			}
			kw = append(kw, d.Items()...)
		default:
			args = append(args, v)
		}
	}
	f.mark(x.at())
	if v, ok, err := f.dynamic(fn, args); ok {
		return v, err
	}
	return f.th.Call(fn, args, kw)
}

// special are the functions that look at where they are called.
func (f *frame) special(n string) Value {
	switch n {
	case "super":
		for fr := f; fr != nil; fr = fr.outer {
			if fr.class != nil && fr.fn != nil && len(fr.fn.params) > 0 {
				return &superOf{fr.class, fr.vars[fr.fn.params[0].name]}
			}
		}
	case "locals", "globals", "vars":
		d := new(starlark.Dict)
		for n, v := range f.vars {
			_ = d.SetKey(starlark.String(n), v)
		}
		if names, ok := f.scope.(Names); ok && (f.vars == nil || n == "globals") {
			for n, v := range names {
				_ = d.SetKey(starlark.String(n), v)
			}
		}
		return sortedDict(d)
	}
	return nil
}

func (x *unary) eval(f *frame) (Value, error) {
	v, err := f.evaluate(x.x)
	if err != nil {
		return nil, err
	}
	if x.op == "not" {
		ok, err := f.th.Truth(v)
		return starlark.Bool(!ok), err
	}
	return f.th.unary(x.op, v)
}

func (x *binary) eval(f *frame) (Value, error) {
	a, err := f.evaluate(x.x)
	if err != nil {
		return nil, err
	}
	b, err := f.evaluate(x.y)
	if err != nil {
		return nil, err
	}
	f.mark(x.at())
	return f.th.binary(x.op, a, b)
}

func (x *logic) eval(f *frame) (Value, error) {
	v, err := f.evaluate(x.x)
	if err != nil {
		return nil, err
	}
	ok, err := f.th.Truth(v)
	if err != nil || ok != x.and {
		return v, err
	}
	return f.evaluate(x.y)
}

func (x *comparison) eval(f *frame) (Value, error) {
	a, err := f.evaluate(x.first)
	if err != nil {
		return nil, err
	}
	var out Value = starlark.True
	for i, o := range x.ops {
		b, err := f.evaluate(x.rest[i])
		if err != nil {
			return nil, err
		}
		ok, err := f.th.compare(o, a, b)
		if err != nil {
			return nil, err
		}
		if out = starlark.Bool(ok); !ok {
			break
		}
		a = b
	}
	return out, nil
}

func (x *ternary) eval(f *frame) (Value, error) {
	v, err := f.evaluate(x.cond)
	if err != nil {
		return nil, err
	}
	ok, err := f.th.Truth(v)
	if err != nil {
		return nil, err
	}
	if ok {
		return f.evaluate(x.yes)
	}
	return f.evaluate(x.no)
}

func (x *listOf) eval(f *frame) (Value, error) {
	items, err := f.all(x.items)
	return starlark.NewList(items), err
}

func (x *tupleOf) eval(f *frame) (Value, error) {
	items, err := f.all(x.items)
	return starlark.Tuple(items), err
}

func (x *setOf) eval(f *frame) (Value, error) {
	items, err := f.all(x.items)
	if err != nil {
		return nil, err
	}
	return f.th.set(items)
}

func (x *dictOf) eval(f *frame) (Value, error) {
	d := new(starlark.Dict)
	if err := f.th.Grow(empty); err != nil {
		return nil, err
	}
	for i, key := range x.keys {
		var k Value
		if key != nil {
			var err error
			if k, err = f.evaluate(key); err != nil {
				return nil, err
			}
		}
		v, err := f.evaluate(x.values[i])
		if err != nil {
			return nil, err
		}
		if key == nil {
			if err := f.th.update(d, v); err != nil {
				return nil, err
			}
			continue
		}
		if err := f.th.setKey(d, k, v); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (x *starred) eval(*frame) (Value, error) {
	return nil, Fail("SyntaxError", "can't use starred expression here")
}

func (x *lambda) eval(f *frame) (Value, error) { return f.closure(x.def) }

func (x *backquoted) eval(f *frame) (Value, error) {
	v, err := f.evaluate(x.x)
	if err != nil {
		return nil, err
	}
	s, err := f.th.Repr(v)
	return starlark.String(s), err
}

func (x *walrus) eval(f *frame) (Value, error) {
	v, err := f.evaluate(x.x)
	if err != nil {
		return nil, err
	}
	to := f
	for to.fn == nil && to.vars != nil && to.outer != nil {
		to = to.outer
	}
	to.set(x.name, v)
	return v, nil
}

func (x *joined) eval(f *frame) (Value, error) {
	var b strings.Builder
	for _, p := range x.parts {
		if p.x == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := f.evaluate(p.x)
		if err != nil {
			return nil, err
		}
		spec := ""
		if p.format != nil {
			s, err := f.evaluate(p.format)
			if err != nil {
				return nil, err
			}
			spec = string(s.(starlark.String))
		}
		s, err := f.th.formatted(v, p.conv, spec)
		if err != nil {
			return nil, err
		}
		b.WriteString(s)
	}
	return starlark.String(b.String()), f.th.Grow(b.Len())
}

func (x *yieldExpr) eval(f *frame) (Value, error) {
	v, err := f.evaluate(x.x)
	if err != nil {
		return nil, err
	}
	if !x.from {
		if f.yield == nil || !f.yield(v, nil) {
			return nil, errStopped
		}
		return starlark.None, nil
	}
	return starlark.None, f.th.each(v, func(v Value) (bool, error) {
		if !f.yield(v, nil) {
			return false, errStopped
		}
		return true, nil
	})
}
