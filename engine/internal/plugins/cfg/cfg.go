// SPDX-License-Identifier: Apache-2.0

// Package cfg is Bcfg2's Cfg: a directory for each managed file, with variants
// for groups and hosts, Info about owner and mode, and deltas. It must not know
// other generators.
package cfg

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/keyfile"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/tmpl/render"
	"github.com/bindery/bindery/engine/problem"
)

// Cfg is safe for concurrent use.
type Cfg struct {
	sets     map[string]*set
	defaults plugin.FileDefaults
	checker  *keyfile.Checker
	// names is which paths there are; whole is what sets depend on that look at
	// others.
	names, whole *memo.Part
}

var (
	_ plugin.Generator = (*Cfg)(nil)
	_ plugin.Lister    = (*Cfg)(nil)
	_ plugin.KeyHolder = (*Cfg)(nil)
	_ plugin.Sourced   = (*Cfg)(nil)
)

// set is what one directory holds.
type set struct {
	dir      string // below the repository, such as Cfg/etc/motd
	part     *memo.Part
	variants *plugin.Variants[*source]
	deltas   []delta
	info     *plugin.Info
	// creators are the files that describe a key or certificate, by base name.
	creators map[string]*keyfile.File
	// templates renders the variants that are templates.
	templates *render.Renderer
}

// New reads the directory tree; contents are read when they are first needed.
func New(env plugin.Env) *Cfg {
	c := &Cfg{
		sets: map[string]*set{}, defaults: plugin.NewFileDefaults(env.Conf), checker: keyfile.NewChecker(env),
		names: &memo.Part{}, whole: env.Sources.Whole,
	}
	env = env.Unnoted()
	var dirs []string
	files := map[string][]string{}
	for _, name := range plugin.Walk(env, "Cfg") {
		dir := path.Dir(name)
		if dir == "Cfg" {
			env.Report(problem.Warn(problem.Pos{File: name}, "unknown-cfg-files", "a file directly in Cfg belongs to no path", "put it in a directory of its own name"))
			continue
		}
		if files[dir] == nil {
			dirs = append(dirs, dir)
		}
		files[dir] = append(files[dir], path.Base(name))
	}
	for _, dir := range dirs {
		part, env := env.Own(dir)
		s := newSet(env, dir, files[dir])
		s.part = part
		c.sets[strings.TrimPrefix(dir, "Cfg")] = s
	}
	env.Sources.Revision.Fact("Cfg", "\n"+strings.Join(dirs, "\n"))
	c.names.Fact(env.Sources.Revision, "Cfg")
	return c
}

// Part is what the content of a path comes from.
func (c *Cfg) Part(n plugin.Name) *memo.Part {
	s := c.sets[n.Name]
	switch {
	case n.Tag != "Path":
		return nil
	case s == nil:
		return c.names
	case len(s.creators) > 0 || s.variants.Any(func(from *source) bool { return from.keys != nil }):
		return c.whole
	}
	return s.part
}

// Name is the plugin's name.
func (c *Cfg) Name() string { return "Cfg" }

// Lists tells whether there is a directory for the path.
func (c *Cfg) Lists(n plugin.Name) bool { return n.Tag == "Path" && c.sets[n.Name] != nil }

// Serves tells whether there is content for the path on the host.
func (c *Cfg) Serves(v *memo.View, path string) bool {
	s := c.sets[path]
	return s != nil && s.variants.Best(v) != nil
}

// Names lists the paths, sorted.
func (c *Cfg) Names(tag string) []string {
	if tag != "Path" {
		return nil
	}
	return slices.Sorted(maps.Keys(c.sets))
}

// Handles is always false: all paths are listed.
func (c *Cfg) Handles(*memo.View, plugin.Name) bool { return false }

// newSet sorts the files of a directory by what they are. A directory that holds
// any file is a path, even where nothing in it can be delivered.
func newSet(env plugin.Env, dir string, names []string) *set {
	s := &set{dir: dir, templates: env.Templates}
	var list []plugin.Variant[*source]
	var infos []string
	for _, name := range names {
		if skipped(name) {
			continue
		}
		full := dir + "/" + name
		h, specific := classify(path.Base(dir), name)
		switch h.kind {
		case infoFile:
			infos = append(infos, name)
		case catDelta, diffDelta:
			s.deltas = append(s.deltas, delta{specific: specific, source: newSource(env, full, h)})
		case verifier:
			env.Report(problem.Warn(problem.Pos{File: full}, "verifier-not-run", "a verifier is a program of the repository and is not run", ""))
		case creator:
			s.create(env, name, full)
		case unknown:
			env.Report(problem.Warn(problem.Pos{File: full}, "unknown-cfg-files", "Cfg does not understand this file name; the file is ignored",
				"variants are named "+path.Base(dir)+".G##_group or "+path.Base(dir)+".H_host, with an extension behind that"))
		default:
			from := newSource(env, full, h)
			if h.kind == keys {
				from.keys = newAllowed(env, full)
			}
			list = append(list, plugin.Variant[*source]{Specific: specific, File: name, Value: from})
		}
	}
	s.variants = plugin.NewVariants(env.Voc, list)
	for i := range s.deltas {
		s.deltas[i].group = env.Voc.ID(s.deltas[i].specific.Group)
	}
	sortDeltas(s.deltas)
	s.info = plugin.NewInfoOf(env, dir, infos)
	return s
}

// skipped are files that no plugin looks at: includes of templates and what
// editors leave.
func skipped(name string) bool {
	switch path.Ext(name) {
	case ".genshi_include", ".jinja2_include":
		return true
	case ".swp", ".swx":
		return strings.HasPrefix(name, ".")
	}
	return strings.HasPrefix(name, ".#") || strings.HasSuffix(name, "~")
}
