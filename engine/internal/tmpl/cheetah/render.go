// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/internal/trail"
	"github.com/bindery/bindery/engine/problem"
)

// maxIncludes bounds how deep templates include each other.
const maxIncludes = 20

// Render gives the text. names are the attributes of self.
func (t *Template) Render(th *py.Thread, names map[string]py.Value) (string, *problem.Problem) {
	s := &self{attrs: map[string]py.Value{}, globals: new(starlark.Dict)}
	maps.Copy(s.attrs, names)
	s.attrs["varExists"] = py.Func("varExists", s.varExists)
	s.attrs["hasVar"] = s.attrs["varExists"]
	s.attrs["getVar"] = py.Func("getVar", s.getVar)
	r := newRenderer(t, s, 0)
	r.result = r.out
	if err := r.render(th); err != nil {
		return "", t.failure(err)
	}
	return r.out.String(), nil
}

// renderer renders one template. It is the scope of the program's module.
type renderer struct {
	t    *Template
	self *self
	out  *strings.Builder
	// result is what the template gives; out is another one while a value is made.
	result  *strings.Builder
	names   py.Names // of the module
	probing bool
	depth   int // of includes
}

// nothing is what a name has that is no local one.
var nothing = starlark.String("\x00nothing\x00")

func newRenderer(t *Template, s *self, depth int) *renderer {
	r := &renderer{t: t, self: s, out: &strings.Builder{}, names: py.Names{}, depth: depth}
	r.names["self"] = s
	r.names[nameGlobals] = s.globals
	r.names[nameText] = py.Func(nameText, r.text)
	r.names[nameWrite] = py.Func(nameWrite, r.write)
	r.names[nameMember] = py.Func(nameMember, r.writeMember)
	r.names[nameFirst] = py.Func(nameFirst, r.first)
	r.names[nameNext] = py.Func(nameNext, r.next)
	r.names[nameInclude] = py.Func(nameInclude, r.include)
	return r
}

func (r *renderer) render(th *py.Thread) error {
	if err := r.t.program.Run(th, r); err != nil {
		return err
	}
	for _, n := range r.t.defs {
		v := r.names[nameDef+n]
		if th.IsCallable(v) {
			v = r.capture(n, v)
		}
		r.self.attrs[n] = v
	}
	_, err := th.Call(r.names[nameMain], nil, nil)
	return err
}

// capture makes of a #def a function whose value is what it writes.
func (r *renderer) capture(name string, fn py.Value) py.Value {
	return py.Func(name, func(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
		before := r.out
		r.out = &strings.Builder{}
		marked := th.Writing().Marked()
		_, err := th.Call(fn, args, kw)
		th.Writing().Cut(marked)
		text := r.out.String()
		r.out = before
		return starlark.String(text), err
	})
}

// Get looks up a name of the module.
func (r *renderer) Get(n string) (py.Value, bool) {
	if r.probing {
		return nothing, true
	}
	return r.names.Get(n)
}

// Set gives a name of the module a value.
func (r *renderer) Set(n string, v py.Value) { r.names.Set(n, v) }

// Delete takes a name of the module away.
func (r *renderer) Delete(n string) bool { return r.names.Delete(n) }

func (r *renderer) put(th *py.Thread, s string) error {
	if err := th.Grow(len(s)); err != nil {
		return err
	}
	r.out.WriteString(s)
	return nil
}

// text writes a literal text of the template.
func (r *renderer) text(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	i, ok := -1, false
	if len(args) == 1 {
		i, ok = integer(args[0])
	}
	if !ok || i < 0 || i >= len(r.t.texts) {
		return nil, py.Fail("TypeError", "%s() is not for templates", nameText)
	}
	t := r.t.texts[i]
	if w := th.Writing(); w != nil {
		r.t.explain(w, t)
	}
	return starlark.None, r.put(th, t.whole)
}

func integer(v py.Value) (int, bool) {
	n, ok := v.(starlark.Int)
	if !ok {
		return 0, false
	}
	i, ok := n.Int64()
	return int(i), ok
}

// write writes a value: None is nothing.
func (r *renderer) write(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	if len(args) != 1 {
		return nil, py.Fail("TypeError", "%s() takes one value", nameWrite)
	}
	v := args[0]
	if v == starlark.None {
		return v, nil
	}
	s, err := th.Str(v)
	if err != nil {
		return nil, err
	}
	if w := th.Writing(); w != nil {
		at, _ := r.t.at(th.Line())
		w.Wrote(len(s), at.File, at.Line)
	}
	return starlark.None, r.put(th, s)
}

// writeMember writes what names stand for, or leaves a blank for it.
func (r *renderer) writeMember(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	names, auto, err := unpack(args)
	if err != nil {
		return nil, err
	}
	dot := strings.LastIndexByte(names, '.')
	if dot < 0 {
		return nil, py.Fail("TypeError", "%s() is not for templates", nameMember)
	}
	v, err := r.lookup(th, args[0], names[:dot], names, auto)
	if err != nil {
		return nil, err
	}
	if late, ok := v.(tmpl.Late); ok && r.out == r.result && late.Later(names[dot+1:], r.out.Len()) {
		return starlark.None, th.Grow(tmpl.MaxLate)
	}
	if v, err = walk(th, v, names[dot:], names, auto); err != nil {
		return nil, r.missing(th, err)
	}
	return r.write(th, starlark.Tuple{v}, nil)
}

// explain notes the lines of a literal text.
func (t *Template) explain(w *trail.Writing, l literal) {
	for _, p := range l.pieces {
		line := position(t.file, t.src, p.from).Line
		for s := range strings.Lines(p.text) {
			w.Wrote(len(s), t.file, line)
			line++
		}
	}
}

// include writes a file, as a template of its own that sees self.
func (r *renderer) include(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	if len(args) != 3 {
		return nil, py.Fail("TypeError", "#include takes one file")
	}
	source, ok := args[0].(starlark.String)
	if !ok {
		return nil, py.Fail("TypeError", "#include needs a string, not %s", th.Describe(args[0]))
	}
	text, name := string(source), r.t.file
	if args[2] != starlark.None {
		name = text
		if !strings.HasPrefix(name, "/") {
			return nil, &py.Raised{Class: "IOError", Msg: "#include finds no file by the relative name " + shown(name),
				Hint: "write the whole path, such as /var/lib/bcfg2/Cfg/…"}
		}
		var err error
		if text, err = readFile(th, args[2], name); err != nil {
			return nil, err
		}
	}
	if raw, _ := integer(args[1]); raw == 1 {
		th.Writing().Wrote(len(text), name, 0)
		return starlark.None, r.put(th, text)
	}
	if r.depth >= maxIncludes {
		return nil, py.Fail("RuntimeError", "#include nests too deep: a file includes itself")
	}
	if err := th.Step(len(text)); err != nil {
		return nil, err
	}
	t, p := Parse(name, text)
	if p != nil {
		return nil, included(p)
	}
	inner := newRenderer(t, r.self, r.depth+1)
	inner.out, inner.result = r.out, r.result
	if err := inner.render(th); err != nil {
		var limit *py.Limit
		if errors.As(err, &limit) {
			return nil, err
		}
		return nil, included(t.failure(err))
	}
	return starlark.None, nil
}

// included is the problem of an included file as an exception.
func included(p *problem.Problem) error {
	return &py.Raised{Class: "IncludeError", Msg: fmt.Sprintf("%s: %s", p.Pos, p.Msg), Hint: p.Hint}
}

// readFile reads a file by Python's open.
func readFile(th *py.Thread, open py.Value, file string) (string, error) {
	f, err := th.Call(open, starlark.Tuple{starlark.String(file)}, nil)
	if err != nil {
		return "", err
	}
	read, err := th.Attr(f, "read")
	if err != nil {
		return "", err
	}
	v, err := th.Call(read, nil, nil)
	if err != nil {
		return "", err
	}
	return th.Str(v)
}
