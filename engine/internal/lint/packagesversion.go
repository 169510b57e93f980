// SPDX-License-Identifier: Apache-2.0

package lint

import "strings"

// packagesVersion reports version-ignored.
func (t *tree) packagesVersion() {
	if !t.on["Packages"] {
		return
	}
	rules := map[string]bool{}
	for _, d := range t.docs {
		if d.dir == "Rules" || d.dir == "Pkgmgr" {
			walkEntries(d.root, nil, func(e entry) { rules[e.tag+" "+e.x.Get("name")] = true })
		}
	}
	for _, d := range t.docs {
		if d.dir != "Bundler" && d.dir != "Base" {
			continue
		}
		t.eachEntry(d, func(e entry) {
			version := e.x.Get("version")
			if e.tag != "Package" || e.bound || version == "" || version == "auto" || version == "any" ||
				rules["Package "+e.x.Get("name")] || strings.Contains(version, "$") {
				return
			}
			t.warn(e.x.AttrPos("version"), "version-ignored", "the version is ignored: Packages sets it", "write BoundPackage, or a rule")
		})
	}
}
