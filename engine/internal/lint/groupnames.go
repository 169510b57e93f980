// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// blankGroup is a file name with a blank in the name of its group.
var blankGroup = regexp.MustCompile(`\.G[0-9]+_(.* .*)$`)

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
	for _, f := range t.files {
		// What stands behind the blank is lost, so that the name is not understood.
		if m := blankGroup.FindStringSubmatch(path.Base(f.name)); m != nil && !t.qualifier(f.name).known && strings.HasPrefix(f.name, "Cfg/") {
			t.warn(at(f.name), "invalid-group-name", fmt.Sprintf("the group name %q holds a blank", m[1]), "write it without")
		}
	}
	for _, d := range t.docs {
		t.eachCondition(d, func(x *xmltree.Element) {
			if x.Is("Group") && !(d.templated && strings.Contains(x.Get("name"), "$")) {
				report(x, x.Get("name"))
			}
		})
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
