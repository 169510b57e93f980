// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// sources reports source-without-url, source-without-arch and extra-attrs.
func (t look) sources() {
	for _, d := range t.Docs {
		if d.Dir != "Packages" || d.Schema == nil || d.Templated {
			continue
		}
		d.Root.Walk(func(x *xmltree.Element) bool {
			if !x.Is("Source") {
				return x.Kind == xmltree.Node
			}
			if !tree.Has(x, "url") && !tree.Has(x, "rawurl") && !tree.Has(x, "pulp_id") {
				t.Error(x.Pos, "source-without-url", "the source needs url, rawurl or pulp_id", "")
			}
			arch := false
			for _, c := range x.Children {
				arch = arch || c.Is("Arch")
			}
			if !arch {
				t.Warn(x.Pos, "source-without-arch", "the source has no Arch: it applies to no host", "add <Arch>amd64</Arch>, the name of a group of those hosts")
			}
			if tree.Has(x, "recommended") && tree.Has(x, "type") && x.Get("type") != "apt" {
				t.Warn(x.AttrPos("recommended"), "extra-attrs", "recommended only means something with apt", "remove it")
			}
			return false
		})
	}
}
