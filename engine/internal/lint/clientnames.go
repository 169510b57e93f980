// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// clientNames reports client-name-case.
func (t *tree) clientNames() {
	report := func(pos problem.Pos, name string) {
		if utf8.ValidString(name) && name != strings.ToLower(name) {
			t.warn(pos, "client-name-case", fmt.Sprintf("host names are in lower case: %q never matches", name), "write "+strings.ToLower(name))
		}
	}
	for _, d := range t.docs {
		t.eachCondition(d, func(x *xmltree.Element) {
			if x.Is("Client") && !(d.templated && strings.Contains(x.Get("name"), "$")) {
				report(x.AttrPos("name"), x.Get("name"))
			}
		})
	}
	for _, d := range t.reachable(groupsFile) {
		d.root.Walk(func(x *xmltree.Element) bool {
			if x.Is("Client") {
				report(x.AttrPos("name"), x.Get("name"))
			}
			return true
		})
	}
	for _, f := range t.files {
		report(at(f.name), t.qualifier(f.name).host)
	}
}
