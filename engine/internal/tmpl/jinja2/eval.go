// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

func (c *constant) eval(*renderer, *scope) (py.Value, error) { return c.v, nil }

func (x *nameRef) eval(r *renderer, s *scope) (py.Value, error) {
	if v, ok := s.find(x.name); ok {
		return v, nil
	}
	if v, ok := r.globals[x.name]; ok {
		return v, nil
	}
	if x.name == "self" {
		return r.reference(s.context), nil
	}
	return newUndefined(fmt.Sprintf("'%s' is undefined", x.name)), nil
}

// lookupErrors are what a missing attribute or item raises.
var lookupErrors = []string{"AttributeError", "TypeError", "LookupError", "KeyError", "IndexError"}

// absent tells whether an error says no more than that something is not there.
func absent(err error, classes ...string) bool {
	var raised *py.Raised
	return errors.As(err, &raised) && slices.Contains(classes, raised.Class)
}

// attr is x.name: an attribute, else an item.
func (r *renderer) attr(v py.Value, n string) (py.Value, error) {
	x, err := r.th.Attr(v, n)
	if err == nil || !absent(err, "AttributeError") {
		return x, err
	}
	x, err = r.th.Item(v, starlark.String(n))
	if err == nil || !absent(err, lookupErrors...) {
		return x, err
	}
	return newUndefined(fmt.Sprintf("'%s' has no attribute '%s'", r.describe(v), n)), nil
}

func (r *renderer) describe(v py.Value) string {
	if v == starlark.None {
		return "None"
	}
	return strings.TrimPrefix(r.th.Describe(v), "a value of type ") + " object"
}

// item is x[index]: an item, else an attribute.
func (r *renderer) item(v, index py.Value) (py.Value, error) {
	if u, ok := v.(*undefined); ok {
		return nil, u.fail()
	}
	x, err := r.th.Item(v, index)
	if err == nil || !absent(err, lookupErrors...) {
		return x, err
	}
	n, ok := py.Plain(index).(starlark.String)
	if ok {
		x, err = r.th.Attr(v, string(n))
		if err == nil || !absent(err, "AttributeError") {
			return x, err
		}
		return newUndefined(fmt.Sprintf("'%s' has no attribute '%s'", r.describe(v), string(n))), nil
	}
	shown, err := r.th.Repr(index)
	return newUndefined(fmt.Sprintf("%s has no element %s", r.describe(v), shown)), err
}

func (x *attrRef) eval(r *renderer, s *scope) (py.Value, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	return r.attr(v, x.name)
}

func (x *itemRef) eval(r *renderer, s *scope) (py.Value, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	index, err := r.eval(x.index, s)
	if err != nil {
		return nil, err
	}
	return r.item(v, index)
}

func (x *sliceRef) eval(r *renderer, s *scope) (py.Value, error) {
	parts := []py.Value{starlark.None, starlark.None, starlark.None}
	for i, part := range []expr{x.lo, x.hi, x.step} {
		if part == nil {
			continue
		}
		v, err := r.eval(part, s)
		if err != nil {
			return nil, err
		}
		parts[i] = v
	}
	return py.Slice(parts[0], parts[1], parts[2]), nil
}

func (r *renderer) evalAll(list []expr, s *scope) ([]py.Value, error) {
	out := make([]py.Value, len(list))
	for i, x := range list {
		v, err := r.eval(x, s)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, r.th.Grow(16 * len(out))
}

func (x *listOf) eval(r *renderer, s *scope) (py.Value, error) {
	items, err := r.evalAll(x.items, s)
	return starlark.NewList(items), err
}

func (x *tupleOf) eval(r *renderer, s *scope) (py.Value, error) {
	items, err := r.evalAll(x.items, s)
	return starlark.Tuple(items), err
}

func (x *dictOf) eval(r *renderer, s *scope) (py.Value, error) {
	keys, err := r.evalAll(x.keys, s)
	if err != nil {
		return nil, err
	}
	values, err := r.evalAll(x.values, s)
	if err != nil {
		return nil, err
	}
	d := starlark.NewDict(len(keys))
	for i, k := range keys {
		if err := d.SetKey(py.Plain(k), values[i]); err != nil {
			return nil, py.Fail("TypeError", "%v", err)
		}
	}
	return d, nil
}

func (x *unary) eval(r *renderer, s *scope) (py.Value, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(*undefined); ok {
		return nil, u.fail()
	}
	return r.th.Unary(x.op, v)
}

func (x *binary) eval(r *renderer, s *scope) (py.Value, error) {
	a, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	b, err := r.eval(x.y, s)
	if err != nil {
		return nil, err
	}
	return r.arithmetic(x.op, a, b)
}

// arithmetic is that of Python 3, where a quotient is never floored.
func (r *renderer) arithmetic(o string, a, b py.Value) (py.Value, error) {
	for _, v := range []py.Value{a, b} {
		if u, ok := v.(*undefined); ok && !(o == "%" && isString(a)) {
			return nil, u.fail()
		}
	}
	switch n := py.Plain(a).(type) {
	case starlark.Int:
		if o == "/" || o == "**" && negative(b) {
			a = n.Float()
		}
	case starlark.Bool:
		if o == "/" {
			a = starlark.Float(0)
			if n {
				a = starlark.Float(1)
			}
		}
	}
	return r.th.Binary(o, a, b)
}

func negative(v py.Value) bool {
	n, ok := v.(starlark.Int)
	return ok && n.Sign() < 0
}

func (x *concat) eval(r *renderer, s *scope) (py.Value, error) {
	items, err := r.evalAll(x.items, s)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, v := range items {
		text, err := r.text(v)
		if err != nil {
			return nil, err
		}
		b.WriteString(text)
	}
	if err := r.th.Grow(b.Len()); err != nil {
		return nil, err
	}
	if r.escaping {
		return newMarkup(b.String()), nil
	}
	return starlark.String(b.String()), nil
}

func (x *logic) eval(r *renderer, s *scope) (py.Value, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	ok, err := r.th.Truth(v)
	if err != nil || ok != x.and {
		return v, err
	}
	return r.eval(x.y, s)
}

func (x *not) eval(r *renderer, s *scope) (py.Value, error) {
	ok, err := r.truth(x.x, s)
	return starlark.Bool(!ok), err
}

func (r *renderer) truth(x expr, s *scope) (bool, error) {
	v, err := r.eval(x, s)
	if err != nil {
		return false, err
	}
	return r.th.Truth(v)
}

func (x *comparison) eval(r *renderer, s *scope) (py.Value, error) {
	a, err := r.eval(x.first, s)
	if err != nil {
		return nil, err
	}
	for i, o := range x.ops {
		b, err := r.eval(x.rest[i], s)
		if err != nil {
			return nil, err
		}
		ok, err := r.compare(o, a, b)
		if err != nil || !ok {
			return starlark.False, err
		}
		a = b
	}
	return starlark.True, nil
}

func (r *renderer) compare(o string, a, b py.Value) (bool, error) {
	if strings.ContainsAny(o, "<>") {
		for _, v := range []py.Value{a, b} {
			if u, ok := v.(*undefined); ok {
				return false, u.fail()
			}
		}
	}
	return r.th.Compare(o, a, b)
}

func (x *ternary) eval(r *renderer, s *scope) (py.Value, error) {
	ok, err := r.truth(x.cond, s)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return r.eval(x.yes, s)
	case x.no == nil:
		return newUndefined("the inline if-expression evaluated to false and no else section was defined."), nil
	}
	return r.eval(x.no, s)
}

// called are the values of a call's arguments.
type called struct {
	plain starlark.Tuple
	named []starlark.Tuple
}

func (r *renderer) arguments(a *arguments, s *scope) (called, error) {
	var out called
	plain, err := r.evalAll(a.plain, s)
	if err != nil {
		return out, err
	}
	out.plain = plain
	values, err := r.evalAll(a.values, s)
	if err != nil {
		return out, err
	}
	for i, n := range a.named {
		out.named = append(out.named, starlark.Tuple{starlark.String(n), values[i]})
	}
	if a.list != nil {
		v, err := r.eval(a.list, s)
		if err != nil {
			return out, err
		}
		more, err := r.th.List(v)
		if err != nil {
			return out, err
		}
		out.plain = append(out.plain, more...)
	}
	if a.dict != nil {
		v, err := r.eval(a.dict, s)
		if err != nil {
			return out, err
		}
		d, ok := py.Plain(v).(*starlark.Dict)
		if !ok {
			return out, py.Fail("TypeError", "argument after ** must be a mapping")
		}
		for _, item := range d.Items() {
			if _, ok := item[0].(starlark.String); !ok {
				return out, py.Fail("TypeError", "keywords must be strings")
			}
			out.named = append(out.named, item)
		}
	}
	return out, nil
}

func (x *call) eval(r *renderer, s *scope) (py.Value, error) {
	fn, err := r.eval(x.fn, s)
	if err != nil {
		return nil, err
	}
	args, err := r.arguments(&x.args, s)
	if err != nil {
		return nil, err
	}
	v, err := r.th.Call(fn, args.plain, args.named)
	return v, r.th.Located(err, x.line)
}

func (x *filter) eval(r *renderer, s *scope) (py.Value, error) {
	v := r.held
	if x.x != nil {
		var err error
		if v, err = r.eval(x.x, s); err != nil {
			return nil, err
		}
	}
	args, err := r.arguments(&x.args, s)
	if err != nil {
		return nil, err
	}
	v, err = r.filter(x.name, v, args)
	return v, r.th.Located(err, x.line)
}

// filter applies a filter by its name.
func (r *renderer) filter(n string, v py.Value, args called) (py.Value, error) {
	f := r.filters[n]
	if f == nil {
		return nil, py.Fail("TemplateRuntimeError", "No filter named '%s'", n)
	}
	if err := r.th.Step(1); err != nil {
		return nil, err
	}
	return f(r, v, args)
}

func (x *test) eval(r *renderer, s *scope) (py.Value, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	args, err := r.arguments(&x.args, s)
	if err != nil {
		return nil, err
	}
	ok, err := r.test(x.name, v, args)
	return starlark.Bool(ok), r.th.Located(err, x.line)
}

// test applies a test by its name.
func (r *renderer) test(n string, v py.Value, args called) (bool, error) {
	t := r.tests[n]
	if t == nil {
		return false, py.Fail("TemplateRuntimeError", "No test named '%s'", n)
	}
	return t(r, v, args)
}
