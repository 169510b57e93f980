// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// clientsInClients reports nested-client-tags.
func (t look) clientsInClients() {
	for _, d := range t.Reachable(tree.GroupsFile) {
		t.nestedClients(d.Root, false)
	}
}

func (t look) nestedClients(x *xmltree.Element, inside bool) {
	one := x.Is("Client")
	if one && inside && !x.True("negate") {
		t.Warn(x.Pos, "nested-client-tags", "Client inside Client: no host has both names", "put the two beside each other")
	}
	for _, c := range x.Children {
		t.nestedClients(c, inside || one && !x.True("negate"))
	}
}
