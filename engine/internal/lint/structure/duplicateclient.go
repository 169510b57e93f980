// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// duplicateClient reports duplicate-client and duplicate-alias.
func (t look) duplicateClient() {
	first := map[string]tree.Client{}
	for _, c := range t.Clients {
		if c.Name == "" {
			continue
		}
		if f, twice := first[c.Name]; twice {
			t.Error(c.X.AttrPos("name"), "duplicate-client", fmt.Sprintf("client %s is listed at %s already; it gets both profiles", c.Name, f.X.Pos), "remove one of them")
			continue
		}
		first[c.Name] = c
	}
	owner := map[string]tree.Client{}
	for _, c := range t.Clients {
		for _, a := range c.X.Children {
			if !a.Is("Alias") {
				continue
			}
			alias := a.Get("name")
			if o, taken := owner[alias]; taken && o.Name != c.Name {
				t.Error(a.AttrPos("name"), "duplicate-alias", fmt.Sprintf("the alias %s belongs to %s already; the later one wins", alias, o.Name), "")
			}
			if f, hidden := first[alias]; hidden && f.Name != c.Name {
				t.Error(a.AttrPos("name"), "duplicate-alias", fmt.Sprintf("the alias hides the client %s listed at %s", alias, f.X.Pos), "")
			}
			owner[alias] = c
		}
	}
}
