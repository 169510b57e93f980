// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Files of the metadata, below the repository.
const (
	GroupsFile  = "Metadata/groups.xml"
	ClientsFile = "Metadata/clients.xml"
)

// definition is the one element of groups.xml that defines a group.
type definition struct {
	pos      problem.Pos
	category string
	profile  bool
	public   bool
	bundles  []string
}

// condition is one Group or Client element around a rule.
type condition struct {
	host   string // "" for a Group
	client bool
	group  int
	negate bool
}

// rules are all the leaves that grant, or that take away, one group.
type rules struct {
	group int
	any   [][]condition
	// at is where the leaves are.
	at []problem.Pos
}

// groups is groups.xml compiled.
type groups struct {
	voc     *Vocabulary
	defs    map[int]*definition
	grant   []rules // in the order of the first leaf
	revoke  []rules
	deflt   string
	clients map[string]bool // host names that conditions ask for
	listed  map[string]problem.Pos
}

func readGroups(fsys fs.FS, voc *Vocabulary) (*groups, []*problem.Problem, *problem.Problem) {
	g := &groups{voc: voc, defs: map[int]*definition{}, clients: map[string]bool{}, listed: map[string]problem.Pos{}}
	if _, err := fs.Stat(fsys, GroupsFile); errors.Is(err, fs.ErrNotExist) {
		// Bcfg2 creates an empty file.
		return g, []*problem.Problem{problem.New(problem.Pos{File: GroupsFile}, "no-groups", "the file does not exist: there is no group, and hosts get nothing", "write it")}, nil
	}
	doc, p := xmltree.Load(fsys, GroupsFile)
	if p != nil {
		return nil, nil, p
	}
	found := g.define(doc.Root)
	g.collect(doc.Root)
	return g, append(doc.Problems, found...), nil
}

// define finds the defining element of every group: those directly below Groups
// first, then deeper ones, each in document order; the first of a name counts.
func (g *groups) define(root *xmltree.Element) []*problem.Problem {
	var top, deep []*xmltree.Element
	var walk func(e *xmltree.Element, below bool)
	walk = func(e *xmltree.Element, below bool) {
		for _, c := range e.Children {
			inside := below
			if c.Is("Group") {
				switch {
				case e.Is("Groups"):
					top, inside = append(top, c), true
				case below:
					deep = append(deep, c)
				}
			} else if c.Is("Client") && e.Is("Groups") {
				// A group that only a top-level Client names is one like any other.
				inside = true
			}
			walk(c, inside)
		}
	}
	walk(root, false)
	var found []*problem.Problem
	for _, e := range append(top, deep...) {
		name, named := e.Lookup("name")
		if !named {
			found = append(found, problem.New(e.Pos, "group-without-name", "a Group without name", "give it a name"))
		}
		id := g.voc.ID(name)
		if g.defs[id] != nil {
			continue
		}
		d := &definition{pos: e.Pos, category: e.Get("category"), profile: e.Get("profile") == "true", public: e.Get("public") == "true"}
		for _, c := range e.Children {
			if !c.Is("Bundle") {
				continue
			}
			bundle, named := c.Lookup("name")
			if !named {
				found = append(found, problem.New(c.Pos, "bundle-without-name", fmt.Sprintf("group %s lists a Bundle without name", name), "give it a name"))
				continue
			}
			d.bundles = append(d.bundles, bundle)
			if _, known := g.listed[bundle]; !known {
				g.listed[bundle] = c.AttrPos("name")
			}
		}
		if e.Get("default") == "true" {
			g.deflt = name
		}
		g.defs[id] = d
	}
	return found
}

// collect finds the membership rules: the Group elements without child elements
// below Groups/Group, then those below Groups/Client.
func (g *groups) collect(root *xmltree.Element) {
	granted, revoked := map[int]int{}, map[int]int{}
	seen := map[*xmltree.Element]bool{}
	var leaves func(e *xmltree.Element, conds []condition)
	leaves = func(e *xmltree.Element, conds []condition) {
		for _, c := range e.Children {
			if c.Kind != xmltree.Node || seen[c] {
				continue
			}
			if c.Is("Group") && !hasElements(c) {
				seen[c] = true
				id := g.voc.ID(c.Get("name"))
				if c.True("negate") {
					g.revoke = addRule(g.revoke, revoked, id, conds, c.Pos)
				} else {
					g.grant = addRule(g.grant, granted, id, conds, c.Pos)
				}
				continue
			}
			leaves(c, g.under(conds, c))
		}
	}
	for _, tag := range []string{"Group", "Client"} {
		var find func(e *xmltree.Element, conds []condition)
		find = func(e *xmltree.Element, conds []condition) {
			for _, c := range e.Children {
				below := g.under(conds, c)
				if e.Is("Groups") && c.Is(tag) {
					leaves(c, below)
				}
				find(c, below)
			}
		}
		find(root, nil)
	}
}

func hasElements(e *xmltree.Element) bool {
	for _, c := range e.Children {
		if c.Kind == xmltree.Node {
			return true
		}
	}
	return false
}

// under adds what an element demands to the conditions around it.
func (g *groups) under(conds []condition, e *xmltree.Element) []condition {
	c := condition{negate: e.True("negate")}
	name := e.Get("name")
	switch {
	case e.Is("Group"):
		c.group = g.voc.ID(name)
	case e.Is("Client"):
		c.client, c.host = true, name
		g.clients[name] = true
	default:
		return conds
	}
	return append(slices.Clip(conds), c)
}

func addRule(list []rules, index map[int]int, group int, conds []condition, at problem.Pos) []rules {
	i, ok := index[group]
	if !ok {
		i = len(list)
		index[group] = i
		list = append(list, rules{group: group})
	}
	list[i].any = append(list[i].any, conds)
	list[i].at = append(list[i].at, at)
	return list
}

// hold tests the rule and counts the conditions that it tests.
func (r *rules) hold(host string, set Set, steps *int) bool {
	for _, conds := range r.any {
		*steps += 1 + len(conds)
		if holds(conds, host, set) {
			return true
		}
	}
	return false
}

func holds(conds []condition, host string, set Set) bool {
	for _, c := range conds {
		ok := c.host == host
		if !c.client {
			ok = set.Has(c.group)
		}
		if ok == c.negate {
			return false
		}
	}
	return true
}
