// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// macroValue is a macro with the place that it is defined in.
type macroValue struct {
	*object
	m    *macro
	s    *scope
	t    *Template
	made *renderer
}

func (r *renderer) newMacro(m *macro, s *scope) *macroValue {
	v := &macroValue{m: m, s: s, t: r.t, made: r}
	v.object = newObject("Macro", v.member)
	return v
}

func (v *macroValue) member(n string) (py.Value, error) {
	switch n {
	case "__call__":
		return py.Func(v.m.name, v.call), nil
	case "name":
		return starlark.String(v.m.name), nil
	case "arguments":
		var out starlark.Tuple
		for _, p := range v.m.params {
			out = append(out, starlark.String(p))
		}
		return out, nil
	case "catch_kwargs":
		return starlark.Bool(v.m.kwargs), nil
	case "catch_varargs":
		return starlark.Bool(v.m.varargs), nil
	case "caller":
		return starlark.Bool(v.m.caller), nil
	}
	return nil, nil
}

// call gives what the macro writes.
func (v *macroValue) call(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
	if err := th.Enter(); err != nil {
		return nil, err
	}
	defer th.Leave()
	r := v.made
	s := v.s.inner()
	outer, parent := r.t, r.parent
	r.t, r.parent = v.t, nil
	if err := v.bind(s, args, kw); err != nil {
		r.t, r.parent = outer, parent
		return nil, err
	}
	text, err := r.capture(func() error { return r.all(v.m.body, s) })
	if err != nil {
		if v.t != outer {
			err = r.failure(err)
		}
		r.t, r.parent = outer, parent
		return nil, err
	}
	r.t, r.parent = outer, parent
	return r.value(text), nil
}

// bind gives the parameters their values.
func (v *macroValue) bind(s *scope, args starlark.Tuple, kw []starlark.Tuple) error {
	m, r := v.m, v.made
	take := func(n string) py.Value {
		for i, k := range kw {
			if k[0] == starlark.String(n) {
				kw = slices.Delete(slices.Clone(kw), i, i+1)
				return k[1]
			}
		}
		return nil
	}
	for i, p := range m.params {
		var value py.Value
		if i < len(args) {
			value = args[i]
		} else {
			value = take(p)
		}
		if value == nil {
			value = newUndefined(fmt.Sprintf("parameter '%s' was not provided", p))
			if d := i - (len(m.params) - len(m.defaults)); d >= 0 {
				var err error
				if value, err = r.eval(m.defaults[d], s); err != nil {
					return err
				}
			}
		}
		s.vars[p] = value
	}
	if m.caller && !slices.Contains(m.params, "caller") {
		caller := take("caller")
		if caller == nil || caller == starlark.None {
			caller = newUndefined("No caller defined")
		}
		s.vars["caller"] = caller
	}
	switch {
	case m.kwargs:
		d := starlark.NewDict(len(kw))
		for _, k := range kw {
			if err := d.SetKey(k[0], k[1]); err != nil {
				return err
			}
		}
		s.vars["kwargs"] = d
	case len(kw) > 0:
		return py.Fail("TypeError", "macro '%s' takes no keyword argument %s", m.name, kw[0][0])
	}
	switch {
	case m.varargs:
		s.vars["varargs"] = args[min(len(m.params), len(args)):]
	case len(args) > len(m.params):
		return py.Fail("TypeError", "macro '%s' takes not more than %d argument(s)", m.name, len(m.params))
	}
	return nil
}

func (n *macroNode) render(r *renderer, s *scope) error {
	s.set(n.macro.name, r.newMacro(n.macro, s))
	return nil
}

func (n *callNode) render(r *renderer, s *scope) error {
	fn, err := r.eval(n.call.fn, s)
	if err != nil {
		return err
	}
	args, err := r.arguments(&n.call.args, s)
	if err != nil {
		return err
	}
	args.named = append(args.named, starlark.Tuple{starlark.String("caller"), r.newMacro(n.macro, s)})
	v, err := r.th.Call(fn, args.plain, args.named)
	if err != nil {
		return err
	}
	text, err := r.text(v)
	if err != nil {
		return err
	}
	return r.write(text)
}

// module is what an import gives.
type module struct {
	*object
	t *Template
	c *context
}

func (n *importNode) render(r *renderer, s *scope) error {
	v, err := r.eval(n.name, s)
	if err != nil {
		return err
	}
	t, err := r.find(v)
	if err != nil {
		return err
	}
	var outer *scope
	if n.context {
		outer = s
	}
	c := newContext(outer)
	text, err := r.capture(func() error { return r.template(t, c) })
	if err != nil {
		return err
	}
	if n.as != "" {
		s.vars[n.as] = newModule(t, c, r.value(text))
		return nil
	}
	for _, names := range n.names {
		value, ok := c.root.vars[names[0]]
		if !ok {
			value = newUndefined(fmt.Sprintf("the template '%s' does not export the requested name '%s'", t.File, names[0]))
		}
		s.vars[names[1]] = value
	}
	return nil
}

func newModule(t *Template, c *context, text py.Value) *module {
	m := &module{t: t, c: c}
	m.object = newObject("TemplateModule", func(n string) (py.Value, error) {
		if n == "__str__" {
			return py.Func(n, func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) { return text, nil }), nil
		}
		if !c.exported[n] || strings.HasPrefix(n, "_") {
			return nil, nil
		}
		return c.root.vars[n], nil
	})
	return m
}
