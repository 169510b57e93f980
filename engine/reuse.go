// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"reflect"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// basis is what the next result for the same host can be made of. Every structure
// tells what it is made of; rest is what counts for all of them.
type basis struct {
	host    *host.Host
	rest    *memo.Part
	secrets secret.Keyring
	// fixed and bundles are the structures in the order in which they were asked for.
	fixed, bundles []*boundStructure
	// all are the structures in their final order, with those that plugins made of
	// the others; notes and uses are of that last step.
	all   []*boundStructure
	notes []*problem.Problem
	uses  []*memo.Part
}

// past gives what a host got before, as far as it still holds. A nil past gives
// nothing.
type past struct {
	*basis
	sources *memo.Sources
	next    int
	// changed: something came out anew.
	changed bool
}

// past looks at a result before. It is nil where another host, or what counts for
// all, differs.
func (s *Spec) past(last *Result, h *host.Host) *past {
	if s.sources.Revision == nil || last == nil || last.basis == nil {
		return nil
	}
	if !sameKeys(s.secrets, last.basis.secrets) || !s.sources.Takes(last.basis.rest) || !last.basis.host.Same(h, s.alike) {
		return nil
	}
	return &past{basis: last.basis, sources: s.sources}
}

// alike compares two memberships once: many hosts share theirs.
func (s *Spec) alike(a, b *host.Membership) bool {
	pair := [2]*host.Membership{a, b}
	if known, ok := s.compared.Load(pair); ok {
		return known.(bool)
	}
	same := a.Same(b)
	s.compared.Store(pair, same)
	return same
}

// sameKeys tells whether two keyrings are one, and so open the same.
func sameKeys(a, b secret.Keyring) bool {
	return a == nil && b == nil || a != nil && reflect.ValueOf(a).Comparable() && a == b
}

// structures gives the structures that come from no bundle.
func (p *past) structures() ([]*boundStructure, bool) {
	if p == nil {
		return nil, false
	}
	for _, b := range p.fixed {
		if !p.sources.Hold(b.uses) {
			p.changed = true
			return nil, false
		}
	}
	return p.fixed, true
}

// bundle gives a bundle as it was, and whether it still holds.
func (p *past) bundle(name string) (b *boundStructure, holds bool) {
	if p == nil {
		return nil, false
	}
	// Mostly they are asked for in the same order.
	for range p.bundles {
		if p.next >= len(p.bundles) {
			p.next = 0
		}
		b = p.bundles[p.next]
		p.next++
		if b.listed == name {
			holds = p.sources.Hold(b.uses)
			p.changed = p.changed || !holds
			return b, holds
		}
	}
	p.changed = true
	return nil, false
}

// completed gives all structures where each is as it was.
func (p *past) completed(fixed, bundles []*boundStructure) bool {
	return p != nil && !p.changed && len(fixed) == len(p.fixed) && len(bundles) == len(p.bundles) && p.sources.Hold(p.uses)
}

// lasting gives the structure where its entries may be taken over for what it is
// now, nil otherwise.
func (b *boundStructure) lasting(s *memo.Sources, now *plugin.Structure) *boundStructure {
	if b == nil || b.kept == nil || now.Part == nil || b.abstract.Part == nil || !b.abstract.Part.Holds(s.Revision) || len(b.kept) != len(now.Entries) {
		return nil
	}
	return b
}

// entry gives an entry of a structure as it was bound before, nil where that does not
// hold.
func (b *boundStructure) entry(s *memo.Sources, i int, now plugin.Abstract) *bound {
	if b == nil {
		return nil
	}
	was := b.abstract.Entries[i]
	if was.Item == nil || now.Item == nil || was.Item.Element.Pos != now.Item.Element.Pos || !s.Hold(b.kept[i].uses) {
		return nil
	}
	return b.kept[i]
}
