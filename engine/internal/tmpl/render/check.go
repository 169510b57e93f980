// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl/cheetah"
	"github.com/bindery/bindery/engine/internal/tmpl/genshi"
	"github.com/bindery/bindery/engine/internal/tmpl/jinja2"
	"github.com/bindery/bindery/engine/problem"
)

// Check tells why a file cannot be read as the template that its name makes it; nil
// where it can, and where it is none.
func (r *Renderer) Check(file string) *problem.Problem {
	var p *problem.Problem
	dir, _, _ := strings.Cut(file, "/")
	base, _, _ := strings.Cut(path.Base(file), ".G")
	base, _, _ = strings.Cut(base, ".H_")
	switch {
	case sealedTemplate(file): // what is wrong with it shows where it is opened
	case dir == "TCheetah" || dir == "Cfg" && path.Ext(file) == ".cheetah":
		_, p = load(r, nil, file, "cheetah", cheetah.Parse)
	case dir == "TGenshi" && base == "template.txt":
		_, p = load(r, nil, file, "genshi-old", genshi.ParseOld)
	case dir == "TGenshi" && base == "template.xml":
		_, p = load(r, nil, file, "markup", genshi.ParseMarkup)
	case dir == "Cfg" && path.Ext(file) == ".jinja2":
		_, p = load(r, nil, file, "jinja2", jinja2.Parse)
	case dir == "TGenshi" || dir == "Cfg" && path.Ext(file) == ".genshi":
		_, p = load(r, nil, file, "genshi", genshi.Parse)
	}
	return p
}

// CheckHelpers tells what the modules of TemplateHelper export that cannot be used.
func (r *Renderer) CheckHelpers() []*problem.Problem {
	var out []*problem.Problem
	for _, name := range r.helpers {
		file := "TemplateHelper/" + name + ".py"
		program, p := r.helperCode(nil, file)
		if p != nil {
			continue // it was told when the modules were found.
		}
		th := r.python.NewThread(&py.World{
			Read:    func(p string) (string, error) { return r.read(nil, p) },
			List:    func(p string) ([]string, bool) { return r.list(nil, p) },
			Resolve: func(string) []string { return nil }, Seed: func() string { return file },
		})
		names, err := th.RunModule(program, file)
		th.Close()
		pos := problem.Pos{File: file}
		if err != nil {
			if raised, ok := err.(*py.Raised); ok && raised.Line > 0 {
				pos.Line = raised.Line
			}
			out = append(out, problem.New(pos, "templatehelper-import-error", "the module cannot be loaded: "+err.Error(), "templates find none of its names"))
			continue
		}
		c := exports{pos: pos, names: names}
		c.check()
		out = append(out, c.found...)
	}
	return out
}

// exports looks at the lists of one module.
type exports struct {
	pos   problem.Pos
	names map[string]py.Value
	found []*problem.Problem
}

func (c *exports) wrong(code, msg, hint string) {
	c.found = append(c.found, problem.New(c.pos, code, msg, hint))
}

func (c *exports) check() {
	export, ok := c.list("__export__")
	defaults, given := c.list("__default__")
	if !ok && !given {
		c.wrong("templatehelper-no-export", "the module has no __export__, so that templates find none of its names", "write __export__ = [...] with the names that are for templates")
	}
	for _, n := range export {
		switch {
		case c.names[n] == nil:
			c.wrong("templatehelper-nonexistent-export", fmt.Sprintf("__export__ names %s, which is not there", n), "")
		case slices.Contains([]string{"name", "fam", "HandleEvent", "defaults", "_module_name", "_attrs"}, n):
			c.wrong("templatehelper-reserved-export", fmt.Sprintf("%s has a meaning of its own in Bcfg2 and cannot be exported", n), "call it something else")
		case strings.HasPrefix(n, "_"):
			c.found = append(c.found, problem.Warn(c.pos, "templatehelper-underscore-export", fmt.Sprintf("%s begins with an underscore, which says that it is private", n), "call it something else"))
		}
	}
	for _, n := range defaults {
		switch {
		case c.names[n] == nil:
			c.wrong("templatehelper-nonexistent-export", fmt.Sprintf("__default__ names %s, which is not there", n), "")
		case slices.Contains([]string{"metadata", "name", "path", "source_path", "repo"}, n):
			c.wrong("templatehelper-reserved-default", fmt.Sprintf("every template has a %s of its own", n), "call it something else")
		case slices.Contains(export, n):
			c.found = append(c.found, problem.Warn(c.pos, "templatehelper-export-and-default", fmt.Sprintf("%s is in __export__ and in __default__", n), "keep one of them"))
		}
	}
}

// list gives the texts of a list of names, and whether there is one.
func (c *exports) list(name string) ([]string, bool) {
	value := c.names[name]
	if value == nil {
		return nil, false
	}
	l, ok := value.(*starlark.List)
	if !ok {
		c.wrong("templatehelper-nonlist-export", name+" is no list", "write "+name+" = [...]")
		return nil, true
	}
	var out []string
	for i := range l.Len() {
		if n, ok := l.Index(i).(starlark.String); ok {
			out = append(out, string(n))
		}
	}
	return out, true
}
