// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// EachCondition visits the Group and Client elements that are conditions. What
// Properties hold may be data that only looks like one.
func (t *Tree) EachCondition(d *Doc, visit func(*xmltree.Element)) {
	switch d.Dir {
	case "Metadata", "Properties", "GroupPatterns", "AWSTags", "ACL":
		return
	}
	d.Root.Walk(func(x *xmltree.Element) bool {
		if x.Kind != xmltree.Node {
			return false
		}
		if x.Is("Client") || x.Is("Group") && (d.Dir != "GroupLogic" || HasElements(x)) {
			visit(x)
		}
		return true
	})
}
