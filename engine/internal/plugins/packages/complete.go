// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"crypto/sha256"
	"fmt"
	"io"
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
	closed sync.Map // sum of what was asked for → *completion
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

// completion is what is added for hosts that ask for the same packages.
type completion struct {
	structure *plugin.Structure
	problems  []*problem.Problem
}

// Complete gives the Independent with the signing keys of the host's YUM sources,
// whose content is outside the repository and stays out, and the packages that
// the named ones need. Hosts that ask the same of the same sources share it.
func (p *Packages) Complete(v *memo.View, have []*plugin.Structure) (*plugin.Structure, []*problem.Problem) {
	kind := p.kind(v)
	applies := p.applying(v)
	out := &plugin.Structure{Tag: "Independent"}
	if kind == "yum" {
		out.Entries = signingKeys(applies)
	}
	if p.catalog == nil || kind == "unknown" {
		return out, nil
	}
	p.catalog.open(p.sources)
	key := sha256.New()
	w := newWorld(v, applies, key)
	r := asked(have)
	r.sum(key)
	id := [sha256.Size]byte(key.Sum(nil))
	if c, ok := p.catalog.closed.Load(id); ok {
		return c.(*completion).structure, c.(*completion).problems
	}
	c := &completion{structure: out}
	for _, s := range applies {
		if s.bad != nil {
			c.problems = append(c.problems, s.bad)
		}
	}
	base := set{}
	base.add(sortedKeys(r.names), nil)
	if grouped(kind) {
		members, missing := w.members(r.groups)
		base.add(members, nil)
		c.problems = append(c.problems, missing...)
	}
	for _, s := range applies {
		base.add(s.index.Essential, nil)
	}
	for _, name := range sortedKeys(resolve(w, base, r.recommended)) {
		if !r.names[name] {
			out.Entries = append(out.Entries, plugin.Abstract{Item: p.item(name, kind)})
		}
	}
	p.catalog.closed.Store(id, c)
	return out, c.problems
}

// applying are the sources of a host.
func (p *Packages) applying(v *memo.View) []*source {
	var out []*source
	for i := range p.sources {
		if s := &p.sources[i]; s.applies(v) {
			out = append(out, s)
		}
	}
	return out
}

// newWorld is what sources have for a host; what tells it from others goes into
// key.
func newWorld(v *memo.View, sources []*source, key io.Writer) *world {
	w := &world{sources: sources}
	for _, s := range sources {
		var archs []string
		for _, a := range s.archs {
			if v.InGroup(a.group) {
				archs = append(archs, a.name)
			}
		}
		w.archs = append(w.archs, archs)
		fmt.Fprintf(key, "%p%q", s, archs)
	}
	return w
}

// request is what structures ask for.
type request struct {
	names set
	// recommended is what entries say about recommendations, by name.
	recommended map[string]string
	groups      []groupRequest
}

// groupRequest is an entry that names a group of packages.
type groupRequest struct {
	name, kind string
	at         problem.Pos
}

// asked finds what structures ask for.
func asked(have []*plugin.Structure) *request {
	r := &request{names: set{}, recommended: map[string]string{}}
	for _, st := range have {
		for i := range st.Entries {
			a := &st.Entries[i]
			n := a.Key()
			if n.Tag != "Package" && n.Tag != "BoundPackage" {
				continue
			}
			if n.Name != "" {
				r.names[n.Name] = true
			}
			if a.Item == nil {
				continue
			}
			e := a.Item.Element
			if value, ok := e.Lookup("recommended"); ok && n.Name != "" {
				r.recommended[n.Name] = strings.ToLower(value)
			}
			if group := e.Get("group"); group != "" && n.Name == "" {
				r.groups = append(r.groups, groupRequest{group, e.Get("type"), e.Pos})
			}
		}
	}
	return r
}

// sum writes what tells the request from others.
func (r *request) sum(key io.Writer) {
	for _, name := range sortedKeys(r.names) {
		_, _ = io.WriteString(key, name+"\x00"+r.recommended[name]+"\x00")
	}
	for _, g := range r.groups {
		fmt.Fprintf(key, "%q%q%s", g.name, g.kind, g.at)
	}
}

// grouped tells whether packages of a type have groups.
func grouped(kind string) bool { return kind == "yum" || kind == "pacman" }

// members are the packages of groups.
func (w *world) members(groups []groupRequest) ([]string, []*problem.Problem) {
	var out []string
	var missing []*problem.Problem
	for _, g := range groups {
		if !index.Kinds(g.kind) {
			missing = append(missing, problem.New(g.at, "unknown-package-group", fmt.Sprintf("%q is no kind of packages of a group: %s is left out", g.kind, g.name), "the kinds are mandatory, default, optional and all"))
			continue
		}
		found := false
		for _, s := range w.sources {
			names, ok := s.index.Group(g.name, g.kind)
			out, found = append(out, names...), found || ok
		}
		if !found {
			missing = append(missing, problem.New(g.at, "unknown-package-group", fmt.Sprintf("no source of the host has a package group %q: it is left out", g.name), `groups are found by id or by name; "bindery packages update" records those that sources have now`))
		}
	}
	return out, missing
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
