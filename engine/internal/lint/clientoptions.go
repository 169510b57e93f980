// SPDX-License-Identifier: Apache-2.0

package lint

// clientOptions reports deprecated-clients-options and secure-without-password.
func (t *tree) clientOptions() {
	for _, c := range t.clients {
		if c.x.Get("location") != "" {
			hint := "remove it"
			if c.x.Get("location") == "floating" {
				hint = `write floating="true"`
			}
			t.warn(c.x.AttrPos("location"), "deprecated-clients-options", "location is an old spelling", hint)
		}
		if c.x.True("secure") && c.x.Get("password") == "" {
			t.warn(c.x.AttrPos("secure"), "secure-without-password", "the client is secure but has no password", "")
		}
	}
}
