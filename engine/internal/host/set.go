// SPDX-License-Identifier: Apache-2.0

// Package host turns clients.xml and groups.xml into what is known about one
// host: profile, groups, categories and bundles, in the way of Bcfg2 1.3. It must
// not know bundles, generators or where groups of other plugins come from.
package host

import "math/bits"

// Vocabulary numbers the group names of one specification, so that conditions
// are bit tests. It is filled while a specification is opened and only read later.
type Vocabulary struct {
	ids   map[string]int
	names []string
}

// ID returns the number of a group and gives it one if it has none yet. It must
// not be called once hosts are being resolved.
func (v *Vocabulary) ID(name string) int {
	if v.ids == nil {
		v.ids = map[string]int{}
	}
	id, ok := v.ids[name]
	if !ok {
		id = len(v.names)
		v.ids[name] = id
		v.names = append(v.names, name)
	}
	return id
}

// Find returns the number of a group, if it has one.
func (v *Vocabulary) Find(name string) (int, bool) { id, ok := v.ids[name]; return id, ok }

// Name returns the group of a number.
func (v *Vocabulary) Name(id int) string { return v.names[id] }

// Set is a set of group numbers. The zero value is empty.
type Set []uint64

// Has tells whether a group is in the set.
func (s Set) Has(id int) bool { return id>>6 < len(s) && s[id>>6]&(1<<(id&63)) != 0 }

func (s *Set) add(id int) {
	for id>>6 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[id>>6] |= 1 << (id & 63)
}

func (s Set) remove(id int) {
	if s.Has(id) {
		s[id>>6] &^= 1 << (id & 63)
	}
}

func (s Set) len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// each calls visit with every number in rising order.
func (s Set) each(visit func(int)) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			visit(i<<6 + bits.TrailingZeros64(w))
		}
	}
}
