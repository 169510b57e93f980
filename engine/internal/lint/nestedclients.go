// SPDX-License-Identifier: Apache-2.0

package lint

import "github.com/bindery/bindery/engine/internal/xmltree"

// clientsInClients reports nested-client-tags.
func (t *tree) clientsInClients() {
	for _, d := range t.reachable(groupsFile) {
		t.nestedClients(d.root, false)
	}
}

func (t *tree) nestedClients(x *xmltree.Element, inside bool) {
	one := x.Is("Client")
	if one && inside && !x.True("negate") {
		t.warn(x.Pos, "nested-client-tags", "Client inside Client: no host has both names", "put the two beside each other")
	}
	for _, c := range x.Children {
		t.nestedClients(c, inside || one && !x.True("negate"))
	}
}
