// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"slices"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// bundles reports bundle-not-found, unused-bundle and misplaced-bundle.
func (t *tree) bundles() {
	if !t.on["Bundler"] {
		return
	}
	files := map[string]string{}
	var names []string
	for _, f := range t.in("Bundler") {
		if name := bundleName(f.name); name != "" {
			files[name] = f.name
			names = append(names, name)
		}
	}
	slices.Sort(names)
	used := map[string]bool{}
	use := func(x *xmltree.Element) {
		name := x.Get("name")
		used[name] = true
		if _, said := x.Lookup("name"); !said || files[name] != "" {
			return
		}
		hint := fmt.Sprintf("write Bundler/%s.xml", name)
		if near := t.nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		t.error(x.AttrPos("name"), "bundle-not-found", fmt.Sprintf("there is no bundle %q", name), hint)
	}
	for _, d := range t.reachable(groupsFile) {
		t.groupBundles(d.root, use)
	}
	for _, d := range t.docs {
		if d.dir == "Bundler" {
			d.root.Walk(func(x *xmltree.Element) bool {
				if x.Is("RequiredBundle") {
					use(x)
				}
				return true
			})
		}
	}
	if t.byName[groupsFile] == nil {
		return
	}
	for _, name := range slices.Compact(names) {
		if !used[name] && !t.includes[files[name]] {
			t.warn(at(files[name]), "unused-bundle", fmt.Sprintf("no group names the bundle %s", name), "")
		}
	}
}

// groupBundles visits the bundles that groups name, and reports those that reach
// nobody where they stand.
func (t *tree) groupBundles(x *xmltree.Element, use func(*xmltree.Element)) {
	for _, c := range x.Children {
		if c.Is("Bundle") {
			if x.Is("Client") || x.Is("Groups") {
				t.warn(c.Pos, "misplaced-bundle", "a bundle directly below "+x.Tag+" reaches nobody", "put it into a group")
			}
			use(c)
			continue
		}
		t.groupBundles(c, use)
	}
}
