// SPDX-License-Identifier: Apache-2.0

package render

import (
	"path"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/problem"
)

// maxHelper bounds a module of TemplateHelper in bytes.
const maxHelper = 1 << 20

// ReadHelpers finds the modules of TemplateHelper, before anything is rendered.
func (r *Renderer) ReadHelpers(files []string, report func(*problem.Problem)) {
	for _, name := range files {
		if path.Ext(name) != ".py" || path.Dir(name) != "TemplateHelper" {
			continue
		}
		if _, p := r.helperCode(nil, name); p != nil {
			report(p)
		}
		r.helpers = append(r.helpers, strings.TrimSuffix(path.Base(name), ".py"))
	}
}

func (r *Renderer) helperCode(v *memo.View, file string) (*py.Program, *problem.Problem) {
	return load(r, v, file, "python", func(file, src string) (*py.Program, *problem.Problem) {
		if len(src) > maxHelper {
			return nil, problem.New(problem.Pos{File: file}, "file-too-large", "too long a module", "")
		}
		program, err := py.Parse(strings.ReplaceAll(src, "\r\n", "\n"), 1)
		if err != nil {
			return nil, tmpl.Syntax(file, 1, err)
		}
		return program, nil
	})
}

// module gives the code of a module that a template imports, by the path that it
// has for code.
func (r *Renderer) module(v *memo.View, p string) (*py.Program, string, error) {
	name, ok := inside(p)
	if !ok {
		return nil, "", py.Fail("ImportError", "%s is not in the specification", p)
	}
	program, failed := r.helperCode(v, name)
	if failed != nil {
		return nil, "", &py.Raised{Class: "SyntaxError", Msg: failed.Msg, File: name, Line: failed.Pos.Line, Hint: failed.Hint}
	}
	return program, name, nil
}

// helper runs a module of TemplateHelper. One that fails, or exports nothing, is
// there without names.
func (r *Renderer) helper(v *memo.View, th *py.Thread, name string) (map[string]py.Value, error) {
	file := "TemplateHelper/" + name + ".py"
	program, p := r.helperCode(v, file)
	if p != nil {
		return nil, nil
	}
	names, err := th.RunModule(program, file)
	if raised, ok := err.(*py.Raised); ok && raised.Class != "NotSupported" {
		return nil, nil
	}
	return names, err
}

// listed gives the names of a module that one of its lists has.
func listed(names map[string]py.Value, list string) map[string]py.Value {
	out := map[string]py.Value{}
	l, ok := names[list].(*starlark.List)
	if !ok {
		return out
	}
	for i := range l.Len() {
		if n, ok := l.Index(i).(starlark.String); ok && names[string(n)] != nil {
			out[string(n)] = names[string(n)]
		}
	}
	return out
}

// helperSet is metadata.TemplateHelper. Modules run once for each template.
func (r *Renderer) helperSet(v *memo.View) py.Value {
	made := map[string]py.Value{}
	m := &mapping{kind: "TemplateHelper", hint: "write the module into TemplateHelper", names: func() []string { return r.helpers }}
	m.get = func(th *py.Thread, name string) (py.Value, error) {
		if m := made[name]; m != nil {
			return m, nil
		}
		for _, h := range r.helpers {
			if h != name {
				continue
			}
			names, err := r.helper(v, th, name)
			if err != nil {
				return nil, err
			}
			made[name] = py.NewModule(name, listed(names, "__export__"))
		}
		return made[name], nil
	}
	return newMapping(m)
}

// defaults adds the names that modules give to every template of Cfg.
func (r *Renderer) defaults(v *memo.View, th *py.Thread, to map[string]py.Value) error {
	for _, h := range r.helpers {
		names, err := r.helper(v, th, h)
		if err != nil {
			return err
		}
		for n, v := range listed(names, "__default__") {
			to[n] = v
		}
	}
	return nil
}
