// SPDX-License-Identifier: Apache-2.0

// Package bundler is Bcfg2's Bundler: it reads Bundler/*.xml and gives each host
// the bundles that its groups list. It must not know how entries are bound.
package bundler

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/trail"
	"github.com/bindery/bindery/engine/problem"
)

// Bundler is safe for concurrent use.
type Bundler struct {
	bundles map[string]*bundle
	// broken are bundles that cannot be used, by name, with the reason.
	broken map[string]*problem.Problem
}

type bundle struct {
	independent bool
	file        *plugin.StructFile
	part        *memo.Part
}

// New reads the directory.
func New(env plugin.Env) *Bundler {
	b := &Bundler{bundles: map[string]*bundle{}, broken: map[string]*problem.Problem{}}
	env = env.Unnoted()
	files := map[string]string{}
	for _, file := range plugin.Walk(env, "Bundler") {
		ext := path.Ext(file)
		if ext != ".xml" && ext != ".genshi" {
			continue
		}
		name := strings.TrimSuffix(path.Base(file), ext)
		if first, twice := files[name]; twice {
			p := problem.New(problem.Pos{File: file}, "duplicate-bundle", fmt.Sprintf("bundle %s is given by %s too; neither is used", name, first), "keep one of the two")
			env.Report(p)
			b.broken[name] = p
			delete(b.bundles, name)
			continue
		}
		files[name] = file
		if p := b.load(env, name, file); p != nil {
			env.Report(p)
			b.broken[name] = p
		}
	}
	return b
}

func (b *Bundler) load(env plugin.Env, name, file string) *problem.Problem {
	part, env := env.Own()
	f, p := plugin.ReadStructFile(env, file, plugin.StructOptions{Follow: true})
	if p != nil {
		return p
	}
	b.bundles[name] = &bundle{independent: f.Root.True("independent"), file: f, part: part}
	return nil
}

// Required is a bundle that another one, or a group, asks for.
type Required struct {
	Name string
	// At is where it is asked for.
	At problem.Pos
}

// Missing says why a bundle that a host should have cannot be given.
func (b *Bundler) Missing(r Required) *problem.Problem {
	name := r.Name
	if p := b.broken[name]; p != nil {
		return problem.New(p.Pos, "bundle-not-found", fmt.Sprintf("bundle %s cannot be used: %s", name, p.Msg), p.Hint)
	}
	return problem.New(r.At, "bundle-not-found", fmt.Sprintf("there is no bundle %q", name), "write Bundler/"+name+".xml, or take the bundle out here")
}

// Names lists the bundles that can be used.
func (b *Bundler) Names() []string { return slices.Sorted(maps.Keys(b.bundles)) }

// Around notes the conditions around an entry of a bundle; a templated one has none.
func (b *Bundler) Around(t *trail.Trail, name string, it *plugin.Item) {
	if bd := b.bundles[name]; bd != nil {
		bd.file.Around(t, it)
	}
}

// Templated tells whether a bundle is made anew for each host.
func (b *Bundler) Templated(name string) bool {
	bd := b.bundles[name]
	return bd != nil && bd.file.Templated()
}

// Structure gives one bundle as it is for the host, and the bundles that it
// requires. The name must be one of Names.
func (b *Bundler) Structure(v *memo.View, name string) (*plugin.Structure, []Required) {
	bd := b.bundles[name]
	s := &plugin.Structure{Tag: "Bundle", Name: name, Attrs: []config.Attr{{Name: "name", Value: name}}}
	if bd.independent {
		s.Tag = "Independent"
	}
	v.Use(bd.part)
	if !bd.file.Templated() {
		s.Part = bd.part
	}
	nest, p := bd.file.Nest(v)
	if p != nil {
		s.Lost = p
		return s, nil
	}
	var required []Required
	var visit func(it *plugin.Item)
	visit = func(it *plugin.Item) {
		switch {
		case it.Element.Is("RequiredBundle"):
			name := it.Element.Get("name")
			required = append(required, Required{name, it.Element.AttrPos("name")})
			if it.Element.Get("inherit_modification") == "true" && host.ParseVersion(v.Version()).Follows() {
				// The bundle itself, without content, says that its changes count here too.
				s.Entries = append(s.Entries, plugin.Abstract{Draft: &plugin.Draft{
					Tag: "BoundBundle", Attrs: []config.Attr{{Name: "name", Value: name}}, NamedAt: plugin.SourceOf(it.Element), At: it.Element.Pos,
				}})
			}
		case it.Element.Is("Bundle"):
			// An included bundle dissolves; an empty one brings nothing.
			it.Inner.InPlace(v, "", visit)
		default:
			s.Entries = append(s.Entries, plugin.Abstract{Item: it})
		}
	}
	nest.InPlace(v, "", visit)
	return s, required
}
