// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// duplicateGroup reports a second definition that says something that is lost:
// flags, a category or bundles. Members may be added by as many as one likes.
func (t look) duplicateGroup() {
	first := map[string]*xmltree.Element{}
	for _, x := range t.Groups.Top {
		name := x.Get("name")
		if first[name] == nil {
			first[name] = x
			continue
		}
		if lost := lostBy(x); lost != "" {
			t.Error(x.AttrPos("name"), "duplicate-group",
				fmt.Sprintf("group %q is defined at %s already; %s here is lost", name, first[name].Pos, lost), "join the two definitions")
		}
	}
}

func lostBy(x *xmltree.Element) string {
	for _, a := range x.Attrs {
		switch a.Name {
		case "profile", "public", "default", "category":
			return a.Name
		}
	}
	for _, c := range x.Children {
		if c.Is("Bundle") {
			return "the bundle " + c.Get("name")
		}
	}
	return ""
}
