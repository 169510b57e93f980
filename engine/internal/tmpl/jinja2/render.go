// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/problem"
)

// renderer renders one template and those that it names.
type renderer struct {
	th      *py.Thread
	load    Load
	t       *Template // whose code runs
	globals map[string]py.Value
	*language
	out strings.Builder
	// muted: what is written is dropped, as outside of the blocks of a template that
	// extends another one.
	muted bool
	// escaping is autoescape.
	escaping bool
	// parent is what the template extends.
	parent *Template
	// held is what a {% filter %} or {% set %} block gave.
	held py.Value
}

func (r *renderer) eval(x expr, s *scope) (py.Value, error) {
	if err := r.th.Step(1); err != nil {
		return nil, err
	}
	return x.eval(r, s)
}

func (r *renderer) all(body []node, s *scope) error {
	for _, n := range body {
		if err := r.th.Step(1); err != nil {
			return err
		}
		if err := n.render(r, s); err != nil {
			var p *problem.Problem
			if errors.As(err, &p) {
				return err
			}
			return r.th.Located(err, n.at())
		}
	}
	return nil
}

func (r *renderer) write(s string) error {
	if err := r.th.Grow(len(s)); err != nil || r.muted {
		return err
	}
	r.out.WriteString(s)
	return nil
}

// capture gives what is written meanwhile.
func (r *renderer) capture(write func() error) (string, error) {
	out, muted := r.out, r.muted
	r.out, r.muted = strings.Builder{}, false
	err := write()
	text := r.out.String()
	r.out, r.muted = out, muted
	return text, err
}

// value is a text as a value: where it is escaped already, as markup.
func (r *renderer) value(s string) py.Value {
	if r.escaping {
		return newMarkup(s)
	}
	return starlark.String(s)
}

// template renders a template and what it extends.
func (r *renderer) template(t *Template, c *context) error {
	if err := r.th.Enter(); err != nil {
		return err
	}
	defer r.th.Leave()
	outer, parent, muted, escaping := r.t, r.parent, r.muted, r.escaping
	r.t, r.parent, r.escaping = t, nil, false
	r.offer(c, t)
	if err := r.all(t.body, c.root); err != nil {
		return r.failure(err)
	}
	r.muted = muted
	if next := r.parent; next != nil {
		if err := r.extended(next, c); err != nil {
			return err
		}
	}
	r.t, r.parent, r.escaping = outer, parent, escaping
	return nil
}

// extended renders the template that another one extends; its blocks are known.
func (r *renderer) extended(t *Template, c *context) error {
	if err := r.th.Enter(); err != nil {
		return tmpl.Failure(t.File, 1, err)
	}
	defer r.th.Leave()
	muted := r.muted
	r.t, r.parent, r.escaping = t, nil, false
	if err := r.all(t.body, c.root); err != nil {
		return r.failure(err)
	}
	r.muted = muted
	if next := r.parent; next != nil {
		return r.extended(next, c)
	}
	return nil
}

// failure names the file that an error is from.
func (r *renderer) failure(err error) error { return tmpl.Failure(r.t.File, 0, err) }

// offer makes the blocks of a template known, behind those of what extends it.
func (r *renderer) offer(c *context, t *Template) {
	for n, b := range t.blocks {
		c.blocks[n] = append(c.blocks[n], block{b, t})
	}
}

func (n *textNode) render(r *renderer, _ *scope) error { return r.write(n.s) }

func (n *output) render(r *renderer, s *scope) error { return r.print(n.x, s) }

func (n *printNode) render(r *renderer, s *scope) error {
	for _, x := range n.items {
		if err := r.print(x, s); err != nil {
			return err
		}
	}
	return nil
}

// print writes the value of an expression.
func (r *renderer) print(x expr, s *scope) error {
	v, err := r.eval(x, s)
	if err != nil {
		return err
	}
	text, err := r.text(v)
	if err != nil {
		return err
	}
	return r.write(text)
}

func (n *ifNode) render(r *renderer, s *scope) error {
	ok, err := r.truth(n.cond, s)
	if err != nil {
		return err
	}
	if ok {
		return r.all(n.body, s)
	}
	return r.all(n.alt, s)
}

// assign gives a target a value.
func (r *renderer) assign(t target, v py.Value, s *scope) error {
	switch {
	case t.attr != "":
		x, ok := s.find(t.name)
		ns, isSpace := x.(*space)
		if !ok || !isSpace {
			return py.Fail("TemplateRuntimeError", "cannot assign attribute on non-namespace object")
		}
		ns.vars[t.attr] = v
	case t.items == nil:
		s.set(t.name, v)
	default:
		items, err := r.th.List(v)
		if err != nil {
			return err
		}
		if len(items) != len(t.items) {
			return py.Fail("ValueError", "%d values to unpack, expected %d", len(items), len(t.items))
		}
		for i, item := range items {
			if err := r.assign(t.items[i], item, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *setNode) render(r *renderer, s *scope) error {
	v, err := r.eval(n.x, s)
	if err != nil {
		return err
	}
	return r.assign(n.target, v, s)
}

func (n *setBlock) render(r *renderer, s *scope) error {
	text, err := r.capture(func() error { return r.all(n.body, s.inner()) })
	if err != nil {
		return err
	}
	v := r.value(text)
	if n.filter != nil {
		r.held = v
		if v, err = r.eval(n.filter, s); err != nil {
			return err
		}
	}
	return r.assign(n.target, v, s)
}

func (n *withNode) render(r *renderer, s *scope) error {
	values, err := r.evalAll(n.values, s)
	if err != nil {
		return err
	}
	inner := s.inner()
	for i, t := range n.targets {
		if err := r.assign(t, values[i], inner); err != nil {
			return err
		}
	}
	return r.all(n.body, inner)
}

func (n *filterNode) render(r *renderer, s *scope) error {
	text, err := r.capture(func() error { return r.all(n.body, s.inner()) })
	if err != nil {
		return err
	}
	r.held = r.value(text)
	v, err := r.eval(n.filter, s)
	if err != nil {
		return err
	}
	out, err := r.text(v)
	if err != nil {
		return err
	}
	return r.write(out)
}

func (n *autoescape) render(r *renderer, s *scope) error {
	on, err := r.truth(n.on, s)
	if err != nil {
		return err
	}
	before := r.escaping
	r.escaping = on
	err = r.all(n.body, s)
	r.escaping = before
	return err
}

func (n *blockNode) render(r *renderer, s *scope) error {
	if r.parent != nil {
		return nil
	}
	from := s.context.root
	if n.scoped {
		from = s
	}
	return r.block(s.context, n.name, 0, from)
}

// block renders the implementation of a block of that depth.
func (r *renderer) block(c *context, name string, depth int, from *scope) error {
	if err := r.th.Enter(); err != nil {
		return err
	}
	defer r.th.Leave()
	b := c.blocks[name][depth]
	if b.node.required && depth == 0 && len(strings.TrimSpace(textOf(b.node.body))) == 0 {
		return py.Fail("TemplateRuntimeError", "Required block '%s' not found", name)
	}
	s := from.inner()
	outer, parent := r.t, r.parent
	r.t, r.parent = b.t, nil
	s.vars["super"] = r.super(c, name, depth+1, from)
	if err := r.all(b.node.body, s); err != nil {
		return r.failure(err)
	}
	r.t, r.parent = outer, parent
	return nil
}

func textOf(body []node) string {
	out := ""
	for _, n := range body {
		t, ok := n.(*textNode)
		if !ok {
			return "x"
		}
		out += t.s
	}
	return out
}

// super is super(): the block that this one is in the place of.
func (r *renderer) super(c *context, name string, depth int, from *scope) py.Value {
	if depth >= len(c.blocks[name]) {
		return newUndefined(fmt.Sprintf("there is no parent block called '%s'.", name))
	}
	return newObject("BlockReference", func(n string) (py.Value, error) {
		switch n {
		case "__call__":
			return py.Func("super", func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
				text, err := r.capture(func() error { return r.block(c, name, depth, from) })
				return r.value(text), err
			}), nil
		case "super":
			return r.super(c, name, depth+1, from), nil
		}
		return nil, nil
	})
}

func (n *extendsNode) render(r *renderer, s *scope) error {
	if r.parent != nil {
		return py.Fail("TemplateRuntimeError", "extended multiple times")
	}
	v, err := r.eval(n.parent, s)
	if err != nil {
		return err
	}
	t, err := r.find(v)
	if err != nil {
		return err
	}
	r.parent, r.muted = t, true
	r.offer(s.context, t)
	return nil
}

// find finds a template by its name, or by the first of several.
func (r *renderer) find(v py.Value) (*Template, error) {
	var names []py.Value
	switch x := py.Plain(v).(type) {
	case *undefined:
		return nil, x.fail()
	case starlark.String:
		names = []py.Value{x}
	default:
		var err error
		if names, err = r.th.List(v); err != nil {
			return nil, err
		}
	}
	var tried []string
	for _, n := range names {
		file, err := r.text(n)
		if err != nil {
			return nil, err
		}
		tried = append(tried, file)
		if !path.IsAbs(file) {
			file = path.Join(path.Dir(r.t.File), file)
		}
		t, p := r.load(file)
		if p != nil {
			return nil, p
		}
		if t != nil {
			return t, nil
		}
	}
	return nil, &py.Raised{Class: "TemplateNotFound", Msg: strings.Join(tried, ", "), Hint: "names are relative to the template that holds them"}
}

func (n *includeNode) render(r *renderer, s *scope) error {
	v, err := r.eval(n.name, s)
	if err != nil {
		return err
	}
	t, err := r.find(v)
	if err != nil {
		if n.missing && absent(err, "TemplateNotFound") {
			return nil
		}
		return err
	}
	var outer *scope
	if n.context {
		outer = s
	}
	return r.template(t, newContext(outer))
}
