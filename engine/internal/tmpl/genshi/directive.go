// SPDX-License-Identifier: Apache-2.0

package genshi

import (
	"github.com/bindery/bindery/engine/internal/py"
)

// directive decides what becomes of the body of a block.
type directive interface {
	apply(r *renderer, b *block) error
}

type (
	ifDirective  struct{ test *py.Expression }
	forDirective struct {
		target py.Target
		over   *py.Expression
	}
	chooseDirective    struct{ value *py.Expression }
	whenDirective      struct{ test *py.Expression }
	otherwiseDirective struct{}
	withDirective      struct {
		targets []py.Target
		values  []*py.Expression
	}
	defDirective struct{ signature *py.Signature }
)

func (r *renderer) truth(x *py.Expression) (bool, error) {
	v, err := r.eval(x)
	if err != nil {
		return false, err
	}
	return r.th.Truth(v)
}

func (d *ifDirective) apply(r *renderer, b *block) error {
	ok, err := r.truth(d.test)
	if err != nil || !ok {
		return err
	}
	return r.all(b.body)
}

// push opens a block with names of its own; the result closes it.
func (r *renderer) push(names map[string]py.Value) func() {
	r.names = append(r.names, names)
	n := len(r.names)
	return func() { r.names = r.names[:n-1] }
}

func (d *forDirective) apply(r *renderer, b *block) error {
	over, err := r.eval(d.over)
	if err != nil {
		return err
	}
	// All rounds share their names, which end with the loop.
	names := map[string]py.Value{}
	return r.th.Each(over, func(v py.Value) (bool, error) {
		defer r.push(names)()
		if err := d.target.Assign(r.th, r, v); err != nil {
			return false, err
		}
		return true, r.all(b.body)
	})
}

func (d *chooseDirective) apply(r *renderer, b *block) error {
	c := &choice{tested: d.value != nil}
	if c.tested {
		v, err := r.eval(d.value)
		if err != nil {
			return err
		}
		c.value = v
	}
	r.choices = append(r.choices, c)
	err := r.all(b.body)
	r.choices = r.choices[:len(r.choices)-1]
	return err
}

func (d *whenDirective) apply(r *renderer, b *block) error {
	if len(r.choices) == 0 {
		return misplaced(b, "when and otherwise have their place in choose")
	}
	c := r.choices[len(r.choices)-1]
	if c.matched {
		return nil
	}
	if d.test == nil && !c.tested {
		return misplaced(b, "neither choose nor when has a test")
	}
	ok := false
	var err error
	switch {
	case d.test == nil:
		ok, err = r.th.Truth(c.value)
	case c.tested:
		var v py.Value
		if v, err = r.eval(d.test); err == nil {
			ok, err = r.th.Equal(c.value, v)
		}
	default:
		ok, err = r.truth(d.test)
	}
	if err != nil || !ok {
		return err
	}
	c.matched = true
	return r.all(b.body)
}

func (otherwiseDirective) apply(r *renderer, b *block) error {
	if len(r.choices) == 0 {
		return misplaced(b, "when and otherwise have their place in choose")
	}
	c := r.choices[len(r.choices)-1]
	if c.matched {
		return nil
	}
	c.matched = true
	return r.all(b.body)
}

func misplaced(b *block, msg string) error {
	return &py.Raised{Class: "TemplateRuntimeError", Msg: msg, Line: b.line}
}

func (d *withDirective) apply(r *renderer, b *block) error {
	defer r.push(map[string]py.Value{})()
	for i, t := range d.targets {
		v, err := r.eval(d.values[i])
		if err != nil {
			return err
		}
		if err := t.Assign(r.th, r, v); err != nil {
			return err
		}
	}
	return r.all(b.body)
}

func (d *defDirective) apply(r *renderer, b *block) error {
	fn, err := d.signature.Function(r.th, r, func(args map[string]py.Value) (py.Value, error) {
		return &stream{Namespace: py.NewModule("stream", nil), render: func() error {
			if err := r.th.Enter(); err != nil {
				return err
			}
			defer r.th.Leave()
			defer r.push(args)()
			return r.all(b.body)
		}}, nil
	})
	if err != nil {
		return err
	}
	r.Set(d.signature.Name, fn)
	return nil
}

// stream is what a function of a template gives: text, written where it stands.
type stream struct {
	*py.Namespace
	render func() error
	// attrs are the attributes that select() found.
	attrs []py.Value
}
