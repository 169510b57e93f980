// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// packagesVersion reports version-ignored.
func (t look) packagesVersion() {
	if !t.On["Packages"] {
		return
	}
	rules := map[string]bool{}
	for _, d := range t.Docs {
		if d.Dir == "Rules" || d.Dir == "Pkgmgr" {
			tree.WalkEntries(d.Root, nil, func(e tree.Entry) { rules[e.Tag+" "+e.X.Get("name")] = true })
		}
	}
	for _, d := range t.Docs {
		if d.Dir != "Bundler" && d.Dir != "Base" {
			continue
		}
		t.EachEntry(d, func(e tree.Entry) {
			version := e.X.Get("version")
			if e.Tag != "Package" || e.Bound || version == "" || version == "auto" || version == "any" ||
				rules["Package "+e.X.Get("name")] || strings.Contains(version, "$") {
				return
			}
			t.Warn(e.X.AttrPos("version"), "version-ignored", "the version is ignored: Packages sets it", "write BoundPackage, or a rule")
		})
	}
}
