// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/bindery/bindery/engine/internal/host"

// queries is what the queries of templates are answered from: the hosts of
// clients.xml with the groups that do not depend on facts.
type queries struct{ spec *Spec }

// Names lists the hosts of clients.xml, sorted.
func (q queries) Names() []string { return q.spec.meta.Names() }

// Host resolves a host; nil where it is refused.
func (q queries) Host(name string) *host.Host {
	h, refused := q.spec.meta.Resolve(name, "")
	if refused != nil {
		return nil
	}
	for _, c := range q.spec.plugins.Connectors {
		q.spec.meta.Extend(h, c.Groups(h))
		if h.Refused() != nil {
			return nil
		}
	}
	return h
}

// Groups lists all groups, sorted.
func (q queries) Groups() []string { return q.spec.meta.Groups() }

// GroupsOf lists the groups of a category, sorted.
func (q queries) GroupsOf(category string) []string { return q.spec.meta.GroupsOf(category) }
