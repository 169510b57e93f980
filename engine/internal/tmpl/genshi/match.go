// SPDX-License-Identifier: Apache-2.0

package genshi

import (
	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// matchDirective is py:match: what it stands on replaces the elements of a path, from
// there on.
type matchDirective struct{ path paths }

// matcher is a py:match that was met.
type matcher struct {
	path paths
	body []node
}

func (d *matchDirective) apply(r *renderer, b *block) error {
	r.matchers = append(r.matchers, matcher{d.path, b.body})
	return nil
}

// place adds an element, or what a py:match puts in its place.
func (r *renderer) place(e *xmltree.Element, inside func() error) error {
	last := len(r.matchers)
	if r.before > 0 {
		last = min(last, r.before)
	}
	for i := r.from; i < last; i++ {
		if r.matchers[i].path.match(r.open, e) {
			return r.replaced(e, i, inside)
		}
	}
	return r.within(e, inside)
}

// replaced renders a matcher in the place of an element. Only matchers up to it see
// what the element holds, and only those behind it what stands there now.
func (r *renderer) replaced(e *xmltree.Element, i int, inside func() error) error {
	if err := r.th.Enter(); err != nil {
		return err
	}
	defer r.th.Leave()
	from, before, open := r.from, r.before, r.open
	defer func() { r.from, r.before, r.open = from, before, open }()
	aside := &xmltree.Element{}
	r.open = append(append([]*xmltree.Element{}, open...), aside)
	r.before = i + 1
	if err := r.within(e, inside); err != nil {
		return err
	}
	r.open, r.from, r.before = open, i+1, before
	defer r.push(map[string]py.Value{"select": py.Func("select", func(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
		return r.selected(e, args)
	})})()
	return r.all(r.matchers[i].body)
}

// selected is select(path) in a py:match.
func (r *renderer) selected(e *xmltree.Element, args starlark.Tuple) (py.Value, error) {
	if len(args) != 1 {
		return nil, py.Fail("TypeError", "select() takes a path")
	}
	s, ok := py.Plain(args[0]).(starlark.String)
	if !ok {
		return nil, py.Fail("TypeError", "select() takes a path")
	}
	path, err := parsePaths(string(s))
	if err != nil {
		return nil, py.Fail("PathSyntaxError", "%v", err)
	}
	found := path.find(e)
	if err := r.th.Step(1 + len(found)); err != nil {
		return nil, err
	}
	out := &stream{Namespace: py.NewModule("stream", nil), render: func() error {
		for _, f := range found {
			var err error
			switch {
			case f.element != nil:
				err = r.again(f.element)
			case f.attr != nil:
				err = r.write(f.attr.Value)
			default:
				err = r.write(f.text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}}
	for _, f := range found {
		if f.attr != nil {
			out.attrs = append(out.attrs, starlark.Tuple{starlark.String(f.attr.Name), starlark.String(f.attr.Value)})
		}
	}
	return out, nil
}

// again writes an element that was made already.
func (r *renderer) again(e *xmltree.Element) error {
	if err := r.th.Grow(200 + 50*len(e.Attrs) + len(e.Text) + len(e.Tail)); err != nil {
		return err
	}
	copied := *e
	copied.Text, copied.Tail, copied.Children = "", "", nil
	if e.Kind != xmltree.Node {
		copied.Text = e.Text
		return r.within(&copied, func() error { return nil })
	}
	return r.place(&copied, func() error { return r.content(e) })
}

// content writes what an element holds.
func (r *renderer) content(e *xmltree.Element) error {
	if err := r.write(e.Text); err != nil {
		return err
	}
	for _, c := range e.Children {
		if err := r.again(c); err != nil {
			return err
		}
		if c.Tail != "" {
			if err := r.write(c.Tail); err != nil {
				return err
			}
		}
	}
	return nil
}
