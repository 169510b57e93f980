// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
func (t *tree) duplicateEntry() {
	everywhere := map[string][]ruled{}
	var order []string
	for _, d := range t.docs {
		if d.dir != "Rules" && d.dir != "Pkgmgr" || d.templated {
			continue
		}
		number, _ := priority(d.root.Get("priority"))
		inFile := map[string]*xmltree.Element{}
		walkEntries(d.root, nil, func(e entry) {
			name := e.x.Get("name")
			if name == "" || t.twice(d, e, inFile) || len(e.scope) > 0 {
				return
			}
			key := d.dir + "\x00" + e.tag + "\x00" + name
			if everywhere[key] == nil {
				order = append(order, key)
			}
			everywhere[key] = append(everywhere[key], ruled{e.x, e.tag, d.file, number})
		})
	}
	for _, key := range order {
		t.ties(everywhere[key])
	}
}

// twice reports an entry that its file holds already under the same conditions.
func (t *tree) twice(d *doc, e entry, inFile map[string]*xmltree.Element) bool {
	name := e.x.Get("name")
	key := e.tag + "\x00" + name + "\x00" + scopeKey(e.scope)
	if d.dir == "Pkgmgr" {
		key += "\x00" + e.x.Get("type") + "\x00" + e.x.Get("version")
	}
	first := inFile[key]
	switch {
	case first == nil:
		inFile[key] = e.x
		return false
	case d.dir == "Pkgmgr":
		t.error(e.x.Pos, "duplicate-packages", fmt.Sprintf("package %s stands at line %d already", name, first.Pos.Line), "remove one of them")
	default:
		t.warn(e.x.Pos, "duplicate-entry",
			fmt.Sprintf("a rule for %s %s stands at line %d already; the last one counts", e.tag, name, first.Pos.Line), "remove one of them")
	}
	return true
}

// ties reports two files that give the same entry the same, highest priority.
func (t *tree) ties(rules []ruled) {
	best := slices.MaxFunc(rules, func(a, b ruled) int { return cmp.Compare(a.priority, b.priority) })
	for _, r := range rules {
		if r.priority == best.priority && r.file != best.file {
			t.error(r.x.Pos, "rules-conflict",
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
