// SPDX-License-Identifier: Apache-2.0

package py

import (
	"errors"

	"go.starlark.net/starlark"
)

func (s *tryStmt) exec(f *frame) (signal, error) {
	depth, file := f.th.depth, f.th.file
	sig, err := f.run(s.body)
	var raised *Raised
	switch {
	case err != nil && errors.As(err, &raised):
		f.th.depth, f.th.file = depth, file
		sig, err = s.handle(f, raised)
	case err == nil && sig == proceed:
		sig, err = f.run(s.alt)
	}
	var limit *Limit
	if s.final == nil || errors.As(err, &limit) {
		return sig, err
	}
	result := f.result
	end, finalErr := f.run(s.final)
	if finalErr != nil {
		return proceed, finalErr
	}
	if end != proceed {
		return end, nil
	}
	f.result = result
	return sig, err
}

// handle finds the except for an exception and runs it.
func (s *tryStmt) handle(f *frame, r *Raised) (signal, error) {
	for _, h := range s.handlers {
		if h.kind != nil {
			kind, err := f.evaluate(h.kind)
			if err != nil {
				return proceed, err
			}
			ok, err := f.th.matches(r, kind)
			if err != nil {
				return proceed, err
			}
			if !ok {
				continue
			}
		}
		if h.target != nil {
			if err := f.assign(h.target, f.th.object(r)); err != nil {
				return proceed, err
			}
		}
		f.th.handled = append(f.th.handled, r)
		sig, err := f.run(h.body)
		f.th.handled = f.th.handled[:len(f.th.handled)-1]
		return sig, err
	}
	return proceed, r
}

// matches tells whether an except for that class, or tuple of classes, takes the
// exception.
func (th *Thread) matches(r *Raised, kind Value) (bool, error) {
	if list, ok := kind.(starlark.Tuple); ok {
		for _, k := range list {
			if ok, err := th.matches(r, k); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	c, ok := kind.(*Class)
	if !ok {
		return false, nil
	}
	return th.object(r).Class.is(c), nil
}

// object gives the Python object of an exception.
func (th *Thread) object(r *Raised) *Instance {
	if r.Value != nil {
		return r.Value
	}
	c := th.py.classes[r.Class]
	if c == nil {
		c = th.py.classes["Exception"]
	}
	args := r.args
	if args == nil && r.Msg != "" {
		args = starlark.Tuple{starlark.String(r.Msg)}
	}
	r.Value = &Instance{Class: c, attrs: map[string]Value{"args": args}}
	if len(args) > 0 {
		r.Value.attrs["message"] = args[0]
	}
	return r.Value
}

func (s *raiseStmt) exec(f *frame) (signal, error) {
	if s.x == nil {
		if n := len(f.th.handled); n > 0 {
			return proceed, f.th.handled[n-1]
		}
		return proceed, Fail("RuntimeError", "No active exception to reraise")
	}
	v, err := f.evaluate(s.x)
	if err != nil {
		return proceed, err
	}
	if c, ok := v.(*Class); ok {
		var args starlark.Tuple
		if s.value != nil {
			x, err := f.evaluate(s.value)
			if err != nil {
				return proceed, err
			}
			args = starlark.Tuple{x}
			if t, ok := x.(starlark.Tuple); ok {
				args = t
			}
		}
		if v, err = f.th.Call(c, args, nil); err != nil {
			return proceed, err
		}
	}
	o, ok := v.(*Instance)
	if !ok || !o.Class.is(f.th.py.classes["BaseException"]) {
		return proceed, Fail("TypeError", "exceptions must derive from BaseException")
	}
	msg, err := f.th.Str(o)
	if err != nil {
		return proceed, err
	}
	return proceed, &Raised{Class: o.Class.Name, Msg: shortened(msg), Value: o}
}

func (s *withStmt) exec(f *frame) (signal, error) { return s.enter(f, s.items) }

// enter enters the contexts one after the other, each around the next.
func (s *withStmt) enter(f *frame, items []withItem) (signal, error) {
	if len(items) == 0 {
		return f.run(s.body)
	}
	ctx, err := f.evaluate(items[0].x)
	if err != nil {
		return proceed, err
	}
	v, err := f.th.method(ctx, "__enter__")
	if err != nil {
		return proceed, err
	}
	if items[0].target != nil {
		if err := f.assign(items[0].target, v); err != nil {
			return proceed, err
		}
	}
	sig, err := s.enter(f, items[1:])
	var limit *Limit
	if errors.As(err, &limit) {
		return sig, err
	}
	args := []Value{starlark.None, starlark.None, starlark.None}
	var raised *Raised
	if errors.As(err, &raised) {
		o := f.th.object(raised)
		args = []Value{o.Class, o, starlark.None}
	}
	swallow, exitErr := f.th.method(ctx, "__exit__", args...)
	if exitErr != nil {
		return proceed, exitErr
	}
	if raised != nil {
		if ok, truthErr := f.th.Truth(swallow); truthErr != nil || ok {
			return proceed, truthErr
		}
	}
	return sig, err
}
