// SPDX-License-Identifier: Apache-2.0

package py

import (
	"errors"

	"go.starlark.net/starlark"
)

// errStopped ends a generator that nobody asks any more.
var errStopped = errors.New("generator stopped")

func (x *comprehension) eval(f *frame) (Value, error) {
	inner := &frame{th: f.th, vars: map[string]Value{}, outer: f, scope: f.scope, lenient: f.lenient}
	switch x.kind {
	case '(':
		// As in Python, the first source is evaluated where the expression stands.
		first, err := f.evaluate(x.clauses[0].x)
		if err != nil {
			return nil, err
		}
		return f.th.pulled(func(yield func(Value, error) bool) {
			err := x.over(inner, 0, first, func(v, _ Value) error {
				if !yield(v, nil) {
					return errStopped
				}
				return nil
			})
			if err != nil && !errors.Is(err, errStopped) {
				if r, ok := err.(*Raised); ok && r.Class == "StopIteration" {
					err = Fail("RuntimeError", "generator raised StopIteration")
				}
				yield(nil, err)
			}
		}), nil
	case ':':
		d := new(starlark.Dict)
		if err := f.th.Grow(empty); err != nil {
			return nil, err
		}
		err := x.run(inner, 0, func(v, k Value) error { return f.th.setKey(d, k, v) })
		return d, err
	}
	var items []Value
	err := x.run(inner, 0, func(v, _ Value) error {
		items = append(items, v)
		return f.th.Grow(slot)
	})
	if err != nil {
		return nil, err
	}
	if x.kind == '{' {
		return f.th.set(items)
	}
	return starlark.NewList(items), nil
}

// run does the clauses from n on.
func (x *comprehension) run(f *frame, n int, give func(v, k Value) error) error {
	if n == len(x.clauses) {
		v, err := f.evaluate(x.value)
		if err != nil {
			return err
		}
		var k Value
		if x.key != nil {
			if k, err = f.evaluate(x.key); err != nil {
				return err
			}
		}
		return give(v, k)
	}
	c := x.clauses[n]
	v, err := f.evaluate(c.x)
	if err != nil {
		return err
	}
	if c.target != nil {
		return x.over(f, n, v, give)
	}
	ok, err := f.th.Truth(v)
	if err != nil || !ok {
		return err
	}
	return x.run(f, n+1, give)
}

// over does the clause n, a for, over a value.
func (x *comprehension) over(f *frame, n int, v Value, give func(v, k Value) error) error {
	return f.th.each(v, func(item Value) (bool, error) {
		if err := f.assign(x.clauses[n].target, item); err != nil {
			return false, err
		}
		return true, x.run(f, n+1, give)
	})
}
