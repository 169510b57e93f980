// SPDX-License-Identifier: Apache-2.0

// Package render renders the templates of one specification for a host: it reads
// and keeps them, and makes what they see: metadata, its queries, probe data. It
// must not know what is made of the text, nor ask a host but through a View.
package render

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/shelf"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/internal/tmpl/cheetah"
	"github.com/bindery/bindery/engine/internal/tmpl/genshi"
	"github.com/bindery/bindery/engine/internal/tmpl/jinja2"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// Repo is where templates believe the specification to be, as on the old server.
const Repo = "/var/lib/bcfg2"

// Fleet is what queries are answered from.
type Fleet interface {
	// Names lists the hosts of clients.xml, sorted.
	Names() []string
	// Host resolves a host without its probe data; nil where it is refused.
	Host(name string) *host.Host
	// Groups lists all groups, or those of a category, sorted.
	Groups() []string
	GroupsOf(category string) []string
}

// Renderer is safe for concurrent use.
type Renderer struct {
	python *py.Python
	fsys   fs.FS
	// sources knows the parts that are read.
	sources *memo.Sources
	fleet   Fleet
	parsed  sync.Map // key → func() (*genshi.Template, *problem.Problem) and the like
	// patterns is what templates gave: patternKey → *memo.Tree[*pattern].
	patterns sync.Map
	hosts    func() map[string]*host.Host
	data     []string
	// unfinished: the groups of the host at hand are not all known yet.
	unfinished bool
	// properties and helpers are read before anything is rendered.
	properties map[string]*property
	// parts are those of Properties by name, readable or not, with what they include.
	parts   map[string][]*memo.Part
	helpers []string
	vault   *vault.Vault
}

// Config is what a renderer is made from.
type Config struct {
	// Sources is the specification.
	Sources *memo.Sources
	Fleet   Fleet
	// Connectors are the plugins whose data hosts have.
	Connectors []string
	// Vault opens what is encrypted.
	Vault *vault.Vault
}

// New makes a renderer.
func New(c Config) *Renderer {
	r := &Renderer{python: py.New(), fsys: c.Sources.Tree, sources: c.Sources, fleet: c.Fleet, data: c.Connectors, vault: c.Vault, properties: map[string]*property{}, parts: map[string][]*memo.Part{}}
	r.hosts = sync.OnceValue(r.resolveAll)
	return r
}

// ForGroups makes a Renderer one for templates that give groups: to its own queries
// the host at hand is what it is so far.
func (r *Renderer) ForGroups() *Renderer {
	r.unfinished = true
	return r
}

// Job is one template to be rendered.
type Job struct {
	// File is the template, below the repository.
	File string
	// Vars are its variables besides metadata.
	Vars []Var
	// Defaults: the names that TemplateHelper gives to templates are there too.
	Defaults bool
}

// Var is a variable of a template.
type Var struct{ Name, Value string }

// world is what the code of a template sees of the specification.
func (r *Renderer) world(v *memo.View, seed string) *py.World {
	return &py.World{
		Read: func(p string) (string, error) {
			if name, ok := inside(p); ok {
				v.Trail().Read(name)
			}
			return r.read(v, p)
		},
		Code: func(p string) (*py.Program, string, error) {
			if name, ok := inside(p); ok {
				v.Trail().Read(name)
			}
			return r.module(v, p)
		},
		Lib:  []string{Repo + "/lib"},
		List: func(p string) ([]string, bool) { return r.list(v, p) },
		Resolve: func(name string) []string {
			v.Use(r.sources.Whole)
			if c := r.client(name); c != nil {
				return c.Addresses
			}
			return r.namesOf(name)
		},
		Seed:    func() string { return v.Name() + " " + seed },
		Writing: v.Trail().Writing(),
	}
}

// inside gives the path below the repository, for a path that code uses.
func inside(p string) (string, bool) {
	p = path.Clean(p)
	if p == Repo {
		return ".", true
	}
	return strings.CutPrefix(p, Repo+"/")
}

// maxRead bounds a file that code opens.
const maxRead = 16 << 20

func (r *Renderer) read(v *memo.View, p string) (string, error) {
	name, ok := inside(p)
	if !ok {
		return "", &py.Raised{Class: "IOError", Msg: "[Errno 2] No such file or directory: '" + p + "'", Hint: "templates read files of the specification alone; commit the file"}
	}
	v.Use(r.sources.File(name))
	data, err := fs.ReadFile(r.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", py.Fail("IOError", "[Errno 2] No such file or directory: '%s'", p)
	}
	if err != nil {
		return "", py.Fail("IOError", "%v", err)
	}
	if len(data) > maxRead {
		return "", py.Fail("IOError", "%s has %d bytes; at most %d are read", p, len(data), maxRead)
	}
	return string(data), nil
}

func (r *Renderer) list(v *memo.View, p string) ([]string, bool) {
	name, ok := inside(p)
	if !ok {
		return nil, false
	}
	v.Use(r.sources.Folder(name))
	entries, err := fs.ReadDir(r.fsys, name)
	if err != nil {
		return nil, false
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Name()
	}
	return out, true
}

// exists tells whether there is a file.
func (r *Renderer) exists(v *memo.View, name string) bool {
	v.Use(r.sources.File(name))
	st, err := fs.Stat(r.fsys, name)
	return err == nil && !st.IsDir()
}

// templateCost is about how many bytes of memory a byte of a template takes.
const templateCost = 24

// load reads and parses a file once, or takes it from another revision. v is nil before there are hosts.
func load[T any](r *Renderer, v *memo.View, name, syntax string, parse func(file, src string) (*T, *problem.Problem)) (*T, *problem.Problem) {
	type result struct {
		t *T
		p *problem.Problem
	}
	read := func() (result, int, bool) {
		data, p := file.Read(r.fsys, name, tmpl.MaxTemplate)
		if p != nil {
			return result{nil, p}, 0, false
		}
		if sealedTemplate(name) {
			if data, p = r.vault.File(name, data); p != nil {
				return result{nil, p}, 0, false
			}
		}
		t, p := parse(name, string(data))
		return result{t, p}, templateCost * len(data), p == nil
	}
	once, _ := r.parsed.LoadOrStore(syntax+"\x00"+name, sync.OnceValue(func() (out result) {
		if sealedTemplate(name) { // what it is depends on keys
			out, _, _ = read()
			return out
		}
		return shelf.Get(r.fsys, syntax, name, read)
	}))
	v.Use(r.sources.File(name))
	out := once.(func() result)()
	return out.t, out.p
}

// sealedTemplate tells whether a template is encrypted as a whole, by its name.
func sealedTemplate(name string) bool {
	_, sealed := secret.Plain(name)
	if !sealed {
		_, sealed = secret.Plain(strings.TrimSuffix(name, path.Ext(name)))
	}
	return sealed
}

// template gives the template of a job. One that is encrypted taints what is made
// of it.
func template[T any](r *Renderer, v *memo.View, name, syntax string, parse func(file, src string) (*T, *problem.Problem)) (*T, *problem.Problem) {
	t, p := load(r, v, name, syntax, parse)
	if sealedTemplate(name) && !vault.Closed(p) {
		v.Taint()
	}
	return t, vault.Withhold(v, p)
}

// names gives a template its variables.
func (r *Renderer) names(v *memo.View, th *py.Thread, j Job, blanks *[]int) (map[string]py.Value, *problem.Problem) {
	metadata := r.metadata(v)
	metadata.blanks = blanks
	out := map[string]py.Value{"metadata": metadata}
	if j.Defaults {
		if err := r.defaults(v, th, out); err != nil {
			return nil, tmpl.Failure(j.File, 0, err)
		}
	}
	for _, v := range j.Vars {
		out[v.Name] = starlark.String(v.Value)
	}
	return out, nil
}

// parser reads a template of one language.
type parser[T any] = func(file, src string) (*T, *problem.Problem)

// rendered renders a template with what is particular to its language.
func rendered[T any](r *Renderer, v *memo.View, j Job, syntax string, parse parser[T], render func(v *memo.View, t *T, th *py.Thread, names map[string]py.Value) (string, *problem.Problem)) (string, *problem.Problem) {
	return r.shared(v, j, syntax, func(v *memo.View, blanks *[]int) (string, *problem.Problem) {
		t, p := template(r, v, j.File, syntax, parse)
		if p != nil {
			return "", p
		}
		th := r.python.NewThread(r.world(v, j.File))
		defer th.Close()
		names, p := r.names(v, th, j, blanks)
		if p != nil {
			return "", vault.Withhold(v, p)
		}
		text, p := render(v, t, th, names)
		return text, vault.Withhold(v, p)
	})
}

// included finds the templates that templates name; nil where there is none.
func included[T any](r *Renderer, v *memo.View, syntax string, parse parser[T]) func(name string) (*T, *problem.Problem) {
	return func(name string) (*T, *problem.Problem) {
		name, ok := strings.CutPrefix(name, Repo+"/")
		if !ok {
			name = strings.TrimPrefix(name, "/")
		}
		if name = path.Clean(name); !r.exists(v, name) {
			return nil, nil
		}
		v.Trail().Read(name)
		return template(r, v, name, syntax, parse)
	}
}

// Genshi renders a Genshi text template in the new syntax.
func (r *Renderer) Genshi(v *memo.View, j Job) (string, *problem.Problem) {
	return r.genshi(v, j, "genshi", genshi.Parse)
}

// GenshiOld renders a Genshi text template in the old syntax.
func (r *Renderer) GenshiOld(v *memo.View, j Job) (string, *problem.Problem) {
	return r.genshi(v, j, "genshi-old", genshi.ParseOld)
}

func (r *Renderer) genshi(v *memo.View, j Job, syntax string, parse parser[genshi.Template]) (string, *problem.Problem) {
	return rendered(r, v, j, syntax, parse, func(v *memo.View, t *genshi.Template, th *py.Thread, names map[string]py.Value) (string, *problem.Problem) {
		return t.Render(th, names, included(r, v, syntax, parse))
	})
}

// GenshiMarkup renders a template of Genshi's markup to text.
func (r *Renderer) GenshiMarkup(v *memo.View, j Job) (string, *problem.Problem) {
	return rendered(r, v, j, "markup", genshi.ParseMarkup, func(v *memo.View, t *genshi.Template, th *py.Thread, names map[string]py.Value) (string, *problem.Problem) {
		return t.RenderMarkup(th, names, included(r, v, "markup", genshi.ParseMarkup))
	})
}

// Cheetah renders a Cheetah template.
func (r *Renderer) Cheetah(v *memo.View, j Job) (string, *problem.Problem) {
	return rendered(r, v, j, "cheetah", cheetah.Parse, func(_ *memo.View, t *cheetah.Template, th *py.Thread, names map[string]py.Value) (string, *problem.Problem) {
		return t.Render(th, names)
	})
}

// Jinja2 renders a template of Jinja2.
func (r *Renderer) Jinja2(v *memo.View, j Job) (string, *problem.Problem) {
	return rendered(r, v, j, "jinja2", jinja2.Parse, func(v *memo.View, t *jinja2.Template, th *py.Thread, names map[string]py.Value) (string, *problem.Problem) {
		return t.Render(th, names, included(r, v, "jinja2", jinja2.Parse))
	})
}
