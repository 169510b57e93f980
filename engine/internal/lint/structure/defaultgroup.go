// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// defaultGroup reports multiple-default-groups and default-is-not-profile.
func (t look) defaultGroup() {
	var first *xmltree.Element
	for _, x := range t.Groups.Top {
		if !tree.Exact(x, "default") {
			continue
		}
		if first != nil && first.Get("name") != x.Get("name") {
			t.Error(x.AttrPos("default"), "multiple-default-groups",
				"group "+first.Get("name")+" at "+first.Pos.String()+" is the default too; the last one wins", "keep one default")
		}
		if first == nil {
			first = x
		}
		if !tree.Exact(x, "profile") {
			t.Error(x.AttrPos("default"), "default-is-not-profile", "the default group "+x.Get("name")+" is not a profile", `add profile="true"`)
		}
	}
}
