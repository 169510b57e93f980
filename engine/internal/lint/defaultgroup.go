// SPDX-License-Identifier: Apache-2.0

package lint

import "github.com/bindery/bindery/engine/internal/xmltree"

// defaultGroup reports multiple-default-groups and default-is-not-profile.
func (t *tree) defaultGroup() {
	var first *xmltree.Element
	for _, x := range t.groups.top {
		if !exact(x, "default") {
			continue
		}
		if first != nil && first.Get("name") != x.Get("name") {
			t.error(x.AttrPos("default"), "multiple-default-groups",
				"group "+first.Get("name")+" at "+first.Pos.String()+" is the default too; the last one wins", "keep one default")
		}
		if first == nil {
			first = x
		}
		if !exact(x, "profile") {
			t.error(x.AttrPos("default"), "default-is-not-profile", "the default group "+x.Get("name")+" is not a profile", `add profile="true"`)
		}
	}
}
