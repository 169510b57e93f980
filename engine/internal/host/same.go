// SPDX-License-Identifier: Apache-2.0

package host

import (
	"maps"
	"slices"
)

// Same tells whether every question about two hosts has the same answer, though
// they are of two revisions. Findings and places in files are no answers. alike compares
// memberships, as Membership.Same does.
func (h *Host) Same(o *Host, alike func(a, b *Membership) bool) bool {
	return h.Name == o.Name && h.Nested == o.Nested && alike(h.Membership, o.Membership) && h.Client.same(o.Client) &&
		same(h.Probes, o.Probes) && same(h.External, o.External) && same(h.Recorded, o.Recorded) && same(h.data, o.data)
}

// same tells apart what nobody answered from an empty answer, as those who ask do.
func same(a, b map[string]string) bool { return (a == nil) == (b == nil) && maps.Equal(a, b) }

// Same tells whether two memberships are alike for all who ask.
func (m *Membership) Same(o *Membership) bool {
	return m == o || m.Profile == o.Profile && slices.Equal(m.Names, o.Names) && slices.Equal(m.Bundles, o.Bundles) &&
		maps.Equal(m.Categories, o.Categories)
}

func (c *Client) same(o *Client) bool {
	if c == nil || o == nil {
		return c == o
	}
	return c.Name == o.Name && c.UUID == o.UUID && c.Password == o.Password && c.Version == o.Version &&
		c.Secure == o.Secure && c.Floating == o.Floating && slices.Equal(c.Profiles, o.Profiles) &&
		slices.Equal(c.Addresses, o.Addresses) && slices.Equal(c.Aliases, o.Aliases)
}
