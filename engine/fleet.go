// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/tmpl/render"
	"github.com/bindery/bindery/engine/problem"
)

// fleet is how plugins see other hosts, and have entries bound.
type fleet struct {
	s *Spec
	// nested is how deep in questions of others this one is asked.
	nested int
}

var (
	_ plugin.Fleet  = fleet{}
	_ render.Fleet  = fleet{}
	_ plugin.Binder = fleet{}
)

// Hosts lists the hosts that are not refused, by name.
func (f fleet) Hosts() []*host.Host { return f.s.all() }

func (s *Spec) listHosts() []*host.Host {
	var out []*host.Host
	for _, name := range s.hosts {
		if h, refused := s.resolve(Input{Host: name}); refused == nil {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b *host.Host) int { return cmp.Compare(a.Name, b.Name) })
	// Names on the command line may be aliases.
	return slices.CompactFunc(out, func(a, b *host.Host) bool { return a.Name == b.Name })
}

// Host finds a host by name or alias.
func (f fleet) Host(name string) *host.Host {
	h, refused := f.s.resolveFor(Input{Host: name}, f.nested)
	if refused != nil {
		return nil
	}
	return h
}

// Names lists the hosts of clients.xml, sorted.
func (f fleet) Names() []string { return f.s.meta.Names() }

// Groups lists all groups, sorted.
func (f fleet) Groups() []string { return f.s.meta.Groups() }

// GroupsOf lists the groups of a category, sorted.
func (f fleet) GroupsOf(category string) []string { return f.s.meta.GroupsOf(category) }

// Imaginary gives a host that is in just one group.
func (f fleet) Imaginary(name, group string) *host.Host { return f.s.meta.Imaginary(name, group) }

// Asks tells whether an entry of the host is to be bound under that name.
func (f fleet) Asks(h *host.Host, n plugin.Name) bool {
	return slices.Contains(f.s.named(h), n)
}

// maxNeeds is how many entries may be bound for each other's sake: a key, and what
// the key is made of.
const maxNeeds = 2

// Bind binds an entry as if a structure of the host named it.
func (f fleet) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	if d.Depth++; d.Depth > maxNeeds {
		return problem.New(d.At, plugin.CodeTooDeep, fmt.Sprintf("%s %s is needed for what is needed for something else", d.Tag, d.Name()), "do not let files of keys name each other")
	}
	return f.s.bind(v, d)
}
