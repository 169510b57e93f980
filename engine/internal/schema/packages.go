// SPDX-License-Identifier: Apache-2.0

package schema

// sources is Packages/sources.xml.
func sources() *Schema {
	inside := []string{"Source", "Sources", "Group", "Client"}
	return &Schema{Name: "sources", Roots: []string{"Sources"}, Elements: map[string]*Element{
		"Sources": {Attrs: flag("lax_decryption"), Children: append([]string{"Config", "APTSource", "YUMSource"}, inside...)},
		"Group":   condition(inside),
		"Client":  condition(inside),
		"Source": {
			Attrs: attrs(required(oneOf("type", "yum apt pac pkgng")), text("pulp_id", "url", "rawurl", "version", "name"),
				flag("recommended", "essential", "debsrc")),
			Children: []string{"Component", "Arch", "GPGKey", "Options", "Blacklist", "Whitelist"},
		},
		"Component": {}, "Arch": {}, "GPGKey": {}, "Blacklist": {}, "Whitelist": {},
		// The attributes of Options are those of the repository's own configuration.
		"Options":   {Open: true},
		"Config":    {Open: true, Old: "only Bcfg2 1.1 knows it"},
		"APTSource": {Open: true, Old: `write Source with type="apt"`},
		"YUMSource": {Open: true, Old: `write Source with type="yum"`},
	}}
}
