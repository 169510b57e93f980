// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// catalog is what is recorded of the sources, read when it is first needed.
type catalog struct {
	get    func(address string) (*index.Listing, error)
	once   sync.Once
	closed sync.Map // sum of what was asked for → *plugin.Structure
	items  sync.Map // name and type → *plugin.Item
}

// open reads the indexes of all sources, once.
func (c *catalog) open(sources []source) {
	c.once.Do(func() {
		for i := range sources {
			s := &sources[i]
			var err error
			if s.index, err = s.load(c.get); err != nil {
				s.bad = problem.New(s.rule.Element.Pos, "source-not-recorded", strings.ReplaceAll(err.Error(), "\n", "; "), `run "bindery packages update" and commit what it writes`)
			}
		}
	})
}

// Complete gives the Independent with the signing keys of the host's YUM sources,
// whose content is outside the repository and stays out, and the packages that
// the named ones need.
func (p *Packages) Complete(v *memo.View, have []*plugin.Structure) (*plugin.Structure, []*problem.Problem) {
	kind := p.kind(v)
	var applies []*source
	for i := range p.sources {
		if s := &p.sources[i]; s.applies(v) {
			applies = append(applies, s)
		}
	}
	out := &plugin.Structure{Tag: "Independent"}
	if kind == "yum" {
		out.Entries = signingKeys(applies)
	}
	if p.catalog == nil || kind == "unknown" {
		return out, nil
	}
	p.catalog.open(p.sources)
	var found []*problem.Problem
	w := &world{sources: applies}
	key := sha256.New()
	for _, s := range applies {
		var archs []string
		for _, a := range s.archs {
			if v.InGroup(a.group) {
				archs = append(archs, a.name)
			}
		}
		w.archs = append(w.archs, archs)
		if s.bad != nil {
			found = append(found, s.bad)
		}
		fmt.Fprintf(key, "%p%q", s, archs)
	}
	wanted, recommended := named(have)
	for _, name := range sortedKeys(wanted) {
		fmt.Fprintf(key, "%q%q", name, recommended[name])
	}
	asked := [sha256.Size]byte(key.Sum(nil))
	if st, ok := p.catalog.closed.Load(asked); ok {
		return st.(*plugin.Structure), found
	}
	base := set{}
	base.add(sortedKeys(wanted), nil)
	for _, s := range applies {
		base.add(s.index.Essential, nil)
	}
	for _, name := range sortedKeys(resolve(w, base, recommended)) {
		if !wanted[name] {
			out.Entries = append(out.Entries, plugin.Abstract{Item: p.item(name, kind)})
		}
	}
	p.catalog.closed.Store(asked, out)
	return out, found
}

// named are the packages that structures name, and what they say about
// recommendations.
func named(have []*plugin.Structure) (set, map[string]string) {
	names, recommended := set{}, map[string]string{}
	for _, st := range have {
		for _, a := range st.Entries {
			n := a.Key()
			if n.Name == "" || n.Tag != "Package" && n.Tag != "BoundPackage" {
				continue
			}
			names[n.Name] = true
			if a.Item != nil {
				if r, ok := a.Item.Element.Lookup("recommended"); ok {
					recommended[n.Name] = strings.ToLower(r)
				}
			}
		}
	}
	return names, recommended
}

func sortedKeys(s set) []string {
	out := make([]string, 0, len(s))
	for name := range s {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// item is the entry of a package that another one needs; all hosts share it.
func (p *Packages) item(name, kind string) *plugin.Item {
	key := [2]string{name, kind}
	if it, ok := p.catalog.items.Load(key); ok {
		return it.(*plugin.Item)
	}
	it, _ := p.catalog.items.LoadOrStore(key, &plugin.Item{Element: &xmltree.Element{
		Tag: "BoundPackage", Pos: problem.Pos{File: sourcesFile}, Attrs: []xmltree.Attr{
			{Name: "name", Value: name}, {Name: "version", Value: p.version}, {Name: "type", Value: kind}, {Name: "origin", Value: "Packages"},
		},
	}})
	return it.(*plugin.Item)
}

func signingKeys(sources []*source) []plugin.Abstract {
	var out []plugin.Abstract
	seen := map[string]bool{}
	for _, s := range sources {
		from := plugin.SourceOf(s.rule.Element)
		for _, key := range s.keys {
			if seen[key] {
				continue
			}
			seen[key] = true
			out = append(out, plugin.Abstract{Draft: &plugin.Draft{
				Tag: "BoundPath", NamedAt: from, BoundAt: from, At: s.rule.Element.Pos,
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
	return out
}
