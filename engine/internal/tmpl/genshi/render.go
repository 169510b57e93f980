// SPDX-License-Identifier: Apache-2.0

package genshi

import (
	"errors"
	"path"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/internal/trail"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

var errNoPython = errors.New(`"python" is no directive of the old syntax`)

// Load finds the template that an include names. A file that does not exist is
// no template and no problem.
type Load func(file string) (*Template, *problem.Problem)

// renderer renders one template. It is the scope of its code.
type renderer struct {
	th    *py.Thread
	load  Load
	out   strings.Builder
	names []map[string]py.Value // the innermost last
	// choices are the open choose directives.
	choices []*choice
	file    string
	// open are the elements being made of markup; without any, text is written.
	open []*xmltree.Element
	// sections: CDATA sections are kept. hollow are elements in which empty text was
	// written, which are not written like those without any.
	sections bool
	hollow   map[*xmltree.Element]bool
	// line is that of the expression whose value is written.
	line int
	// matchers are the py:match directives met so far. Those from "from" on count,
	// before "before" where that is set.
	matchers     []matcher
	from, before int
	// written counts the texts written.
	written int
	// captures counts what is rendered to be a value, not to stand in the result.
	captures int
}

type choice struct {
	matched bool
	tested  bool
	value   py.Value
}

// Get looks a name up, from the innermost block out.
func (r *renderer) Get(n string) (py.Value, bool) {
	for i := len(r.names) - 1; i >= 0; i-- {
		if v, ok := r.names[i][n]; ok {
			return v, true
		}
	}
	return nil, false
}

// Set gives a name a value in the innermost block.
func (r *renderer) Set(n string, v py.Value) { r.names[len(r.names)-1][n] = v }

// Delete takes a name away.
func (r *renderer) Delete(n string) bool {
	for i := len(r.names) - 1; i >= 0; i-- {
		if _, ok := r.names[i][n]; ok {
			delete(r.names[i], n)
			return true
		}
	}
	return false
}

// Render gives the text of the template. names are changed by it.
func (t *Template) Render(th *py.Thread, names map[string]py.Value, load Load) (string, *problem.Problem) {
	r := &renderer{th: th, load: load, names: []map[string]py.Value{names}, file: t.File}
	names["defined"] = py.Func("defined", r.defined)
	names["value_of"] = py.Func("value_of", r.valueOf)
	r.out.Grow(int(t.long.Load()))
	if err := r.all(t.body); err != nil {
		return "", tmpl.Failure(r.file, 0, err)
	}
	t.long.Store(int64(r.out.Len() + r.out.Len()/16))
	return r.out.String(), nil
}

func (r *renderer) defined(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
	var n string
	if err := starlark.UnpackPositionalArgs("defined", args, kw, 1, &n); err != nil {
		return nil, py.Fail("TypeError", "%v", err)
	}
	_, ok := r.Get(n)
	return starlark.Bool(ok), nil
}

func (r *renderer) valueOf(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
	var n string
	var deflt py.Value = starlark.None
	if err := starlark.UnpackPositionalArgs("value_of", args, kw, 1, &n, &deflt); err != nil {
		return nil, py.Fail("TypeError", "%v", err)
	}
	if v, ok := r.Get(n); ok {
		return v, nil
	}
	return deflt, nil
}

func (r *renderer) all(body []node) error {
	for _, n := range body {
		if err := r.th.Step(1); err != nil {
			return err
		}
		if err := n.render(r); err != nil {
			return err
		}
	}
	return nil
}

func (r *renderer) write(s string) error {
	r.written++
	if len(r.open) > 0 {
		r.text(s)
	} else {
		r.out.WriteString(s)
	}
	return r.th.Grow(len(s))
}

func (r *renderer) eval(x *py.Expression) (py.Value, error) { return x.Eval(r.th, r, true) }

func (n *textNode) render(r *renderer) error {
	if w := r.th.Writing(); w != nil {
		n.explain(w, r.file)
	}
	return r.write(n.text)
}

// explain notes the lines of literal text.
func (n *textNode) explain(w *trail.Writing, file string) {
	from, line := 0, n.line
	note := func(to int) {
		if to > from {
			w.Wrote(to-from, file, line)
		}
		from = to
		line++
	}
	gone := n.gone
	for i := range len(n.text) {
		for len(gone) > 0 && gone[0] == i {
			note(i)
			gone = gone[1:]
		}
		if n.text[i] == '\n' {
			note(i + 1)
		}
	}
	note(len(n.text))
}

// later leaves a blank for a member that is only written, where that can be.
func (r *renderer) later(x *py.Expression) (bool, error) {
	of, member, ok := x.Member()
	if !ok || r.captures > 0 || len(r.open) > 0 {
		return false, nil
	}
	v, _ := r.Get(of)
	late, ok := v.(tmpl.Late)
	if !ok || !late.Later(member, r.out.Len()) {
		return false, nil
	}
	return true, r.th.Grow(tmpl.MaxLate)
}

func (n *exprNode) render(r *renderer) error {
	if done, err := r.later(n.x); done {
		return err
	}
	v, err := r.eval(n.x)
	if err != nil {
		return err
	}
	r.line = n.line
	return r.value(v)
}

// value writes a value: None is nothing, the items of anything that can be
// iterated follow each other.
func (r *renderer) value(v py.Value) error {
	switch x := py.Plain(v).(type) {
	case starlark.NoneType:
		return nil
	case starlark.String:
		return r.put(string(x))
	case *stream:
		return x.render()
	case *starlark.List, starlark.Tuple, *starlark.Dict, *starlark.Set, *py.Iter:
		return r.items(v)
	}
	if o, ok := v.(*py.Instance); ok && r.th.Iterable(o) {
		return r.items(v)
	}
	s, err := r.th.Str(v)
	if err != nil {
		return err
	}
	return r.put(s)
}

// put writes the text of a value.
func (r *renderer) put(s string) error {
	r.th.Writing().Wrote(len(s), r.file, r.line)
	return r.write(s)
}

func (r *renderer) items(v py.Value) error {
	return r.th.Each(v, func(item py.Value) (bool, error) {
		if st, ok := item.(*stream); ok {
			return true, st.render()
		}
		s, err := r.th.Str(item)
		if err != nil {
			return false, err
		}
		return true, r.put(s)
	})
}

func (n *codeNode) render(r *renderer) error { return n.program.Run(r.th, r) }

func (n *block) render(r *renderer) error {
	err := n.directive.apply(r, n)
	var p *problem.Problem
	if err == nil || errors.As(err, &p) {
		return err
	}
	return r.th.Located(err, n.line)
}

// included finds the template that an include names, nil where there is none.
func (r *renderer) included(body []node) (*Template, string, error) {
	name, _, err := r.capture(body)
	if err != nil {
		return nil, "", err
	}
	if name = strings.TrimSpace(name); !path.IsAbs(name) {
		name = path.Join(path.Dir(r.file), name)
	}
	t, p := r.load(name)
	if p != nil {
		return nil, name, p
	}
	return t, name, nil
}

// inline renders an included template where the include stands.
func (r *renderer) inline(t *Template) error {
	file := r.file
	r.file = t.File
	if err := r.all(t.body); err != nil {
		return tmpl.Failure(t.File, 0, err)
	}
	r.file = file
	return nil
}

func (n *includeNode) render(r *renderer) error {
	if err := r.th.Enter(); err != nil {
		return err
	}
	defer r.th.Leave()
	t, _, err := r.included(n.name)
	if err != nil || t == nil {
		return err
	}
	return r.inline(t)
}
