// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// unknownGroup reports unknown-group.
func (t *tree) unknownGroup() {
	if t.groups.open || t.byName[groupsFile] == nil {
		return
	}
	names := t.groups.names()
	report := func(pos problem.Pos, group string) {
		if group == "" || t.groups.knows(group) {
			return
		}
		hint := "define it in " + groupsFile
		if near := t.nearest(group, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		t.warn(pos, "unknown-group", fmt.Sprintf("nothing defines the group %q", group), hint)
	}
	for _, x := range t.groups.all {
		if hasElements(x) {
			report(x.AttrPos("name"), x.Get("name"))
		}
	}
	for _, d := range t.docs {
		t.eachCondition(d, func(x *xmltree.Element) {
			if x.Is("Group") && !(d.templated && strings.Contains(x.Get("name"), "$")) {
				report(x.AttrPos("name"), x.Get("name"))
			}
		})
	}
	for _, f := range t.files {
		if q := t.qualifier(f.name); q.group != "" {
			report(at(f.name), q.group)
		}
	}
}

// eachCondition visits the Group and Client elements that are conditions. What
// Properties hold may be data that only looks like one.
func (t *tree) eachCondition(d *doc, visit func(*xmltree.Element)) {
	switch d.dir {
	case "Metadata", "Properties", "GroupPatterns", "AWSTags", "ACL":
		return
	}
	d.root.Walk(func(x *xmltree.Element) bool {
		if x.Kind != xmltree.Node {
			return false
		}
		if x.Is("Client") || x.Is("Group") && (d.dir != "GroupLogic" || hasElements(x)) {
			visit(x)
		}
		return true
	})
}
