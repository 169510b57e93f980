// SPDX-License-Identifier: Apache-2.0

package py

import (
	"errors"

	"go.starlark.net/starlark"
)

// Call calls what can be called.
func (th *Thread) Call(fn Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	switch fn := fn.(type) {
	case *Builtin:
		v, err := fn.fn(th, args, kw)
		if err == nil && v == nil {
			v = starlark.None
		}
		return v, err
	case *Closure:
		return th.run(fn, args, kw)
	case *Bound:
		return th.Call(fn.fn, append(starlark.Tuple{fn.self}, args...), kw)
	case *Class:
		return th.construct(fn, args, kw)
	case *staticMethod:
		return th.Call(fn.fn, args, kw)
	case *starlark.Builtin:
		return starlark.Call(&th.starlark, fn, args, kw)
	case *Instance:
		if m := fn.Class.find("__call__"); m != nil {
			return th.Call(m, append(starlark.Tuple{fn}, args...), kw)
		}
	}
	if fn, ok := fn.(Object); ok {
		if m, err := fn.Member(th, "__call__"); err != nil || m != nil {
			if err != nil {
				return nil, err
			}
			return th.Call(m, args, kw)
		}
	}
	return nil, Fail("TypeError", "'%s' object is not callable", th.typeName(fn))
}

// callable tells whether a value can be called.
func (th *Thread) callable(v Value) bool {
	switch v := v.(type) {
	case *Builtin, *Closure, *Bound, *Class, *starlark.Builtin:
		return true
	case *Instance:
		return v.Class.find("__call__") != nil
	}
	return false
}

// closure makes a function of what is around it.
func (f *frame) closure(def *function) (Value, error) {
	c := &Closure{def: def, scope: f.scope}
	for fr := f; fr != nil; fr = fr.outer {
		if fr.vars != nil && (fr.fn != nil || fr.class == nil) {
			c.outer = fr
			break
		}
	}
	if f.class != nil && f.fn == nil {
		c.class = f.class
	}
	for _, p := range def.params {
		if p.deflt == nil {
			c.defaults = append(c.defaults, nil)
			continue
		}
		v, err := f.evaluate(p.deflt)
		if err != nil {
			return nil, err
		}
		c.defaults = append(c.defaults, v)
	}
	c.attrs = map[string]Value{"__name__": starlark.String(def.name), "__doc__": starlark.None, "__file__": starlark.String(f.th.file)}
	if len(def.body) > 0 {
		if s, ok := def.body[0].(*exprStmt); ok {
			if k, ok := s.x.(*constant); ok {
				c.attrs["__doc__"] = k.value
			}
		}
	}
	return c, nil
}

// run calls a function of Python's.
func (th *Thread) run(c *Closure, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	if err := th.enter(); err != nil {
		return nil, err
	}
	defer func() { th.depth-- }()
	f := &frame{th: th, fn: c.def, vars: make(map[string]Value, len(c.def.params)+2), outer: c.outer, scope: c.scope, class: c.class}
	if err := f.bindArgs(c, args, kw); err != nil {
		return nil, err
	}
	file := th.file
	defer func() { th.file = file }()
	if own, ok := c.attrs["__file__"].(starlark.String); ok {
		th.file = string(own)
	}
	if c.def.generator {
		return th.generate(f, c), nil
	}
	if c.def.result != nil {
		return f.evaluate(c.def.result)
	}
	if _, err := f.run(c.def.body); err != nil {
		return nil, err
	}
	if f.result == nil {
		return starlark.None, nil
	}
	return f.result, nil
}

// generate makes the iterator of a function with yield.
func (th *Thread) generate(f *frame, c *Closure) *Iter {
	return th.pulled(func(yield func(Value, error) bool) {
		f.yield = yield
		if _, err := f.run(c.def.body); err != nil && !errors.Is(err, errStopped) {
			if r, ok := err.(*Raised); ok && r.Class == "StopIteration" {
				err = Fail("RuntimeError", "generator raised StopIteration")
			}
			yield(nil, err)
		}
	})
}

// bindArgs gives the parameters their values.
func (f *frame) bindArgs(c *Closure, args starlark.Tuple, kw []starlark.Tuple) error {
	params := c.def.params
	used := 0
	named := make(map[string]Value, len(kw))
	var order []string
	for _, k := range kw {
		n, ok := k[0].(starlark.String)
		if !ok {
			return Fail("TypeError", "keywords must be strings")
		}
		if _, twice := named[string(n)]; twice {
			return Fail("TypeError", "%s() got multiple values for keyword argument '%s'", c.def.name, string(n))
		}
		named[string(n)] = k[1]
		order = append(order, string(n))
	}
	for i, p := range params {
		switch {
		case p.spread == 1:
			f.vars[p.name] = append(starlark.Tuple{}, args[used:]...)
			used = len(args)
			continue
		case p.spread == 2:
			continue
		}
		v, byName := named[p.name]
		switch {
		case byName && p.name != "" && !p.named && used < len(args):
			return Fail("TypeError", "%s() got multiple values for argument '%s'", c.def.name, p.name)
		case byName && p.name != "":
			delete(named, p.name)
		case !p.named && used < len(args):
			v = args[used]
			used++
		case c.defaults[i] != nil:
			v = c.defaults[i]
		default:
			return Fail("TypeError", "%s() takes %d arguments (%d given)", c.def.name, len(params), len(args)+len(kw))
		}
		if p.unpack != nil {
			if err := f.assign(p.unpack, v); err != nil {
				return err
			}
			continue
		}
		f.vars[p.name] = v
	}
	if used < len(args) {
		return Fail("TypeError", "%s() takes %d arguments (%d given)", c.def.name, len(params), len(args)+len(kw))
	}
	return f.bindRest(c, named, order)
}

// bindRest puts what no parameter is named after into the last one.
func (f *frame) bindRest(c *Closure, named map[string]Value, order []string) error {
	var rest *starlark.Dict
	for _, p := range c.def.params {
		if p.spread == 2 {
			rest = new(starlark.Dict)
			f.vars[p.name] = rest
		}
	}
	for _, n := range order {
		v, ok := named[n]
		switch {
		case !ok:
		case rest == nil:
			return Fail("TypeError", "%s() got an unexpected keyword argument '%s'", c.def.name, n)
		default:
			if err := f.th.setKey(rest, starlark.String(n), v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *defStmt) exec(f *frame) (signal, error) {
	v, err := f.closure(s.def)
	if err != nil {
		return proceed, err
	}
	v, err = f.decorate(v, s.decorators)
	if err != nil {
		return proceed, err
	}
	f.set(s.def.name, v)
	return proceed, nil
}

func (f *frame) decorate(v Value, list []expr) (Value, error) {
	for i := len(list) - 1; i >= 0; i-- {
		d, err := f.evaluate(list[i])
		if err != nil {
			return nil, err
		}
		if v, err = f.th.Call(d, starlark.Tuple{v}, nil); err != nil {
			return nil, err
		}
	}
	return v, nil
}
