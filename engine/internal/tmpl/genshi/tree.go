// SPDX-License-Identifier: Apache-2.0

package genshi

import (
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// maxElements bounds how deep the elements of a result nest.
const maxElements = 100

// RenderTree gives the document of a markup template, as it is when it is read
// again. names are changed by it.
func (t *Template) RenderTree(th *py.Thread, names map[string]py.Value, load Load) (*xmltree.Element, *problem.Problem) {
	r, top, p := t.tree(th, names, load, false)
	if p != nil {
		return nil, p
	}
	var root *xmltree.Element
	for _, e := range top.Children {
		if e.Kind != xmltree.Node {
			continue
		}
		if root != nil {
			return nil, r.notOne()
		}
		root = e
	}
	if root == nil {
		return nil, r.notOne()
	}
	root.Tail = ""
	tidy(root)
	return root, nil
}

func (r *renderer) notOne() *problem.Problem {
	return problem.New(problem.Pos{File: r.file}, "template-error", "the template does not give one element", "")
}

// tree renders what a markup template holds into an element without name.
// sections are kept where markup is to be written, and text otherwise.
func (t *Template) tree(th *py.Thread, names map[string]py.Value, load Load, sections bool) (*renderer, *xmltree.Element, *problem.Problem) {
	top := &xmltree.Element{}
	r := &renderer{
		th: th, load: load, names: []map[string]py.Value{names}, file: t.File, open: []*xmltree.Element{top},
		sections: sections, hollow: map[*xmltree.Element]bool{},
	}
	names["defined"] = py.Func("defined", r.defined)
	names["value_of"] = py.Func("value_of", r.valueOf)
	if err := r.all(t.body); err != nil {
		return nil, nil, tmpl.Failure(r.file, 0, err)
	}
	return r, top, nil
}

// tidy drops blank text between elements, as reading the text again would.
func tidy(e *xmltree.Element) {
	if len(e.Children) == 0 {
		return
	}
	any := strings.TrimSpace(e.Text) != ""
	if !any {
		e.Text = ""
	}
	for _, c := range e.Children {
		if !any && strings.TrimSpace(c.Tail) == "" {
			c.Tail = ""
		}
		if c.Kind == xmltree.Node {
			tidy(c)
		}
	}
}

// text adds text to the element that is open.
func (r *renderer) text(s string) {
	parent := r.open[len(r.open)-1]
	if s == "" {
		r.hollow[parent] = true
	}
	if n := len(parent.Children); n > 0 {
		parent.Children[n-1].Tail += s
		return
	}
	parent.Text += s
}

func (n *elementNode) render(r *renderer) error {
	line := n.e.Pos.Line
	if n.replace != nil {
		v, err := r.eval(n.replace)
		if err != nil {
			return err
		}
		return r.value(v)
	}
	strip := n.stripped
	if n.strip != nil {
		ok, err := r.truth(n.strip)
		if err != nil {
			return err
		}
		strip = ok
	}
	if strip {
		return r.inside(n)
	}
	e := &xmltree.Element{Space: n.e.Space, Tag: n.e.Tag, Pos: n.e.Pos, Namespaces: n.e.Namespaces}
	for _, a := range n.attrs {
		value, some, err := r.capture(a.value)
		if err != nil {
			return r.th.Located(err, line)
		}
		if some || len(a.value) == 0 {
			e.Attrs = append(e.Attrs, xmltree.Attr{Space: a.space, Name: a.name, Value: value, Line: line, Column: n.e.Pos.Column})
		}
	}
	if err := r.moreAttrs(n, e); err != nil {
		return r.th.Located(err, line)
	}
	if err := r.th.Grow(200 + 50*len(e.Attrs)); err != nil {
		return err
	}
	if len(r.open) > maxElements {
		return r.th.Located(py.Fail("TemplateRuntimeError", "elements nest too deep"), line)
	}
	return r.place(e, func() error { return r.inside(n) })
}

// within adds an element and renders what it holds.
func (r *renderer) within(e *xmltree.Element, inside func() error) error {
	depth := len(r.open)
	parent := r.open[depth-1]
	parent.Children = append(parent.Children, e)
	r.open = append(r.open, e)
	defer func() { r.open = r.open[:depth] }()
	return inside()
}

func (n *instructionNode) render(r *renderer) error {
	return r.within(&xmltree.Element{Kind: n.e.Kind, Tag: n.e.Tag, Text: n.e.Text, Pos: n.e.Pos}, func() error { return nil })
}

func (n *sectionNode) render(r *renderer) error {
	if !r.sections {
		return r.all(n.body)
	}
	return r.within(&xmltree.Element{Kind: xmltree.Section}, func() error { return r.all(n.body) })
}

// inside renders what an element holds.
func (r *renderer) inside(n *elementNode) error {
	if n.content == nil {
		return r.all(n.body)
	}
	v, err := r.eval(n.content)
	if err != nil {
		return err
	}
	return r.value(v)
}

// capture renders the value of an attribute; some is false where nothing but None
// was written.
func (r *renderer) capture(body []node) (s string, some bool, err error) {
	open, out, written := r.open, r.out, r.written
	r.open, r.out, r.written = nil, strings.Builder{}, 0
	r.captures++
	marked := r.th.Writing().Marked()
	err = r.all(body)
	r.th.Writing().Cut(marked)
	s, some = r.out.String(), r.written > 0
	r.open, r.out, r.written = open, out, written
	r.captures--
	return s, some, err
}

// moreAttrs sets, and removes, what py:attrs says.
func (r *renderer) moreAttrs(n *elementNode, e *xmltree.Element) error {
	if n.more == nil {
		return nil
	}
	v, err := r.eval(n.more)
	if err != nil || v == starlark.None {
		return err
	}
	pairs := v
	if st, ok := v.(*stream); ok {
		pairs = starlark.NewList(st.attrs)
	}
	if d, ok := py.Plain(v).(*starlark.Dict); ok {
		var items []py.Value
		for _, item := range d.Items() {
			items = append(items, item)
		}
		pairs = starlark.NewList(items)
	}
	return r.th.Each(pairs, func(item py.Value) (bool, error) {
		pair, err := r.th.List(item)
		if err != nil {
			return false, err
		}
		if len(pair) != 2 {
			return false, py.Fail("ValueError", "py:attrs needs pairs")
		}
		name, err := r.th.Str(pair[0])
		if err != nil {
			return false, err
		}
		if !xmltree.IsName(name) {
			return false, py.Fail("ValueError", "py:attrs: %q cannot be the name of an attribute", name)
		}
		i := slices.IndexFunc(e.Attrs, func(a xmltree.Attr) bool { return a.Name == name })
		if pair[1] == starlark.None {
			if i >= 0 {
				e.Attrs = slices.Delete(e.Attrs, i, i+1)
			}
			return true, nil
		}
		value, err := r.th.Str(pair[1])
		if i < 0 {
			i = len(e.Attrs)
			e.Attrs = append(e.Attrs, xmltree.Attr{Name: name, Line: n.e.Pos.Line, Column: n.e.Pos.Column})
		}
		e.Attrs[i].Value = strings.TrimSpace(value)
		return true, err
	})
}

func (f *fragment) render(r *renderer) error {
	if err := r.th.Enter(); err != nil {
		return err
	}
	defer r.th.Leave()
	t, name, err := r.included(f.name)
	switch {
	case err != nil:
		return err
	case t == nil && f.guarded:
		return r.all(f.fallback)
	case t == nil:
		return r.th.Located(py.Fail("TemplateNotFound", "there is no file %s", name), f.line)
	}
	return r.inline(t)
}
