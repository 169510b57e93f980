// SPDX-License-Identifier: Apache-2.0

// Package packages is Bcfg2's Packages without its resolver: the sources that
// apply to a host decide the type of its packages. Dependencies are not added yet;
// nothing outside the repository is ever read. It must not know other generators.
package packages

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const file = "Packages/sources.xml"

// Packages is safe for concurrent use.
type Packages struct {
	sources []source
	version string
	// configs are the Paths that the plugin would generate.
	configs []string
}

var (
	_ plugin.Fallback   = (*Packages)(nil)
	_ plugin.Structures = (*Packages)(nil)
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
	if _, err := fs.Stat(env.FS, file); errors.Is(err, fs.ErrNotExist) {
		env.Report(problem.Warn(problem.Pos{File: file}, "no-sources", "there is no sources.xml: every package gets type unknown", "list the package sources there"))
		return p
	}
	doc, bad := xmltree.Load(env.FS, file)
	if bad != nil {
		env.Report(bad)
		return p
	}
	for _, f := range doc.Problems {
		env.Report(f)
	}
	p.sources = compile(env, doc.Root)
	return p
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
	d.BoundAt = config.Source{File: file}
	if d.Tag != "Package" {
		p.generate(v, d)
		return nil
	}
	if group, ok := d.Lookup("group"); ok {
		return problem.New(d.At, "not-supported", fmt.Sprintf("package group %s needs the resolver, which this version does not have", group), "name the packages")
	}
	d.Set("version", p.version)
	d.Set("type", p.kind(v))
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

// Structures gives an Independent with the signing keys of the host's YUM
// sources; their content is outside the repository and stays out.
func (p *Packages) Structures(v *memo.View) []*plugin.Structure {
	s := &plugin.Structure{Tag: "Independent"}
	seen := map[string]bool{}
	yum := p.kind(v) == "yum"
	for i := range p.sources {
		src := &p.sources[i]
		if !yum || !src.applies(v) {
			continue
		}
		for _, key := range src.keys {
			if seen[key] {
				continue
			}
			seen[key] = true
			s.Entries = append(s.Entries, plugin.Abstract{Draft: &plugin.Draft{
				Tag: "BoundPath", NamedAt: plugin.SourceOf(src.rule.Element), BoundAt: plugin.SourceOf(src.rule.Element), At: src.rule.Element.Pos,
				Attrs: []config.Attr{
					{Name: "name", Value: "/etc/pki/rpm-gpg/" + path.Base(key)},
					{Name: "type", Value: "file"},
					{Name: "encoding", Value: "ascii"},
					{Name: "owner", Value: "root"},
					{Name: "group", Value: "root"},
					{Name: "mode", Value: "0644"},
					{Name: "important", Value: "true"},
				},
			}})
		}
	}
	return []*plugin.Structure{s}
}
