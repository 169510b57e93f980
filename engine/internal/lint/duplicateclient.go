// SPDX-License-Identifier: Apache-2.0

package lint

import "fmt"

// duplicateClient reports duplicate-client and duplicate-alias.
func (t *tree) duplicateClient() {
	first := map[string]client{}
	for _, c := range t.clients {
		if c.name == "" {
			continue
		}
		if f, twice := first[c.name]; twice {
			t.error(c.x.AttrPos("name"), "duplicate-client", fmt.Sprintf("client %s is listed at %s already; it gets both profiles", c.name, f.x.Pos), "remove one of them")
			continue
		}
		first[c.name] = c
	}
	owner := map[string]client{}
	for _, c := range t.clients {
		for _, a := range c.x.Children {
			if !a.Is("Alias") {
				continue
			}
			alias := a.Get("name")
			if o, taken := owner[alias]; taken && o.name != c.name {
				t.error(a.AttrPos("name"), "duplicate-alias", fmt.Sprintf("the alias %s belongs to %s already; the later one wins", alias, o.name), "")
			}
			if f, hidden := first[alias]; hidden && f.name != c.name {
				t.error(a.AttrPos("name"), "duplicate-alias", fmt.Sprintf("the alias hides the client %s listed at %s", alias, f.x.Pos), "")
			}
			owner[alias] = c
		}
	}
}
