// SPDX-License-Identifier: Apache-2.0

package lint

import "github.com/bindery/bindery/engine/internal/schema"

func checkSchema() check {
	return check{
		rules: []Rule{
			{schema.UnknownElement, "An element that nothing reads, or that stands where it has no meaning."},
			{schema.UnknownAttribute, "An attribute that nothing reads."},
			{schema.MissingAttribute, "An attribute that the element needs is missing."},
			{schema.BadValue, "An attribute has a value that is not one of those it may have."},
			{schema.DeprecatedElement, "An element that only old versions of Bcfg2 know."},
			{schema.DeprecatedAttribute, "An attribute that only old versions of Bcfg2 know."},
		},
		run: func(t *tree) {
			for _, d := range t.docs {
				if d.schema == nil {
					continue
				}
				for _, p := range d.schema.Check(d.root, d.templated) {
					t.add(p)
				}
			}
		},
	}
}
