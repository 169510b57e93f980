// SPDX-License-Identifier: Apache-2.0

package schema

// info is info.xml. Attributes that are not listed reach the entry too, so that
// an unknown one is only a warning, as everywhere.
func info() *Schema {
	inside := []string{"Info", "Group", "Client", "Path", "FileInfo"}
	return &Schema{Name: "info", Roots: []string{"FileInfo"}, Elements: map[string]*Element{
		"FileInfo": {Attrs: flag("lax_decryption"), Children: inside},
		"Group":    condition(inside),
		"Client":   condition(inside),
		"Path":     condition(inside),
		"Info": {
			Attrs: attrs(of(Owner, "owner", "group"), strict(of(Mode, "mode")), old("write mode", "perms"),
				text("encoding", "secontext", "mtime", "capabilities"), flag("important", "paranoid", "sensitive")),
			Children: []string{"ACL"},
		},
		"ACL": aclEntry(),
	}}
}

func authorizedKeys() *Schema {
	inside := []string{"Allow", "Group", "Client"}
	return &Schema{Name: "authorizedkeys", Roots: []string{"AuthorizedKeys"}, Elements: map[string]*Element{
		"AuthorizedKeys": {Attrs: flag("lax_decryption"), Children: inside},
		"Group":          condition([]string{"Allow", "Group", "Client", "Option", "Params"}),
		"Client":         condition([]string{"Allow", "Group", "Client", "Option", "Params"}),
		"Allow":          {Attrs: text("from", "group", "category", "host", "encrypted"), Children: []string{"Option", "Params", "Group", "Client"}},
		"Option":         {Attrs: attrs(required(text("name")), text("value"))},
		"Params":         {Open: true, Old: "write Option elements"},
	}}
}

func privateKey() *Schema {
	inside := []string{"Passphrase", "Params", "Group", "Client"}
	return &Schema{Name: "privkey", Roots: []string{"PrivateKey"}, Elements: map[string]*Element{
		"PrivateKey": {
			Attrs: attrs(flag("perhost", "lax_decryption"), text("category"), of(Natural, "priority"),
				old("write lax_decryption", "decrypt")),
			Children: inside,
		},
		"Group":      condition(inside),
		"Client":     condition(inside),
		"Params":     {Attrs: attrs(text("type"), of(Natural, "bits"))},
		"Passphrase": {Attrs: text("encrypted")},
	}}
}

func publicKey() *Schema {
	return &Schema{Name: "pubkey", Roots: []string{"PublicKey"}, Elements: map[string]*Element{"PublicKey": {}}}
}
