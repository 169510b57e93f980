// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const (
	groupsFile  = "Metadata/groups.xml"
	clientsFile = "Metadata/clients.xml"
)

// maxPatterns bounds the patterns that names are compared with; with more, every
// name counts as known.
const maxPatterns = 1000

// groupTable is what groups.xml and the other sources of groups define.
type groupTable struct {
	// top are the definitions: Group elements directly below Groups.
	top []*xmltree.Element
	// all are the Group elements of groups.xml, wherever they stand.
	all []*xmltree.Element
	// named are the groups that a host may get, from whatever source.
	named map[string]bool
	// shaped are groups whose names are only known in part, such as `os-$1`.
	shaped []*regexp.Regexp
	// first are the definitions that count, by name.
	first map[string]*xmltree.Element
	// open is true where anything may be a group: a probe names them freely.
	open bool
}

func (t *tree) readGroups() *groupTable {
	g := &groupTable{named: map[string]bool{}, first: map[string]*xmltree.Element{}}
	for _, d := range t.reachable(groupsFile) {
		g.definitions(d.root)
	}
	for _, x := range g.top {
		name := x.Get("name")
		g.named[name] = true
		if g.first[name] == nil {
			g.first[name] = x
		}
	}
	for _, x := range g.all {
		if !hasElements(x) && !x.True("negate") {
			g.named[x.Get("name")] = true
		}
	}
	t.patternGroups(g)
	t.logicGroups(g)
	t.probeGroups(g)
	if t.on["PuppetENC"] {
		g.open = true
	}
	return g
}

func (g *groupTable) definitions(x *xmltree.Element) {
	if x.Is("Group") {
		g.top = append(g.top, x)
		g.all = append(g.all, x)
	}
	for _, c := range x.Children {
		switch {
		case c.Is("Group") && x.Is("Groups"):
			g.definitions(c)
		case c.Is("Group"):
			g.all = append(g.all, c)
			g.below(c)
		case c.Is("Client"):
			g.below(c)
		case c.Is("Groups"):
			g.definitions(c)
		}
	}
}

// below collects the Group elements inside a definition or a condition.
func (g *groupTable) below(x *xmltree.Element) {
	for _, c := range x.Children {
		if c.Is("Group") {
			g.all = append(g.all, c)
		}
		if c.Is("Groups") {
			g.definitions(c)
			continue
		}
		g.below(c)
	}
}

func hasElements(x *xmltree.Element) bool {
	return slices.ContainsFunc(x.Children, func(c *xmltree.Element) bool { return c.Kind == xmltree.Node })
}

// patternGroups adds what GroupPatterns and AWSTags give; $1 stands for anything.
func (t *tree) patternGroups(g *groupTable) {
	for _, d := range t.docs {
		if d.dir != "GroupPatterns" && d.dir != "AWSTags" {
			continue
		}
		d.root.Walk(func(x *xmltree.Element) bool {
			if x.Is("Group") {
				g.shape(strings.TrimSpace(x.Text), captures)
			}
			return true
		})
	}
}

// logicGroups adds what GroupLogic may give.
func (t *tree) logicGroups(g *groupTable) {
	for _, d := range t.docs {
		if d.dir != "GroupLogic" {
			continue
		}
		d.root.Walk(func(x *xmltree.Element) bool {
			if x.Is("Group") && !hasElements(x) {
				g.shape(x.Get("name"), expressions)
			}
			return true
		})
	}
}

var (
	captures    = regexp.MustCompile(`\$[0-9]`)
	expressions = regexp.MustCompile(`\$\{[^}]*\}|\$[A-Za-z_][A-Za-z0-9_.]*`)
)

// shape adds a group name with variable parts.
func (g *groupTable) shape(name string, variable *regexp.Regexp) {
	parts := variable.Split(name, -1)
	if len(parts) == 1 {
		g.named[name] = true
		return
	}
	if strings.Join(parts, "") == "" || len(g.shaped) >= maxPatterns {
		g.open = true
		return
	}
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	if re, err := regexp.Compile("^" + strings.Join(parts, ".*") + "$"); err == nil {
		g.shaped = append(g.shaped, re)
	}
}

// knows tells whether a host could ever be in a group of that name.
func (g *groupTable) knows(name string) bool {
	return g.open || g.named[name] || slices.ContainsFunc(g.shaped, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

// names lists what is known, for suggestions.
func (g *groupTable) names() []string {
	out := make([]string, 0, len(g.named))
	for name := range g.named {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// client is one Client of clients.xml.
type client struct {
	x    *xmltree.Element
	name string
}

func (t *tree) readClients() []client {
	var out []client
	for _, d := range t.reachable(clientsFile) {
		d.root.Walk(func(x *xmltree.Element) bool {
			if x.Is("Client") {
				out = append(out, client{x: x, name: strings.ToLower(x.Get("name"))})
			}
			return true
		})
	}
	return out
}

// exact tells whether a flag of groups.xml is on: only `true` counts there.
func exact(x *xmltree.Element, name string) bool { return x.Get(name) == "true" }

func at(file string) problem.Pos { return problem.Pos{File: file} }
