// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const (
	// GroupsFile defines the groups.
	GroupsFile  = "Metadata/groups.xml"
	clientsFile = "Metadata/clients.xml"
)

// MaxPatterns bounds the patterns that names are compared with; with more, every
// name counts as known.
const MaxPatterns = 1000

// GroupTable is what groups.xml and the other sources of groups define.
type GroupTable struct {
	// Top are the definitions: Group elements directly below Groups.
	Top []*xmltree.Element
	// All are the Group elements of groups.xml, wherever they stand.
	All []*xmltree.Element
	// Named are the groups that a host may get, from whatever source.
	Named map[string]bool
	// shaped are groups whose names are only known in part, such as `os-$1`.
	shaped []*regexp.Regexp
	// First are the definitions that count, by name.
	First map[string]*xmltree.Element
	// Open is true where anything may be a group: a probe names them freely.
	Open bool
}

func (t *Tree) readGroups() *GroupTable {
	g := &GroupTable{Named: map[string]bool{}, First: map[string]*xmltree.Element{}}
	for _, d := range t.Reachable(GroupsFile) {
		g.definitions(d.Root)
	}
	for _, x := range g.Top {
		name := x.Get("name")
		g.Named[name] = true
		if g.First[name] == nil {
			g.First[name] = x
		}
	}
	for _, x := range g.All {
		if !HasElements(x) && !x.True("negate") {
			g.Named[x.Get("name")] = true
		}
	}
	t.patternGroups(g)
	t.logicGroups(g)
	t.probeGroups(g)
	if t.On["PuppetENC"] {
		g.Open = true
	}
	return g
}

func (g *GroupTable) definitions(x *xmltree.Element) {
	if x.Is("Group") {
		g.Top = append(g.Top, x)
		g.All = append(g.All, x)
	}
	for _, c := range x.Children {
		switch {
		case c.Is("Group") && x.Is("Groups"):
			g.definitions(c)
		case c.Is("Group"):
			g.All = append(g.All, c)
			g.below(c)
		case c.Is("Client"):
			g.below(c)
		case c.Is("Groups"):
			g.definitions(c)
		}
	}
}

// below collects the Group elements inside a definition or a condition.
func (g *GroupTable) below(x *xmltree.Element) {
	for _, c := range x.Children {
		if c.Is("Group") {
			g.All = append(g.All, c)
		}
		if c.Is("Groups") {
			g.definitions(c)
			continue
		}
		g.below(c)
	}
}

// HasElements tells whether there is more than text in an element.
func HasElements(x *xmltree.Element) bool {
	return slices.ContainsFunc(x.Children, func(c *xmltree.Element) bool { return c.Kind == xmltree.Node })
}

// patternGroups adds what GroupPatterns and AWSTags give; $1 stands for anything.
func (t *Tree) patternGroups(g *GroupTable) {
	for _, d := range t.Docs {
		if d.Dir != "GroupPatterns" && d.Dir != "AWSTags" {
			continue
		}
		d.Root.Walk(func(x *xmltree.Element) bool {
			if x.Is("Group") {
				g.shape(strings.TrimSpace(x.Text), captures)
			}
			return true
		})
	}
}

// logicGroups adds what GroupLogic may give.
func (t *Tree) logicGroups(g *GroupTable) {
	for _, d := range t.Docs {
		if d.Dir != "GroupLogic" {
			continue
		}
		d.Root.Walk(func(x *xmltree.Element) bool {
			if x.Is("Group") && !HasElements(x) {
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
func (g *GroupTable) shape(name string, variable *regexp.Regexp) {
	parts := variable.Split(name, -1)
	if len(parts) == 1 {
		g.Named[name] = true
		return
	}
	if strings.Join(parts, "") == "" || len(g.shaped) >= MaxPatterns {
		g.Open = true
		return
	}
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	if re, err := regexp.Compile("^" + strings.Join(parts, ".*") + "$"); err == nil {
		g.shaped = append(g.shaped, re)
	}
}

// Knows tells whether a host could ever be in a group of that name.
func (g *GroupTable) Knows(name string) bool {
	return g.Open || g.Named[name] || slices.ContainsFunc(g.shaped, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

// Names lists what is known, for suggestions.
func (g *GroupTable) Names() []string {
	out := make([]string, 0, len(g.Named))
	for name := range g.Named {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Client is one Client of clients.xml.
type Client struct {
	X    *xmltree.Element
	Name string
}

func (t *Tree) readClients() []Client {
	var out []Client
	for _, d := range t.Reachable(clientsFile) {
		d.Root.Walk(func(x *xmltree.Element) bool {
			if x.Is("Client") {
				out = append(out, Client{X: x, Name: strings.ToLower(x.Get("name"))})
			}
			return true
		})
	}
	return out
}

// Exact tells whether a flag of groups.xml is on: only `true` counts there.
func Exact(x *xmltree.Element, name string) bool { return x.Get(name) == "true" }

// At is a file as a whole.
func At(file string) problem.Pos { return problem.Pos{File: file} }
