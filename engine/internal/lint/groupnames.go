// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// groupNames reports invalid-group-name.
func (t *tree) groupNames() {
	report := func(x *xmltree.Element, name string) {
		if strings.ContainsFunc(name, unicode.IsSpace) {
			t.warn(x.AttrPos("name"), "invalid-group-name", fmt.Sprintf("the group name %q holds a blank", name), "write it without")
		}
	}
	for _, x := range t.groups.all {
		report(x, x.Get("name"))
	}
	for _, d := range t.docs {
		if d.dir == "GroupPatterns" {
			d.root.Walk(func(x *xmltree.Element) bool {
				if x.Is("Group") {
					report(x, strings.TrimSpace(x.Text))
				}
				return true
			})
		}
	}
}
