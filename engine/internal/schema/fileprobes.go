// SPDX-License-Identifier: Apache-2.0

package schema

func fileProbes() *Schema {
	inside := []string{"FileProbe", "Group", "Client"}
	return &Schema{Name: "fileprobes", Roots: []string{"FileProbes"}, Elements: map[string]*Element{
		"FileProbes": {Children: inside}, "Group": condition(inside), "Client": condition(inside),
		"FileProbe": {Attrs: attrs(required(text("name")), text("encoding"), flag("update"))},
	}}
}
