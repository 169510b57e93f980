// SPDX-License-Identifier: Apache-2.0

package schema

// defaults has the format of Rules; its entries only fill in, so that nothing
// but the name is needed.
func defaults() *Schema {
	s := priorities("defaults", "Defaults")
	for tag, e := range s.Elements {
		if tag != "Group" && tag != "Client" {
			e.Attrs = optional(e.Attrs)
		}
	}
	return s
}
