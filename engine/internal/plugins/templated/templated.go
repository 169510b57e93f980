// SPDX-License-Identifier: Apache-2.0

// Package templated is Bcfg2's TGenshi and TCheetah: a directory for each managed
// file, with a template in it, or one for each group and host. It must not know
// how templates are rendered.
package templated

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/tmpl/render"
	"github.com/bindery/bindery/engine/problem"
)

// Templates is safe for concurrent use.
type Templates struct {
	name      string
	sets      map[string]*set
	defaults  plugin.FileDefaults
	templates *render.Renderer
}

var (
	_ plugin.Generator = (*Templates)(nil)
	_ plugin.Lister    = (*Templates)(nil)
)

// set is what one directory holds.
type set struct {
	dir      string
	variants *plugin.Variants[template]
	info     *plugin.Info
}

// template is a file and the language that its name says.
type template struct{ file, base string }

// bases are the names of templates of each plugin.
var bases = map[string][]string{
	"TGenshi":  {"template.newtxt", "template.txt", "template.xml"},
	"TCheetah": {"template"},
}

// New reads the directory tree of the plugin of that name.
func New(env plugin.Env, name string) *Templates {
	t := &Templates{name: name, sets: map[string]*set{}, defaults: plugin.NewFileDefaults(env.Conf), templates: env.Templates}
	files := map[string][]string{}
	for _, file := range plugin.Walk(env, name) {
		files[path.Dir(file)] = append(files[path.Dir(file)], path.Base(file))
	}
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		if s := newSet(env, dir, files[dir], bases[name]); s != nil {
			t.sets[strings.TrimPrefix(dir, name)] = s
		}
	}
	return t
}

// newSet sorts the files of a directory; nil where none is a template.
func newSet(env plugin.Env, dir string, names, bases []string) *set {
	var list []plugin.Variant[template]
	var infos []string
	for _, n := range names {
		if plugin.IsInfo(n) {
			infos = append(infos, n)
			continue
		}
		for _, base := range bases {
			if specific, ok := plugin.ParseSpecific(n, base, ""); ok {
				list = append(list, plugin.Variant[template]{Specific: specific, File: n, Value: template{dir + "/" + n, base}})
			}
		}
	}
	if list == nil {
		return nil
	}
	return &set{dir: dir, variants: plugin.NewVariants(env.Voc, list), info: plugin.NewInfoOf(env, dir, infos)}
}

// Name is the plugin's name.
func (t *Templates) Name() string { return t.name }

// Lists tells whether there is a directory for the path.
func (t *Templates) Lists(n plugin.Name) bool { return n.Tag == "Path" && t.sets[n.Name] != nil }

// Names lists the paths, sorted.
func (t *Templates) Names(tag string) []string {
	if tag != "Path" {
		return nil
	}
	return slices.Sorted(maps.Keys(t.sets))
}

// Handles is always false: all paths are listed.
func (t *Templates) Handles(*memo.View, plugin.Name) bool { return false }

// Bind gives a Path the text of its template and the attributes of its directory.
func (t *Templates) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	s := t.sets[d.Name()]
	t.defaults.Apply(d)
	if s.info != nil {
		if p := s.info.Bind(v, d); p != nil {
			return p
		}
	}
	d.Set("type", "file")
	v.Trail().In(s.dir)
	best := s.variants.Best(v)
	if best == nil {
		return problem.New(problem.Pos{File: s.dir}, "no-variant", fmt.Sprintf("no template in %s is for this host", s.dir), "add one without qualifier, or one for a group of the host")
	}
	d.BoundAt = config.Source{File: best.Value.file}
	text, p := t.render(v, d, best.Value)
	if p != nil {
		return p
	}
	return d.Fill(best.Value.file, text)
}

func (t *Templates) render(v *memo.View, d *plugin.Draft, from template) (string, *problem.Problem) {
	file := render.Repo + "/" + from.file
	job := render.Job{File: from.file, Vars: []render.Var{{Name: "name", Value: d.RealName()}, {Name: "path", Value: file}}}
	switch from.base {
	case "template":
		job.Vars = []render.Var{{Name: "path", Value: d.RealName()}, {Name: "source_path", Value: file}}
		return t.templates.Cheetah(v, job)
	case "template.newtxt":
		return t.templates.Genshi(v, job)
	case "template.txt":
		return t.templates.GenshiOld(v, job)
	}
	return t.templates.GenshiMarkup(v, job)
}
