// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

func checkDuplicateEntry() check {
	return check{
		rules: []Rule{
			{"duplicate-entry", "One file holds two rules for an entry under the same conditions; the last one counts."},
			{"duplicate-packages", "One package list holds a package twice under the same conditions."},
			{"rules-conflict", "Two files of the same priority hold a rule for the same entry and every host, so that none can be bound."},
		},
		run: (*tree).duplicateEntry,
	}
}

func (t *tree) duplicateEntry() {
	type place struct {
		x    *xmltree.Element
		file string
	}
	everywhere := map[string]place{}
	for _, d := range t.docs {
		if d.dir != "Rules" && d.dir != "Pkgmgr" || d.templated {
			continue
		}
		number, _ := priority(d.root.Get("priority"))
		inFile := map[string]*xmltree.Element{}
		walkEntries(d.root, nil, func(e entry) {
			name := e.x.Get("name")
			if name == "" {
				return
			}
			scope := scopeKey(e.scope)
			key := e.tag + "\x00" + name + "\x00" + scope
			if d.dir == "Pkgmgr" {
				key += "\x00" + e.x.Get("type") + "\x00" + e.x.Get("version")
			}
			if first := inFile[key]; first != nil {
				if d.dir == "Pkgmgr" {
					t.error(e.x.Pos, "duplicate-packages", fmt.Sprintf("package %s stands at line %d already", name, first.Pos.Line), "remove one of them")
				} else {
					t.warn(e.x.Pos, "duplicate-entry", fmt.Sprintf("a rule for %s %s stands at line %d already; the last one counts", e.tag, name, first.Pos.Line), "remove one of them")
				}
				return
			}
			inFile[key] = e.x
			if scope != "" {
				return
			}
			key = fmt.Sprintf("%s\x00%d\x00%s\x00%s", d.dir, number, e.tag, name)
			if other, ok := everywhere[key]; ok && other.file != d.file {
				t.error(e.x.Pos, "rules-conflict",
					fmt.Sprintf("%s %s has a rule of the same priority at %s: it cannot be bound", e.tag, name, other.x.Pos), "change a priority, or remove one of them")
				return
			}
			everywhere[key] = place{e.x, d.file}
		})
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
