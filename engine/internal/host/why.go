// SPDX-License-Identifier: Apache-2.0

package host

import (
	"slices"

	"github.com/bindery/bindery/engine/problem"
)

// Reason is where something about a host comes from.
type Reason struct {
	Pos problem.Pos
	// By says in words what gave it: a profile, the default, the rule of a group.
	By string
}

// Why says what of clients.xml and groups.xml puts a host into a group; false where
// neither does, so that a plugin must have.
func (m *Metadata) Why(h *Host, group string) (Reason, bool) {
	if h.Client != nil && slices.Contains(h.Client.Profiles, group) {
		return Reason{h.Client.Pos, "profile of the client"}, true
	}
	id, ok := m.groups.voc.Find(group)
	if !ok {
		return Reason{}, false
	}
	for i := range m.groups.grant {
		rule := &m.groups.grant[i]
		if rule.group != id {
			continue
		}
		for j, conds := range rule.any {
			if holds(conds, h.Name, h.Groups) {
				return Reason{rule.at[j], m.words(conds)}, true
			}
		}
	}
	if d := m.groups.defs[id]; d != nil && (group == m.groups.deflt || h.Client == nil && d.public) {
		by := "default group"
		if group != m.groups.deflt {
			by = "profile that the host asked for"
		}
		return Reason{d.pos, by}, true
	}
	return Reason{}, false
}

// words names the conditions around a rule.
func (m *Metadata) words(conds []condition) string {
	out := ""
	for i, c := range conds {
		if i > 0 {
			out += " and "
		}
		if c.negate {
			out += "not "
		}
		if c.client {
			out += "client " + c.host
			continue
		}
		out += "group " + m.groups.voc.Name(c.group)
	}
	return out
}

// Lists says which groups of a host list a bundle, and where the groups are defined.
func (m *Metadata) Lists(h *Host, bundle string) []Reason {
	var out []Reason
	for _, name := range h.Names {
		if d := m.definition(name); d != nil && slices.Contains(d.bundles, bundle) {
			out = append(out, Reason{d.pos, "group " + name})
		}
	}
	return out
}
