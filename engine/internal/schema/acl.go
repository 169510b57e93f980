// SPDX-License-Identifier: Apache-2.0

package schema

// acl is ACL/ip.xml and ACL/metadata.xml: who may call Bcfg2's server. Nothing
// here reads them, but they may stay in the repository.
func acl() *Schema {
	inside := []string{"Allow", "Deny", "Defer", "Group", "Client"}
	rule := func() *Element { return &Element{Attrs: text("address", "netmask", "method")} }
	return &Schema{Name: "acl", Roots: []string{"MetadataACLs", "IPACLs"}, Elements: map[string]*Element{
		"MetadataACLs": {Children: inside}, "IPACLs": {Children: inside},
		"Group": condition(inside), "Client": condition(inside),
		"Allow": rule(), "Deny": rule(), "Defer": rule(),
	}}
}
