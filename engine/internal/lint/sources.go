// SPDX-License-Identifier: Apache-2.0

package lint

import "github.com/bindery/bindery/engine/internal/xmltree"

// sources reports source-without-url, source-without-arch and extra-attrs.
func (t *tree) sources() {
	for _, d := range t.docs {
		if d.dir != "Packages" || d.schema == nil || d.templated {
			continue
		}
		d.root.Walk(func(x *xmltree.Element) bool {
			if !x.Is("Source") {
				return x.Kind == xmltree.Node
			}
			if !has(x, "url") && !has(x, "rawurl") && !has(x, "pulp_id") {
				t.error(x.Pos, "source-without-url", "the source needs url, rawurl or pulp_id", "")
			}
			arch := false
			for _, c := range x.Children {
				arch = arch || c.Is("Arch")
			}
			if !arch {
				t.warn(x.Pos, "source-without-arch", "the source has no Arch: it applies to no host", "add <Arch>amd64</Arch>, the name of a group of those hosts")
			}
			if has(x, "recommended") && has(x, "type") && x.Get("type") != "apt" {
				t.warn(x.AttrPos("recommended"), "extra-attrs", "recommended only means something with apt", "remove it")
			}
			return false
		})
	}
}
