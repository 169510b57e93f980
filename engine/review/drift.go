// SPDX-License-Identifier: Apache-2.0

package review

import (
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/redaction"
)

// told gives what hosts said of an entry before it changes: where it is not as it should
// be, and where something of its name is that nobody gave them.
func (c *comparison) told(key config.Key, hosts members) (drifted *Hosts, extra []Extra) {
	if key.Tag == redaction.ProbeTag {
		return nil, nil
	}
	var off members
	extras := map[string]members{}
	for _, i := range hosts {
		h := &c.in.Hosts[i]
		if slices.ContainsFunc(h.Drifted, func(k config.Key) bool { return k.Tag == key.Tag && k.Name == key.Name }) {
			off = append(off, i)
		}
		for _, k := range h.Extra {
			if k.Name == key.Name && (k.Tag == key.Tag || software(k.Tag) && software(key.Tag)) {
				if m := extras[k.Tag]; len(m) == 0 || m[len(m)-1] != i {
					extras[k.Tag] = append(m, i)
				}
			}
		}
	}
	for tag, m := range extras {
		extra = append(extra, Extra{tag, c.hosts(m)})
	}
	slices.SortFunc(extra, func(a, b Extra) int { return strings.Compare(a.Tag, b.Tag) })
	return c.optional(off), extra
}

// software tells whether a package and a service of one name go together.
func software(tag string) bool { return tag == "Package" || tag == "Service" }

// drifted counts the hosts that drifted on what changes.
func (c *comparison) drifted(changes []Change) int {
	seen := map[string]bool{}
	for i := range changes {
		if d := changes[i].Drifted; d != nil {
			for _, name := range d.Names {
				seen[name] = true
			}
		}
	}
	return len(seen)
}
