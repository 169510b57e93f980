// SPDX-License-Identifier: Apache-2.0

// Package pkgmgr is Bcfg2's Pkgmgr: lists of packages in files with priorities,
// whose names and versions may come from the names of package files. It must not
// know other generators.
package pkgmgr

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Pkgmgr is safe for concurrent use.
type Pkgmgr struct {
	lists []*list
	known map[string]bool
}

var _ plugin.Generator = (*Pkgmgr)(nil)

// list is one file.
type list struct {
	file     string
	priority int
	offers   map[string][]offer // by name; the last one that holds counts
}

// offer is what a list says about one package.
type offer struct {
	plugin.Guarded
	attrs []config.Attr
}

// New reads the directory.
func New(env plugin.Env) *Pkgmgr {
	p := &Pkgmgr{known: map[string]bool{}}
	for _, name := range plugin.Walk(env, "Pkgmgr") {
		if path.Ext(name) != ".xml" {
			continue
		}
		root, bad := xmltree.Read(env.FS, name)
		if bad != nil {
			env.Report(bad)
			continue
		}
		l := &list{file: name, priority: plugin.Priority(env, root), offers: map[string][]offer{}}
		for _, g := range plugin.Compile(env.Voc, inherited(root, nil), false).Flatten() {
			if g.Element.Is("Package") {
				p.add(env, l, g)
			}
		}
		p.lists = append(p.lists, l)
	}
	slices.SortStableFunc(p.lists, func(a, b *list) int { return b.priority - a.priority })
	return p
}

// inherited copies a list with what every element in it lacks and the elements
// around it have, the nearest first; only names are not inherited. So a Group in
// a negated Group is negated as well.
func inherited(e *xmltree.Element, attrs []xmltree.Attr) *xmltree.Element {
	c := *e
	c.Attrs = slices.Clone(e.Attrs)
	for _, a := range attrs {
		if a.Name != "name" && !slices.ContainsFunc(e.Attrs, func(o xmltree.Attr) bool { return o.Name == a.Name && o.Space == a.Space }) {
			c.Attrs = append(c.Attrs, a)
		}
	}
	if e.Is("Package") {
		return &c
	}
	c.Children = nil
	for _, child := range e.Children {
		if child.Kind == xmltree.Node {
			c.Children = append(c.Children, inherited(child, c.Attrs))
		}
	}
	return &c
}

// splitters take the name of a package file apart, by type of the package.
var splitters = map[string]*regexp.Regexp{
	"rpm":   regexp.MustCompile(`^(?:.*/)?(?P<name>[\w+\d.]+(?:-[\w+\d.]+)*)-(?P<version>[\w\d.]+-[\w\d.]+)\.(?P<arch>\S+)\.rpm$`),
	"encap": regexp.MustCompile(`^(?P<name>[\w-]+)-(?P<version>[\w\d.+-]+).encap.*$`),
}

// add enters a Package under the names by which it is found.
func (p *Pkgmgr) add(env plugin.Env, l *list, g plugin.Guarded) {
	attrs := plugin.Attributes(g.Element)
	enter := func(name string, attrs []config.Attr) {
		p.known[name] = true
		l.offers[name] = append(l.offers[name], offer{g, attrs})
	}
	name, named := lookup(attrs, "name")
	from, isFile := lookup(attrs, "file")
	simple, isSimple := lookup(attrs, "simplefile")
	var bad *problem.Problem
	switch {
	case isSimple:
		attrs = set(attrs, "url", uri(attrs)+"/"+simple)
	case isFile:
		attrs, bad = urls(g.Element, attrs, from)
	}
	if bad != nil {
		env.Report(bad)
		return
	}
	kind, _ := lookup(attrs, "type")
	split := splitters[kind]
	if isFile && !isSimple && split != nil {
		m := split.FindStringSubmatch(from)
		if m == nil {
			env.Report(problem.New(g.Element.AttrPos("file"), "package-file-name", fmt.Sprintf("%q is no name of a package of type %s", from, kind), "give name and version, and the file as simplefile"))
			if named {
				enter(name, nil)
			}
			return
		}
		if named && name != m[1] {
			enter(name, nil)
		}
		for i, part := range split.SubexpNames() {
			if _, ok := lookup(attrs, part); i > 0 && !ok {
				attrs = set(attrs, part, m[i])
			}
		}
		enter(m[1], attrs)
		return
	}
	if !named {
		env.Report(problem.New(g.Element.Pos, "package-without-name", "a Package without name, whose type has no names in the names of its files", "give it a name"))
		return
	}
	enter(name, attrs)
}

func uri(attrs []config.Attr) string {
	if v, ok := lookup(attrs, "uri"); ok {
		return v
	}
	return "None" // what the server writes
}

// urls sets where the file is: at one place, or for each architecture at one.
func urls(e *xmltree.Element, attrs []config.Attr, from string) ([]config.Attr, *problem.Problem) {
	multi, ok := lookup(attrs, "multiarch")
	if !ok {
		return set(attrs, "url", uri(attrs)+"/"+from), nil
	}
	archs := strings.Fields(multi)
	srcs := archs
	if v, ok := lookup(attrs, "srcs"); ok {
		srcs = strings.Fields(v)
	}
	if len(srcs) < len(archs) {
		return nil, problem.New(e.AttrPos("srcs"), "srcs-too-few", fmt.Sprintf("there are %d srcs for %d architectures; the package is left out", len(srcs), len(archs)), "name one for each of multiarch")
	}
	var out []string
	for i, arch := range archs {
		out = append(out, uri(attrs)+"/"+strings.NewReplacer("%(arch)s", arch, "%(src)s", srcs[i], "%%", "%").Replace(from))
	}
	return set(attrs, "url", strings.Join(out, " ")), nil
}

func lookup(attrs []config.Attr, name string) (string, bool) {
	for _, a := range attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

func set(attrs []config.Attr, name, value string) []config.Attr {
	d := plugin.Draft{Attrs: slices.Clone(attrs)}
	d.Set(name, value)
	return d.Attrs
}

// Name is the plugin's name.
func (p *Pkgmgr) Name() string { return "Pkgmgr" }

// Lists tells whether a list has the package, for whichever host.
func (p *Pkgmgr) Lists(n plugin.Name) bool { return n.Tag == "Package" && p.known[n.Name] }

// Handles tells whether a list has the package without the architectures that
// the entry asks for.
func (p *Pkgmgr) Handles(_ *memo.View, n plugin.Name) bool {
	name, _ := instances(n.Name)
	return n.Tag == "Package" && p.known[name]
}

// wanted is a name with the architectures of the instances that are wanted.
var wanted = regexp.MustCompile(`^(.*):(\S+)`)

func instances(name string) (string, []string) {
	m := wanted.FindStringSubmatch(name)
	if m == nil {
		return name, nil
	}
	return m[1], strings.Split(m[2], ",")
}

// Bind gives the package what the list with the highest priority says, over what
// the entry has.
func (p *Pkgmgr) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	name, archs := instances(d.Name())
	var from *list
	var found *offer
	for _, l := range p.lists {
		if found != nil && l.priority < from.priority {
			break
		}
		o := l.find(v, name)
		if o == nil {
			continue
		}
		if found != nil {
			return problem.New(o.Element.Pos, "rules-conflict", fmt.Sprintf("Package %s is given by %s and %s with the same priority %d", name, from.file, l.file, l.priority), "give one of the files a higher priority")
		}
		from, found = l, o
	}
	if found == nil {
		return problem.New(d.At, "no-rule", fmt.Sprintf("Pkgmgr has Package %s, but not for this host", name), "add it for the host's groups")
	}
	for _, a := range found.attrs {
		d.Set(a.Name, a.Value)
	}
	d.Children = append(slices.Clip(d.Children), nodes(found.Element)...)
	if archs != nil {
		d.Children = slices.DeleteFunc(d.Children, func(n *config.Node) bool {
			return n.Tag == "Instance" && !slices.Contains(archs, n.Get("arch"))
		})
	}
	d.BoundAt = plugin.SourceOf(found.Element)
	return nil
}

// nodes copies the children of a Package, as they are.
func nodes(e *xmltree.Element) []*config.Node {
	var out []*config.Node
	for _, c := range e.Children {
		if c.Kind == xmltree.Node {
			out = append(out, &config.Node{Tag: plugin.Qualified(c.Space, c.Tag), Attrs: plugin.Attributes(c), Text: c.Text, Tail: c.Tail, Children: nodes(c)})
		}
	}
	return out
}

func (l *list) find(v *memo.View, name string) *offer {
	offers := l.offers[name]
	for i := len(offers) - 1; i >= 0; i-- {
		if offers[i].Holds(v, "") {
			return &offers[i]
		}
	}
	return nil
}
