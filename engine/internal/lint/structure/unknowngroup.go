// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// unknownGroup reports unknown-group.
func (t look) unknownGroup() {
	if t.Groups.Open || t.ByName[tree.GroupsFile] == nil {
		return
	}
	names := t.Groups.Names()
	report := func(pos problem.Pos, group string) {
		if group == "" || t.Groups.Knows(group) {
			return
		}
		hint := "define it in " + tree.GroupsFile
		if near := t.Nearest(group, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		t.Warn(pos, "unknown-group", fmt.Sprintf("nothing defines the group %q", group), hint)
	}
	for _, x := range t.Groups.All {
		if tree.HasElements(x) {
			report(x.AttrPos("name"), x.Get("name"))
		}
	}
	for _, d := range t.Docs {
		t.EachCondition(d, func(x *xmltree.Element) {
			if x.Is("Group") && !(d.Templated && strings.Contains(x.Get("name"), "$")) {
				report(x.AttrPos("name"), x.Get("name"))
			}
		})
	}
	for _, f := range t.Files {
		if q := t.Qualifier(f.Name); q.Group != "" {
			report(tree.At(f.Name), q.Group)
		}
	}
}
