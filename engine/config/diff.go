// SPDX-License-Identifier: Apache-2.0

package config

// Kind says what happened to an entry.
type Kind string

// What can happen to an entry.
const (
	Added    Kind = "added"
	Removed  Kind = "removed"
	Modified Kind = "modified"
	// Moved is an equal entry in another structure.
	Moved Kind = "moved"
)

// Change is one difference between two configurations of one host. A structure
// that comes or goes without any entry is a Change whose Key.Tag is the
// structure's tag and whose entries are nil.
type Change struct {
	Key  Key
	Kind Kind
	// Old and New are nil where the entry was not there.
	Old, New *Entry
	// OldBundle and NewBundle are the structures that hold them.
	OldBundle, NewBundle *Bundle
}

// Diff compares two configurations entry by entry. Either may be nil, which
// stands for a host that is not there. The order is that of the keys in the old
// configuration, then of the new ones.
func Diff(base, head *Config) []Change {
	if base == nil {
		base = &Config{}
	}
	if head == nil {
		head = &Config{}
	}
	if sameBundles(base, head) {
		return nil
	}
	base, head = differing(base, head)
	headKeyed := head.Keyed()
	byKey := make(map[Key]*Keyed, len(headKeyed))
	for i := range headKeyed {
		byKey[headKeyed[i].Key] = &headKeyed[i]
	}
	var out []Change
	for _, o := range base.Keyed() {
		n := byKey[o.Key]
		if n == nil {
			out = append(out, Change{Key: o.Key, Kind: Removed, Old: o.Entry, OldBundle: o.Bundle})
			continue
		}
		delete(byKey, o.Key)
		c := Change{Key: o.Key, Old: o.Entry, New: n.Entry, OldBundle: o.Bundle, NewBundle: n.Bundle}
		switch {
		case o.Entry != n.Entry && o.Entry.digest != n.Entry.digest:
			c.Kind = Modified
		case o.Bundle.Tag != n.Bundle.Tag || o.Bundle.Name() != n.Bundle.Name():
			c.Kind = Moved
		default:
			continue
		}
		out = append(out, c)
	}
	for _, n := range headKeyed {
		if byKey[n.Key] != nil {
			out = append(out, Change{Key: n.Key, Kind: Added, New: n.Entry, NewBundle: n.Bundle})
		}
	}
	return append(out, diffStructures(base, head)...)
}

func sameBundles(a, b *Config) bool {
	if len(a.Bundles) != len(b.Bundles) {
		return false
	}
	for i := range a.Bundles {
		if a.Bundles[i] != b.Bundles[i] && a.Bundles[i].digest != b.Bundles[i].digest {
			return false
		}
	}
	return true
}

// differing leaves out the structures that both sides have: mostly that is all but
// one or two. Where a name in what is left stands in those too, all are kept, because
// ordinals count over the whole configuration.
func differing(base, head *Config) (*Config, *Config) {
	old, now, shared := aligned(base.Bundles, head.Bundles)
	if len(old)+len(now) > len(shared) {
		old, shared = without(base.Bundles, head.Bundles)
		now, _ = without(head.Bundles, base.Bundles)
	}
	names := map[string]bool{}
	for _, list := range [][]*Bundle{old, now} {
		for _, b := range list {
			names[b.Name()] = true
			for _, e := range b.Entries {
				names[e.name] = true
			}
		}
	}
	for _, b := range shared {
		if names[b.Name()] {
			return base, head
		}
		for _, e := range b.Entries {
			if names[e.name] {
				return base, head
			}
		}
	}
	return &Config{Host: base.Host, Bundles: old}, &Config{Host: head.Host, Bundles: now}
}

// aligned compares structures that stand in the same place, as nearly all do where none
// came or went.
func aligned(base, head []*Bundle) (old, now, shared []*Bundle) {
	if len(base) != len(head) {
		return base, head, nil
	}
	shared = make([]*Bundle, 0, len(base))
	for i, b := range base {
		if b == head[i] || b.digest == head[i].digest {
			shared = append(shared, b)
			continue
		}
		old, now = append(old, b), append(now, head[i])
	}
	return old, now, shared
}

// without splits a list into the structures that the other one lacks, and those that
// it has as often.
func without(list, other []*Bundle) (missing, shared []*Bundle) {
	has := make(map[Digest]int, len(other))
	for _, b := range other {
		has[b.digest]++
	}
	for _, b := range list {
		if has[b.digest] > 0 {
			has[b.digest]--
			shared = append(shared, b)
			continue
		}
		missing = append(missing, b)
	}
	return missing, shared
}

// diffStructures finds what the entries do not show: structures without entries
// that come or go, and structures whose own attributes change.
func diffStructures(base, head *Config) []Change {
	old := map[Key]*Bundle{}
	for _, k := range structures(base) {
		old[k.Key] = k.Bundle
	}
	var out []Change
	for _, n := range structures(head) {
		o := old[n.Key]
		delete(old, n.Key)
		switch {
		case o == nil && len(n.Bundle.Entries) == 0:
			out = append(out, Change{Key: n.Key, Kind: Added, NewBundle: n.Bundle})
		case o != nil && string(o.appendOpen(nil)) != string(n.Bundle.appendOpen(nil)):
			out = append(out, Change{Key: n.Key, Kind: Modified, OldBundle: o, NewBundle: n.Bundle})
		}
	}
	for _, o := range structures(base) {
		if old[o.Key] != nil && len(o.Bundle.Entries) == 0 {
			out = append(out, Change{Key: o.Key, Kind: Removed, OldBundle: o.Bundle})
		}
	}
	return out
}

func structures(c *Config) []Keyed {
	out := make([]Keyed, 0, len(c.Bundles))
	seen := map[Key]int{}
	for _, b := range c.Bundles {
		k := Key{Tag: b.Tag, Name: b.Name()}
		n := seen[k]
		seen[k] = n + 1
		k.Ordinal = n
		out = append(out, Keyed{Key: k, Bundle: b})
	}
	return out
}
