// SPDX-License-Identifier: Apache-2.0

package schema

func groups() *Schema {
	inside := []string{"Group", "Groups", "Client", "Bundle"}
	return &Schema{Name: "groups", Roots: []string{"Groups"}, Elements: map[string]*Element{
		"Groups": {Attrs: text("version", "origin", "revision"), Children: inside},
		"Group": {
			Attrs: attrs(required(text("name")), flag("profile", "public", "default", "negate"), text("category", "comment"),
				old("only Bcfg2 1.1 knows it", "toolset")),
			Children: inside,
		},
		"Client": {Attrs: attrs(required(text("name")), flag("negate")), Children: inside},
		"Bundle": {Attrs: required(text("name"))},
	}}
}

func clients() *Schema {
	password := text("password")
	password[0].Secret = true
	return &Schema{Name: "clients", Roots: []string{"Clients"}, Elements: map[string]*Element{
		"Clients": {Attrs: text("version"), Children: []string{"Client", "Clients"}},
		"Client": {
			Attrs: attrs(required(text("name", "profile")), password, text("uuid", "address", "version", "location", "comment"),
				oneOf("auth", "cert+password bootstrap cert"), flag("secure", "floating"),
				old("nothing reads it; remove it", "pingable", "pingtime")),
			Children: []string{"Alias"},
		},
		"Alias": {Attrs: attrs(required(text("name")), text("address"))},
	}}
}
