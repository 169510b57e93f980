// SPDX-License-Identifier: Apache-2.0

package schema

func sslKey() *Schema {
	inside := []string{"Key", "Group", "Client"}
	return &Schema{Name: "sslkey", Roots: []string{"KeyInfo"}, Elements: map[string]*Element{
		"KeyInfo": {Attrs: flag("perhost", "lax_decryption"), Children: inside},
		"Group":   condition(inside),
		"Client":  condition(inside),
		"Key":     {Attrs: attrs(text("type"), of(Natural, "bits"))},
	}}
}

func sslCert() *Schema {
	inside := []string{"Cert", "subjectAltName", "Group", "Client"}
	return &Schema{Name: "sslcert", Roots: []string{"CertInfo"}, Elements: map[string]*Element{
		"CertInfo": {Attrs: flag("lax_decryption"), Children: inside},
		"Group":    condition(inside),
		"Client":   condition(inside),
		"Cert": {Attrs: attrs(required(text("key")), oneOf("format", "pem"), number("days"), flag("append_chain"),
			text("ca", "c", "l", "st", "ou", "o", "emailaddress"))},
		"subjectAltName": {},
	}}
}
