// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// ruled is a rule for every host.
type ruled struct {
	x        *xmltree.Element
	tag      string
	file     string
	priority int
}

// duplicateEntry reports duplicate-packages, duplicate-entry, rules-conflict.
func (t look) duplicateEntry() {
	everywhere := map[string][]ruled{}
	var order []string
	for _, d := range t.Docs {
		if d.Dir != "Rules" && d.Dir != "Pkgmgr" || d.Templated {
			continue
		}
		number, _ := priority(d.Root.Get("priority"))
		inFile := map[string]*xmltree.Element{}
		tree.WalkEntries(d.Root, nil, func(e tree.Entry) {
			name := e.X.Get("name")
			if name == "" || t.twice(d, e, inFile) || len(e.Scope) > 0 {
				return
			}
			key := d.Dir + "\x00" + e.Tag + "\x00" + name
			if everywhere[key] == nil {
				order = append(order, key)
			}
			everywhere[key] = append(everywhere[key], ruled{e.X, e.Tag, d.File, number})
		})
	}
	for _, key := range order {
		t.ties(everywhere[key])
	}
}

// twice reports an entry that its file holds already under the same conditions.
func (t look) twice(d *tree.Doc, e tree.Entry, inFile map[string]*xmltree.Element) bool {
	name := e.X.Get("name")
	key := e.Tag + "\x00" + name + "\x00" + scopeKey(e.Scope)
	if d.Dir == "Pkgmgr" {
		key += "\x00" + e.X.Get("type") + "\x00" + e.X.Get("version")
	}
	first := inFile[key]
	switch {
	case first == nil:
		inFile[key] = e.X
		return false
	case d.Dir == "Pkgmgr":
		t.Error(e.X.Pos, "duplicate-packages", fmt.Sprintf("package %s stands at line %d already", name, first.Pos.Line), "remove one of them")
	default:
		t.Warn(e.X.Pos, "duplicate-entry",
			fmt.Sprintf("a rule for %s %s stands at line %d already; the last one counts", e.Tag, name, first.Pos.Line), "remove one of them")
	}
	return true
}

// ties reports two files that give the same entry the same, highest priority.
func (t look) ties(rules []ruled) {
	best := slices.MaxFunc(rules, func(a, b ruled) int { return cmp.Compare(a.priority, b.priority) })
	for _, r := range rules {
		if r.priority == best.priority && r.file != best.file {
			t.Error(r.x.Pos, "rules-conflict",
				fmt.Sprintf("%s %s has a rule of the same priority at %s: it cannot be bound", r.tag, r.x.Get("name"), best.x.Pos),
				"change a priority, or remove one of them")
			return
		}
	}
}

// scopeKey says under which conditions an entry stands.
func scopeKey(scope []*xmltree.Element) string {
	var b strings.Builder
	for _, c := range scope {
		fmt.Fprintf(&b, "%s %q %t;", c.Tag, c.Get("name"), c.True("negate"))
	}
	return b.String()
}
