// SPDX-License-Identifier: Apache-2.0

// Package pending stands in for the plugins of Bcfg2 that Bindery knows by name
// and does not evaluate yet: an entry that such a plugin would serve fails and
// says so, instead of being taken for one that nobody serves.
package pending

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// Generator is a plugin that would serve entries. It is safe for concurrent use.
type Generator struct {
	name   string
	listed map[plugin.Name]bool
}

var (
	_ plugin.Generator = (*Generator)(nil)
	_ plugin.Lister    = (*Generator)(nil)
)

// Generators are the names of plugins that New knows.
var Generators = []string{"SEModules"}

// New lists what a plugin would serve.
func New(env plugin.Env, name string) *Generator {
	g := &Generator{name: name, listed: map[plugin.Name]bool{}}
	for _, file := range plugin.Walk(env, name) {
		switch name {
		case "SEModules":
			module := path.Base(path.Dir(file))
			g.listed[plugin.Name{Tag: "SEModule", Name: module, Named: true}] = true
			g.listed[plugin.Name{Tag: "SEModule", Name: strings.TrimSuffix(module, ".pp"), Named: true}] = true
		}
	}
	return g
}

// Name is the plugin's name.
func (g *Generator) Name() string { return g.name }

// Lists tells whether the plugin would serve the entry.
func (g *Generator) Lists(n plugin.Name) bool { return g.listed[n] }

// Names lists what the plugin would serve, sorted.
func (g *Generator) Names(tag string) []string {
	var out []string
	for n := range g.listed {
		if n.Tag == tag {
			out = append(out, n.Name)
		}
	}
	slices.Sort(out)
	return out
}

// Handles is always false.
func (g *Generator) Handles(*memo.View, plugin.Name) bool { return false }

// Bind fails.
func (g *Generator) Bind(_ *memo.View, d *plugin.Draft) *problem.Problem {
	return problem.New(problem.Pos{File: g.name}, "not-supported", fmt.Sprintf("%s serves %s %s, and this version does not evaluate it", g.name, d.Tag, d.Name()), "")
}

// without are plugins that give data, groups or more entries, and are known.
var without = map[string]string{
	"Hostbase": "it serves nothing", "Account": "it serves nothing", "SGenshi": "hosts do without its bundles",
}

// harmless are plugins whose work the controller does, or that do nothing to a
// configuration.
var harmless = []string{"ACL", "Bzr", "Cvs", "DBStats", "Darcs", "Fossil", "Git", "Guppy", "Hg", "Reporting", "Snapshots", "Statistics", "Svn", "Svn2", "Trigger"}

// Note says what is missing because a plugin is not evaluated; known is false for
// a name that no plugin has.
func Note(name string) (note *problem.Problem, known bool) {
	if slices.Contains(harmless, name) {
		return nil, true
	}
	what, ok := without[name]
	if slices.Contains(Generators, name) {
		what, ok = "entries that it serves fail", true
	}
	if !ok {
		return nil, false
	}
	return problem.Warn(problem.Pos{File: name}, "plugin-not-supported", fmt.Sprintf("plugin %s is not evaluated by this version: %s", name, what), ""), true
}
