// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// clientNames reports client-name-case.
func (t look) clientNames() {
	report := func(pos problem.Pos, name string) {
		if utf8.ValidString(name) && name != strings.ToLower(name) {
			t.Warn(pos, "client-name-case", fmt.Sprintf("host names are in lower case: %q never matches", name), "write "+strings.ToLower(name))
		}
	}
	for _, d := range t.Docs {
		t.EachCondition(d, func(x *xmltree.Element) {
			if x.Is("Client") && !(d.Templated && strings.Contains(x.Get("name"), "$")) {
				report(x.AttrPos("name"), x.Get("name"))
			}
		})
	}
	for _, d := range t.Reachable(tree.GroupsFile) {
		d.Root.Walk(func(x *xmltree.Element) bool {
			if x.Is("Client") {
				report(x.AttrPos("name"), x.Get("name"))
			}
			return true
		})
	}
	for _, f := range t.Files {
		report(tree.At(f.Name), t.Qualifier(f.Name).Host)
	}
}
