// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// blankGroup is a file name with a blank in the name of its group.
var blankGroup = regexp.MustCompile(`\.G[0-9]+_(.* .*)$`)

// groupNames reports invalid-group-name.
func (t look) groupNames() {
	report := func(x *xmltree.Element, name string) {
		if strings.ContainsFunc(name, unicode.IsSpace) {
			t.Warn(x.AttrPos("name"), "invalid-group-name", fmt.Sprintf("the group name %q holds a blank", name), "write it without")
		}
	}
	for _, x := range t.Groups.All {
		report(x, x.Get("name"))
	}
	for _, f := range t.Files {
		// What stands behind the blank is lost, so that the name is not understood.
		if m := blankGroup.FindStringSubmatch(path.Base(f.Name)); m != nil && !t.Qualifier(f.Name).Known && strings.HasPrefix(f.Name, "Cfg/") {
			t.Warn(tree.At(f.Name), "invalid-group-name", fmt.Sprintf("the group name %q holds a blank", m[1]), "write it without")
		}
	}
	for _, d := range t.Docs {
		t.EachCondition(d, func(x *xmltree.Element) {
			if x.Is("Group") && !(d.Templated && strings.Contains(x.Get("name"), "$")) {
				report(x, x.Get("name"))
			}
		})
		if d.Dir == "GroupPatterns" {
			d.Root.Walk(func(x *xmltree.Element) bool {
				if x.Is("Group") {
					report(x, strings.TrimSpace(x.Text))
				}
				return true
			})
		}
	}
}
