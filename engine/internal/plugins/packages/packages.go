// SPDX-License-Identifier: Apache-2.0

// Package packages is Bcfg2's Packages: the sources that apply to a host decide the
// type of its packages, what these need besides, and how the host's own package
// tool is configured. What sources have is known from what the repository records
// of them; nothing outside is ever read. It must not know other generators.
package packages

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const sourcesFile = "Packages/sources.xml"

// Packages is safe for concurrent use.
type Packages struct {
	sources []source
	version string
	// configs are the Paths that the plugin would generate.
	configs []string
	// catalog is nil where nothing is recorded, or nothing is to be resolved.
	catalog *catalog
}

var (
	_ plugin.Fallback  = (*Packages)(nil)
	_ plugin.Completer = (*Packages)(nil)
)

// New reads sources.xml.
func New(env plugin.Env) *Packages {
	p := &Packages{
		version: env.Conf.Get("packages", "version", "auto"),
		configs: []string{
			env.Conf.Get("packages", "apt_config", "/etc/apt/sources.list.d/bcfg2-packages-generated-sources.list"),
			env.Conf.Get("packages", "yum_config", "/etc/yum.repos.d/bcfg2.repo"),
		},
	}
	if _, err := fs.Stat(env.FS, sourcesFile); errors.Is(err, fs.ErrNotExist) {
		env.Report(problem.Warn(problem.Pos{File: sourcesFile}, "no-sources", "there is no sources.xml: every package gets type unknown", "list the package sources there"))
		return p
	}
	doc, bad := xmltree.Load(env.FS, sourcesFile)
	if bad != nil {
		env.Report(bad)
		return p
	}
	for _, f := range doc.Problems {
		env.Report(f)
	}
	p.sources = compile(env, doc.Root)
	if magic(env.Conf) {
		for i := range p.sources {
			s := &p.sources[i]
			for _, g := range baseGroups[s.kind] {
				s.base = append(s.base, env.Voc.ID(g))
			}
		}
	}
	if on(env.Conf.Get("packages", "resolver", "enabled")) && on(env.Conf.Get("packages", "metadata", "enabled")) {
		if get := recorded(env); get != nil {
			p.catalog = &catalog{get: get}
		} else if slices.ContainsFunc(p.sources, func(s source) bool { return s.kind != "" }) {
			env.Report(problem.Warn(problem.Pos{File: sourcesFile}, "sources-not-recorded", "packages that others need are not added, as it is not recorded what the sources have", `run "bindery packages update" and commit what it writes, or set resolver = disabled in [packages] of bcfg2.conf`))
		}
	}
	return p
}

// baseGroups are the groups of which a host must be in one to get a source of the
// type, where magic groups are on.
var baseGroups = map[string][]string{
	"deb":    {"apt", "debian", "ubuntu", "nexenta"},
	"yum":    {"yum", "redhat", "centos", "fedora"},
	"pacman": {"arch", "parabola"},
}

// magic tells whether Bcfg2 1.2's magic groups are asked for.
func magic(conf plugin.Conf) bool {
	return on(conf.Get("packages", "magic_groups", "off"))
}

// on reads a switch of bcfg2.conf.
func on(value string) bool {
	switch strings.ToLower(value) {
	case "0", "no", "false", "off", "disabled":
		return false
	}
	return true
}

// Name is the plugin's name.
func (p *Packages) Name() string { return "Packages" }

// Lists is always false: any package is served, known or not.
func (p *Packages) Lists(plugin.Name) bool { return false }

// Takes tells whether the entry is a package.
func (p *Packages) Takes(n plugin.Name) bool { return n.Tag == "Package" }

// Handles tells whether the entry is a package or a configuration file that the
// plugin generates.
func (p *Packages) Handles(_ *memo.View, n plugin.Name) bool {
	return n.Tag == "Package" || n.Tag == "Path" && slices.Contains(p.configs, n.Name)
}

// Bind gives a package its version and the type of the sources for the host.
func (p *Packages) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	d.BoundAt = config.Source{File: sourcesFile}
	if d.Tag != "Package" {
		p.generate(v, d)
		return nil
	}
	if group, ok := d.Lookup("group"); ok && d.Name() == "" {
		d.Dropped = true // what is in it comes with what it needs
		switch kind := p.kind(v); {
		case !grouped(kind):
			d.Notes = append(d.Notes, problem.New(d.At, "package-group", fmt.Sprintf("there are no package groups for packages of type %s: %s is left out", kind, group), "name the packages"))
		case p.catalog == nil:
			d.Notes = append(d.Notes, problem.New(d.At, "package-group", fmt.Sprintf("it is not recorded what is in package group %s: it is left out", group), `run "bindery packages update" and commit what it writes`))
		}
		return nil
	}
	d.Set("version", p.version)
	kind := p.kind(v)
	d.Set("type", kind)
	if kind == "unknown" && len(p.sources) > 0 {
		d.Notes = append(d.Notes, problem.Warn(d.At, "no-package-source", fmt.Sprintf("Package %s gets type unknown: no source applies to the host, or sources of several types do", d.Name()), "a source applies to hosts in a group named as one of its Arch elements, under all conditions around it"))
	}
	return nil
}

// kind is the type of a host's packages: unknown where no source applies, or
// sources of more than one type do.
func (p *Packages) kind(v *memo.View) string {
	found := ""
	for i := range p.sources {
		s := &p.sources[i]
		if !s.applies(v) {
			continue
		}
		if found != "" && found != s.kind {
			return "unknown"
		}
		found = s.kind
	}
	if found == "" {
		return "unknown"
	}
	return found
}
