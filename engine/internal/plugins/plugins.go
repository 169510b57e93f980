// SPDX-License-Identifier: Apache-2.0

// Package plugins is the explicit list of Bcfg2's plugins that Bindery has, in
// Bcfg2's order. There is no registration elsewhere. It must not know how what
// they give is put together.
package plugins

import (
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins/base"
	"github.com/bindery/bindery/engine/internal/plugins/bundler"
	"github.com/bindery/bindery/engine/internal/plugins/cfg"
	"github.com/bindery/bindery/engine/internal/plugins/compat"
	"github.com/bindery/bindery/engine/internal/plugins/decisions"
	"github.com/bindery/bindery/engine/internal/plugins/defaults"
	"github.com/bindery/bindery/engine/internal/plugins/deps"
	"github.com/bindery/bindery/engine/internal/plugins/external"
	"github.com/bindery/bindery/engine/internal/plugins/fileprobes"
	"github.com/bindery/bindery/engine/internal/plugins/grouplogic"
	"github.com/bindery/bindery/engine/internal/plugins/grouppatterns"
	"github.com/bindery/bindery/engine/internal/plugins/nagiosgen"
	"github.com/bindery/bindery/engine/internal/plugins/packages"
	"github.com/bindery/bindery/engine/internal/plugins/pkgmgr"
	"github.com/bindery/bindery/engine/internal/plugins/probes"
	"github.com/bindery/bindery/engine/internal/plugins/rules"
	"github.com/bindery/bindery/engine/internal/plugins/semodules"
	"github.com/bindery/bindery/engine/internal/plugins/sgenshi"
	"github.com/bindery/bindery/engine/internal/plugins/sshbase"
	"github.com/bindery/bindery/engine/internal/plugins/sslca"
	"github.com/bindery/bindery/engine/internal/plugins/svcmgr"
	"github.com/bindery/bindery/engine/internal/plugins/templated"
	"github.com/bindery/bindery/engine/problem"
)

// evaluated are the plugins that Load makes.
var evaluated = []string{
	"AWSTags", "Base", "Bundler", "Cfg", "Decisions", "Defaults", "Deps", "FileProbes", "GroupLogic", "GroupPatterns", "Ldap", "Metadata", "NagiosGen", "Ohai",
	"POSIXCompat", "Packages", "Pkgmgr", "Probes", "Properties", "PuppetENC", "Rules", "SEModules", "SGenshi", "SSHbase", "SSLCA", "ServiceCompat", "Svcmgr", "TCheetah", "TGenshi", "TemplateHelper",
}

// Set is the plugins of one specification, by what they can do.
type Set struct {
	Bundler    *bundler.Bundler
	Structures []plugin.Structures
	Generators []plugin.Generator
	// Sourced are those of Generators that tell what entries are made of.
	Sourced []plugin.Sourced
	// Fallback serves what no Generator does; nil for none.
	Fallback   plugin.Fallback
	Connectors []plugin.Connector
	Finishers  []plugin.Finisher
	Completers []plugin.Completer
	Askers     []plugin.Asker
	// FileProbes is nil where the plugin is off.
	FileProbes *fileprobes.FileProbes
	// Packages is nil where the plugin is off.
	Packages *packages.Packages
	// Decisions is nil where the plugin is off.
	Decisions *decisions.Decisions
}

// connectors are the plugins that are asked for groups, and that attach data to
// hosts, in that order.
var connectors = []string{"AWSTags", "GroupPatterns", "Ldap", "Ohai", "Packages", "Probes", "Properties", "PuppetENC", "TemplateHelper", "GroupLogic"}

// Data lists those of the plugins that attach data to hosts, in Bcfg2's order.
func Data(names []string) []string {
	return slices.DeleteFunc(slices.Clone(connectors), func(n string) bool { return !slices.Contains(names, n) })
}

// Present lists the plugins whose directory exists, sorted: where nothing says which
// are on, these are. Those that are not evaluated are among them, to be told.
func Present(fsys fs.FS) []string {
	var out []string
	for _, name := range slices.AppendSeq(slices.Clone(evaluated), maps.Keys(retired)) {
		st, err := fs.Stat(fsys, name)
		// A directory that cannot be read is there: its plugin will say so.
		if err == nil && st.IsDir() || err != nil && !errors.Is(err, fs.ErrNotExist) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Load makes the plugins of those names. Unknown ones, and those that are not
// evaluated, are reported.
func Load(env plugin.Env, names []string) *Set {
	on := map[string]bool{}
	for _, n := range names {
		on[n] = true
	}
	if on["Packages"] && on["Pkgmgr"] {
		env.Report(problem.Warn(problem.Pos{File: "Pkgmgr"}, "plugin-conflict", "Packages and Pkgmgr exclude each other; Pkgmgr is left out", "switch one of them off"))
		delete(on, "Pkgmgr")
	}
	if on["Properties"] {
		env.Templates.ReadProperties(plugin.Walk(env, "Properties"), env.Conf.True("properties", "automatch", false), env.Report)
	}
	if on["TemplateHelper"] {
		env.Templates.ReadHelpers(plugin.Walk(env, "TemplateHelper"), env.Report)
	}
	s := &Set{}
	s.structures(env, on)
	s.generators(env, on)
	s.connectors(env, on)
	if on["Defaults"] {
		s.Finishers = append(s.Finishers, defaults.New(env))
	}
	if on["POSIXCompat"] {
		s.Finishers = append(s.Finishers, compat.Paths{})
	}
	if on["ServiceCompat"] {
		s.Finishers = append(s.Finishers, compat.Services{})
	}
	if on["Deps"] {
		s.Completers = append(s.Completers, deps.New(env))
	}
	if on["Decisions"] {
		s.Decisions = decisions.New(env)
	}
	for _, n := range names {
		report(env, n)
	}
	return s
}

// connectors makes the plugins that give groups.
func (s *Set) connectors(env plugin.Env, on map[string]bool) {
	for _, name := range connectors {
		switch {
		case !on[name]:
		case name == "GroupPatterns":
			s.Connectors = append(s.Connectors, grouppatterns.New(env))
		case name == "GroupLogic":
			s.Connectors = append(s.Connectors, grouplogic.New(env))
		case name == "Probes":
			p := probes.New(env)
			s.Connectors = append(s.Connectors, p)
			s.Askers = append(s.Askers, p)
		case slices.Contains(external.Names, name):
			c := external.New(env, name)
			s.Connectors = append(s.Connectors, c)
			if a, ok := c.(plugin.Asker); ok {
				s.Askers = append(s.Askers, a)
			}
		default:
			s.Connectors = append(s.Connectors, groupless(name))
		}
	}
}

// groupless is a plugin that could give groups and gives none. The rules of groups.xml
// run again after it all the same.
type groupless string

// Name is the plugin's name.
func (g groupless) Name() string { return string(g) }

// Groups gives none.
func (groupless) Groups(*host.Host) ([]host.Grant, *problem.Problem) { return nil, nil }

func (s *Set) structures(env plugin.Env, on map[string]bool) {
	if on["Base"] {
		s.Structures = append(s.Structures, base.New(env))
	}
	if on["SGenshi"] {
		s.Structures = append(s.Structures, sgenshi.New(env))
	}
	if on["Bundler"] {
		s.Bundler = bundler.New(env)
	}
	if on["Packages"] {
		p := packages.New(env)
		s.Completers = append(s.Completers, p)
		s.Fallback = p
		s.Packages = p
	}
}

func (s *Set) generators(env plugin.Env, on map[string]bool) {
	var content fileprobes.Content
	if on["Cfg"] {
		c := cfg.New(env)
		s.Generators = append(s.Generators, c)
		content = c
	}
	if on["FileProbes"] {
		s.FileProbes = fileprobes.New(env, content)
		s.Askers = append(s.Askers, s.FileProbes)
	}
	if on["NagiosGen"] {
		s.Generators = append(s.Generators, nagiosgen.New(env))
	}
	if on["Rules"] {
		s.Generators = append(s.Generators, rules.New(env))
	}
	for _, name := range []string{"TCheetah", "TGenshi"} {
		if on[name] {
			s.Generators = append(s.Generators, templated.New(env, name))
		}
	}
	if on["Pkgmgr"] {
		s.Generators = append(s.Generators, pkgmgr.New(env))
	}
	if on["SEModules"] {
		s.Generators = append(s.Generators, semodules.New(env))
	}
	if on["SSHbase"] {
		s.Generators = append(s.Generators, sshbase.New(env))
	}
	if on["SSLCA"] {
		s.Generators = append(s.Generators, sslca.New(env))
	}
	if on["Svcmgr"] {
		s.Generators = append(s.Generators, svcmgr.New(env))
	}
	for _, g := range s.Generators {
		if from, ok := g.(plugin.Sourced); ok {
			s.Sourced = append(s.Sourced, from)
		}
	}
}
