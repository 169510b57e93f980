// SPDX-License-Identifier: Apache-2.0

package host

import (
	"maps"
	"slices"
)

// Groups lists the groups that groups.xml and clients.xml name, sorted.
func (m *Metadata) Groups() []string {
	if m.broken != nil {
		return nil
	}
	names := map[string]bool{}
	for id := range m.groups.defs {
		names[m.groups.voc.Name(id)] = true
	}
	for _, list := range [][]rules{m.groups.grant, m.groups.revoke} {
		for _, r := range list {
			names[m.groups.voc.Name(r.group)] = true
		}
	}
	for _, c := range m.clients.byName {
		for _, p := range c.Profiles {
			names[p] = true
		}
	}
	delete(names, "")
	return slices.Sorted(maps.Keys(names))
}

// GroupsOf lists the groups of a category, sorted.
func (m *Metadata) GroupsOf(category string) []string {
	if m.broken != nil {
		return nil
	}
	var out []string
	for id, d := range m.groups.defs {
		if d.category == category {
			out = append(out, m.groups.voc.Name(id))
		}
	}
	slices.Sort(out)
	return out
}
