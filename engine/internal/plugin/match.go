// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/trail"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Nest is a run of elements with the Group and Client conditions around some of
// them, compiled. A nil Nest is empty.
type Nest struct{ items []Item }

// Item is an element, or a condition with what stands in it.
type Item struct {
	// Element is the element itself, also that of a condition.
	Element *xmltree.Element
	// Inner are the children.
	Inner *Nest
	cond  *condition
}

type condition struct {
	kind   string
	group  int
	name   string
	never  bool
	negate bool
	at     problem.Pos
}

// Compile prepares the children of an element. Comments are dropped, as they
// never reach a host. With paths set, Path is a condition too, as in info.xml.
// Without a vocabulary groups are asked for by name.
func Compile(voc *host.Vocabulary, e *xmltree.Element, paths bool) *Nest {
	var n *Nest
	for _, c := range e.Children {
		if c.Kind != xmltree.Node {
			continue
		}
		if n == nil {
			n = &Nest{}
		}
		it := Item{Element: c, Inner: Compile(voc, c, paths)}
		if c.Is("Group") || c.Is("Client") || paths && c.Is("Path") {
			it.cond = newCondition(voc, c)
		}
		n.items = append(n.items, it)
	}
	return n
}

// byName is the number of a group that has none.
const byName = -1

func newCondition(voc *host.Vocabulary, e *xmltree.Element) *condition {
	name, named := e.Lookup("name")
	c := &condition{kind: e.Tag, name: name, never: !named, negate: e.True("negate"), at: e.Pos}
	switch {
	case c.kind != "Group" || !named:
	case voc == nil:
		c.group = byName
	default:
		c.group = voc.ID(name)
	}
	return c
}

// holds evaluates a condition; path is the entry's own name where Path counts.
func (c *condition) holds(v *memo.View, path string) bool {
	var ok bool
	switch {
	case c.never:
	case c.kind == "Group" && c.group == byName:
		ok = v.In(c.name)
	case c.kind == "Group":
		ok = v.InGroup(c.group)
	case c.kind == "Client":
		ok = v.Is(c.name)
	default:
		ok = c.name == path
	}
	return ok != c.negate
}

// String is the condition as the specification has it.
func (c *condition) String() string {
	switch {
	case c.never:
		return "<" + c.kind + ">"
	case c.negate:
		return fmt.Sprintf(`<%s name="%s" negate="true">`, c.kind, c.name)
	}
	return fmt.Sprintf(`<%s name="%s">`, c.kind, c.name)
}

func (c *condition) explain(t *trail.Trail) {
	t.Add(trail.Step{Kind: trail.Condition, Pos: c.at, Text: c.String()})
}

// Around notes the conditions around an item, from the outermost in.
func (n *Nest) Around(t *trail.Trail, it *Item) {
	for _, c := range n.around(it, nil) {
		c.explain(t)
	}
}

// around finds the conditions around an item; nil where it is not in here, or
// stands in none.
func (n *Nest) around(it *Item, conds []*condition) []*condition {
	if n == nil {
		return nil
	}
	for i := range n.items {
		inner, below := &n.items[i], conds
		if inner == it {
			return conds
		}
		if inner.cond != nil {
			below = append(slices.Clip(conds), inner.cond)
		}
		if found := inner.Inner.around(it, below); found != nil {
			return found
		}
	}
	return nil
}

// InPlace visits the elements that are for the host in document order: conditions
// dissolve where they stand.
func (n *Nest) InPlace(v *memo.View, path string, visit func(*Item)) {
	if n == nil {
		return
	}
	for i := range n.items {
		it := &n.items[i]
		switch {
		case it.cond == nil:
			visit(it)
		case it.cond.holds(v, path):
			it.Inner.InPlace(v, path, visit)
		}
	}
}

// Guarded is an element with the conditions that lead to it.
type Guarded struct {
	*Item
	conds []*condition
}

// Holds tells whether all conditions around the element hold.
func (g *Guarded) Holds(v *memo.View, path string) bool {
	for _, c := range g.conds {
		if !c.holds(v, path) {
			return false
		}
	}
	return true
}

// Explain notes an element that was chosen, and the conditions around it.
func (g *Guarded) Explain(v *memo.View, kind trail.Kind) {
	t := v.Trail()
	if t == nil {
		return
	}
	for _, c := range g.conds {
		c.explain(t)
	}
	t.Add(trail.Step{Kind: kind, Pos: g.Element.Pos, Text: g.Element.Tag, State: trail.Chosen})
}

// Within lists what is inside of the element, under the conditions around it.
func (g *Guarded) Within() []Guarded { return g.Inner.flatten(g.conds, nil) }

// Flatten lists every element with its conditions, in the order in which later ones
// win: what stands directly here first, then conditions in document order, each in
// the same way.
func (n *Nest) Flatten() []Guarded { return n.flatten(nil, nil) }

func (n *Nest) flatten(conds []*condition, out []Guarded) []Guarded {
	if n == nil {
		return out
	}
	for i := range n.items {
		if n.items[i].cond == nil {
			out = append(out, Guarded{Item: &n.items[i], conds: conds})
		}
	}
	for i := range n.items {
		if it := &n.items[i]; it.cond != nil {
			out = it.Inner.flatten(append(slices.Clip(conds), it.cond), out)
		}
	}
	return out
}

// Nodes gives the children of an entry for the host: conditions dissolve in
// place, and the text behind a condition or a comment is lost, as in Bcfg2.
func (n *Nest) Nodes(v *memo.View) []*config.Node {
	var out []*config.Node
	n.InPlace(v, "", func(it *Item) {
		e := it.Element
		out = append(out, &config.Node{
			Tag: Qualified(e.Space, e.Tag), Attrs: Attributes(e), Text: e.Text, Tail: e.Tail, Children: it.Inner.Nodes(v),
		})
	})
	return out
}

func truth(s string) bool {
	switch strings.ToLower(s) {
	case "1", "yes", "true", "on":
		return true
	}
	return false
}
