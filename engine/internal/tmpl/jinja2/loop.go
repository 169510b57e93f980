// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

func (n *forNode) render(r *renderer, s *scope) error {
	over, err := r.eval(n.over, s)
	if err != nil {
		return err
	}
	return r.loop(n, over, s, 0)
}

// loop runs the rounds of a for.
func (r *renderer) loop(n *forNode, over py.Value, s *scope, depth int) error {
	if err := r.th.Enter(); err != nil {
		return err
	}
	defer r.th.Leave()
	items, err := r.chosen(n, over, s)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return r.all(n.alt, s.inner())
	}
	l := &loop{r: r, n: n, s: s, items: items, depth: depth}
	l.object = newObject("LoopContext", l.member)
	for i := range items {
		l.index = i
		inner := s.inner()
		inner.vars["loop"] = l
		if err := r.assign(n.target, items[i], inner); err != nil {
			return err
		}
		if err := r.all(n.body, inner); err != nil {
			return err
		}
	}
	return nil
}

// chosen are the items that the test of a for lets through.
func (r *renderer) chosen(n *forNode, over py.Value, s *scope) ([]py.Value, error) {
	items, err := r.th.List(over)
	if err != nil || n.test == nil {
		return items, err
	}
	var out []py.Value
	for _, item := range items {
		inner := s.inner()
		if err := r.assign(n.target, item, inner); err != nil {
			return nil, err
		}
		ok, err := r.truth(n.test, inner)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, item)
		}
	}
	return out, nil
}

// loop is the variable of that name.
type loop struct {
	*object
	r       *renderer
	n       *forNode
	s       *scope
	items   []py.Value
	index   int
	depth   int
	changed []py.Value // of the last round
}

func (l *loop) member(n string) (py.Value, error) {
	number := func(i int) (py.Value, error) { return starlark.MakeInt(i), nil }
	switch n {
	case "index":
		return number(l.index + 1)
	case "index0":
		return number(l.index)
	case "revindex":
		return number(len(l.items) - l.index)
	case "revindex0":
		return number(len(l.items) - l.index - 1)
	case "length":
		return number(len(l.items))
	case "depth":
		return number(l.depth + 1)
	case "depth0":
		return number(l.depth)
	case "first":
		return starlark.Bool(l.index == 0), nil
	case "last":
		return starlark.Bool(l.index == len(l.items)-1), nil
	case "previtem":
		if l.index == 0 {
			return newUndefined("there is no previous item"), nil
		}
		return l.items[l.index-1], nil
	case "nextitem":
		if l.index == len(l.items)-1 {
			return newUndefined("there is no next item"), nil
		}
		return l.items[l.index+1], nil
	case "cycle":
		return py.Func(n, l.cycle), nil
	case "changed":
		return py.Func(n, l.isChanged), nil
	case "__call__":
		return py.Func(n, l.recurse), nil
	}
	return nil, nil
}

func (l *loop) cycle(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	if len(args) == 0 {
		return nil, py.Fail("TypeError", "no items for cycling given")
	}
	return args[l.index%len(args)], nil
}

func (l *loop) isChanged(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	if l.changed != nil {
		same, err := th.Equal(starlark.Tuple(l.changed), args)
		if err != nil || same {
			return starlark.False, err
		}
	}
	l.changed = append([]py.Value{}, args...)
	return starlark.True, nil
}

// recurse is loop(items): the loop again, one level deeper.
func (l *loop) recurse(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	if !l.n.recursive {
		return nil, py.Fail("TypeError", "the loop must have the 'recursive' marker to be called recursively")
	}
	if len(args) != 1 {
		return nil, py.Fail("TypeError", "loop() takes one iterable")
	}
	text, err := l.r.capture(func() error { return l.r.loop(l.n, args[0], l.s, l.depth+1) })
	return l.r.value(text), err
}
