// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"slices"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// bundles reports bundle-not-found, unused-bundle and misplaced-bundle.
func (t look) bundles() {
	if !t.On["Bundler"] {
		return
	}
	files := map[string]string{}
	var names []string
	for _, f := range t.In("Bundler") {
		if name := tree.BundleName(f.Name); name != "" {
			files[name] = f.Name
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
		if near := t.Nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		t.Error(x.AttrPos("name"), "bundle-not-found", fmt.Sprintf("there is no bundle %q", name), hint)
	}
	for _, d := range t.Reachable(tree.GroupsFile) {
		t.groupBundles(d.Root, use)
	}
	for _, d := range t.Docs {
		if d.Dir == "Bundler" {
			d.Root.Walk(func(x *xmltree.Element) bool {
				if x.Is("RequiredBundle") {
					use(x)
				}
				return true
			})
		}
	}
	if t.ByName[tree.GroupsFile] == nil {
		return
	}
	for _, name := range slices.Compact(names) {
		if !used[name] && !t.Includes[files[name]] {
			t.Warn(tree.At(files[name]), "unused-bundle", fmt.Sprintf("no group names the bundle %s", name), "")
		}
	}
}

// groupBundles visits the bundles that groups name, and reports those that reach
// nobody where they stand.
func (t look) groupBundles(x *xmltree.Element, use func(*xmltree.Element)) {
	for _, c := range x.Children {
		if c.Is("Bundle") {
			if x.Is("Client") || x.Is("Groups") {
				t.Warn(c.Pos, "misplaced-bundle", "a bundle directly below "+x.Tag+" reaches nobody", "put it into a group")
			}
			use(c)
			continue
		}
		t.groupBundles(c, use)
	}
}
