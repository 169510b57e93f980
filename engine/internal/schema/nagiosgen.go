// SPDX-License-Identifier: Apache-2.0

package schema

func nagiosGen() *Schema {
	inside := []string{"Option", "Group", "Client"}
	return &Schema{Name: "nagiosgen", Roots: []string{"NagiosGen"}, Elements: map[string]*Element{
		"NagiosGen": {Children: inside}, "Group": condition(inside), "Client": condition(inside),
		"Option": {Attrs: required(text("name"))},
	}}
}
