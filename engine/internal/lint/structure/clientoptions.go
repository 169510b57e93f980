// SPDX-License-Identifier: Apache-2.0

package structure

// clientOptions reports deprecated-clients-options and secure-without-password.
func (t look) clientOptions() {
	for _, c := range t.Clients {
		if c.X.Get("location") != "" {
			hint := "remove it"
			if c.X.Get("location") == "floating" {
				hint = `write floating="true"`
			}
			t.Warn(c.X.AttrPos("location"), "deprecated-clients-options", "location is an old spelling", hint)
		}
		if c.X.True("secure") && c.X.Get("password") == "" {
			t.Warn(c.X.AttrPos("secure"), "secure-without-password", "the client is secure but has no password", "")
		}
	}
}
