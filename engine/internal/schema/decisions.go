// SPDX-License-Identifier: Apache-2.0

package schema

func decisions() *Schema {
	inside := []string{"Decision", "Group", "Client"}
	return &Schema{Name: "decisions", Roots: []string{"Decisions"}, Elements: map[string]*Element{
		"Decisions": {Attrs: flag("lax_decryption"), Children: inside}, "Group": condition(inside), "Client": condition(inside),
		"Decision": {Attrs: required(text("type", "name"))},
	}}
}
