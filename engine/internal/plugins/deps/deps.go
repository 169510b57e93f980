// SPDX-License-Identifier: Apache-2.0

// Package deps is Bcfg2's Deps: what entries need besides themselves, which is
// added to hosts that have them in an Independent of its own. It must not know how
// entries are bound.
package deps

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Deps is safe for concurrent use.
type Deps struct{ files []*list }

var _ plugin.Completer = (*Deps)(nil)

// list is one file.
type list struct {
	file     string
	priority int
	needs    map[plugin.Name][]need // of one entry the last one that holds counts
}

// need is what an entry needs.
type need struct {
	plugin.Guarded
	what []plugin.Abstract
}

// New reads the directory. Includes are not followed, as in Bcfg2.
func New(env plugin.Env) *Deps {
	d := &Deps{}
	for _, name := range plugin.Walk(env, "Deps") {
		if path.Ext(name) != ".xml" {
			continue
		}
		root, p := xmltree.Read(env.FS, name)
		if p != nil {
			env.Report(p)
			continue
		}
		l := &list{file: name, priority: plugin.Priority(env, root), needs: map[plugin.Name][]need{}}
		for _, g := range plugin.Compile(env.Voc, root, false).Flatten() {
			item := plugin.Abstract{Item: g.Item}
			l.needs[item.Key()] = append(l.needs[item.Key()], need{g, prerequisites(env, g.Element)})
		}
		d.files = append(d.files, l)
	}
	return d
}

// prerequisites are the children of an element: only tag and name of them count,
// and conditions are none here.
func prerequisites(env plugin.Env, e *xmltree.Element) []plugin.Abstract {
	var out []plugin.Abstract
	for _, c := range e.Children {
		if c.Kind != xmltree.Node {
			continue
		}
		i := slices.IndexFunc(c.Attrs, func(a xmltree.Attr) bool { return a.Name == "name" && a.Space == "" })
		if i < 0 {
			env.Report(problem.New(c.Pos, "prerequisite-without-name", "a prerequisite without name is left out", "give it a name"))
			continue
		}
		if c.Is("Group") || c.Is("Client") {
			env.Report(problem.New(c.Pos, "condition-in-prerequisites", fmt.Sprintf("%s is no condition here; it becomes an entry that cannot be bound", c.Tag), "put it around the entry that needs something"))
		}
		out = append(out, plugin.Abstract{Item: &plugin.Item{Element: &xmltree.Element{
			Space: c.Space, Tag: c.Tag, Attrs: []xmltree.Attr{c.Attrs[i]}, Pos: c.Pos,
		}}})
	}
	return out
}

// Complete gives the Independent with what the entries of a host need and the host
// does not have. Where two files say what an entry needs, nothing is added for it;
// if they have the same, highest priority, there is no Independent at all.
func (d *Deps) Complete(v *memo.View, have []*plugin.Structure) (*plugin.Structure, []*problem.Problem) {
	there := map[plugin.Name]bool{}
	var queue []plugin.Name
	for _, st := range have {
		for i := range st.Entries {
			n := st.Entries[i].Key()
			n.Tag = strings.TrimPrefix(n.Tag, "Bound")
			if !there[n] {
				there[n] = true
				queue = append(queue, n)
			}
		}
	}
	slices.SortFunc(queue, func(a, b plugin.Name) int { return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Name, b.Name)) })
	var found []*problem.Problem
	out := &plugin.Structure{Tag: "Independent"}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		what, conflict, lost := d.needed(v, n)
		if conflict != nil {
			found = append(found, conflict)
		}
		if lost {
			return nil, found
		}
		for _, a := range what {
			if key := a.Key(); !there[key] {
				there[key] = true
				queue = append(queue, key)
				out.Entries = append(out.Entries, a)
			}
		}
	}
	return out, found
}

// needed is what one entry needs.
func (d *Deps) needed(v *memo.View, n plugin.Name) (what []plugin.Abstract, conflict *problem.Problem, lost bool) {
	var first *list
	highest, times := 0, 0
	for _, l := range d.files {
		is := l.find(v, n)
		if is == nil {
			continue
		}
		switch {
		case first == nil:
			first, what, highest, times = l, is.what, l.priority, 1
			continue
		case l.priority > highest:
			highest, times = l.priority, 1
		case l.priority == highest:
			times++
		}
		conflict = problem.New(is.Element.Pos, "deps-conflict", fmt.Sprintf("what %s %s needs is said by %s and %s: nothing is added for it", n.Tag, n.Name, first.file, l.file), "say it in one file")
	}
	if conflict == nil {
		return what, nil, false
	}
	if times > 1 {
		conflict.Msg += ", nor for any other entry, as both have priority " + fmt.Sprint(highest)
		return nil, conflict, true
	}
	return nil, conflict, false
}

func (l *list) find(v *memo.View, n plugin.Name) *need {
	list := l.needs[n]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Holds(v, "") {
			return &list[i]
		}
	}
	return nil
}
