// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// cyclicGroups follows plain membership, `<Group name="a"><Group name="b"/></Group>`.
// It keeps its own stack, so that a long chain costs no call depth.
func (t look) cyclicGroups() {
	edges := map[string][]*xmltree.Element{}
	var order []string
	for _, x := range t.Groups.Top {
		name := x.Get("name")
		order = append(order, name)
		for _, c := range x.Children {
			if c.Is("Group") && !tree.HasElements(c) && !c.True("negate") {
				edges[name] = append(edges[name], c)
			}
		}
	}
	done := map[string]bool{}
	for _, start := range order {
		if !done[start] {
			t.circle(start, edges, done)
		}
	}
}

func (t look) circle(start string, edges map[string][]*xmltree.Element, done map[string]bool) {
	type frame struct {
		name string
		next int
	}
	stack := []frame{{name: start}}
	depth := map[string]int{start: 0}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if f.next == len(edges[f.name]) {
			done[f.name] = true
			delete(depth, f.name)
			stack = stack[:len(stack)-1]
			continue
		}
		x := edges[f.name][f.next]
		f.next++
		to := x.Get("name")
		if from, open := depth[to]; open {
			var names []string
			for _, s := range stack[from:] {
				names = append(names, s.name)
			}
			if len(names) > 6 {
				names = slices.Concat(names[:3], []string{"…"}, names[len(names)-2:])
			}
			t.Error(x.AttrPos("name"), "cyclic-groups",
				fmt.Sprintf("the groups include one another in a circle: %s, %s", strings.Join(names, ", "), to),
				"remove one of the memberships")
			continue
		}
		if !done[to] {
			depth[to] = len(stack)
			stack = append(stack, frame{name: to})
		}
	}
}
