// SPDX-License-Identifier: Apache-2.0

package review

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/redaction"
)

// members are numbers of hosts, sorted.
type members = []int32

// pairKey says that one literal entry becomes another. Hosts with equal pairs
// have the same change; it is looked at once.
type pairKey struct {
	key      config.Key
	kind     Kind
	old, new config.Digest
	// oldIn and newIn are the structures, which matter where an entry moves.
	oldIn, newIn string
}

type pair struct {
	pairKey
	change config.Change
	hosts  members
	// bundles are the structures that hold the new entry, each with its hosts.
	bundles map[*config.Bundle]members
}

// comparison is the work of New: what differs, before it is named and grouped.
type comparison struct {
	in      Input
	secrets *redaction.Secrets
	pairs   []*pair
	byKey   map[pairKey]*pair
	memo    map[pointers]*pair
	set     *Set
	probes  *probes
	namer   *hostset.Namer

	// Each host is in one of these.
	changed, failed, added, removed, equivalent, unaffected members
	// held are the failed hosts that keep their last good configuration.
	held, noFacts members
	// errors are new in head, known ones are not.
	errors, known []*cause
}

// classKey is equal for hosts that have equal configurations on both sides.
type classKey struct {
	base, head             config.Digest
	baseProbes, headProbes config.Digest
	hasBase, hasHead       bool
}

// class is what all its hosts have in common.
type class struct {
	changes []change
	raw     []config.Change
	fresh   bool
}

// change is a config.Change read as a reviewer would.
type change struct {
	config.Change
	kind Kind
}

func compare(ctx context.Context, in Input) (*comparison, error) {
	c := &comparison{in: in, secrets: redaction.New(), byKey: map[pairKey]*pair{}, memo: map[pointers]*pair{}, set: NewSet(in.Key), probes: newProbes()}
	classes := map[classKey]*class{}
	keys := make([]classKey, len(in.Hosts))
	shared := map[classKey]int{}
	fresh := false
	for i := range in.Hosts {
		if err := ctx.Err(); err != nil {
			return nil, err // the digest of a configuration is of all that is in it
		}
		keys[i] = c.classOf(&in.Hosts[i])
		shared[keys[i]]++
		fresh = fresh || keys[i].hasHead && !keys[i].hasBase
	}
	var exists map[config.Digest]bool
	if fresh {
		exists = c.entriesOfBase()
	}
	if err := c.findCauses(ctx); err != nil {
		return nil, err
	}
	for i := range in.Hosts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, k := &in.Hosts[i], keys[i]
		if h.NoFacts && h.Head != nil {
			c.noFacts = append(c.noFacts, int32(i))
		}
		if k.base == k.head && k.hasBase == k.hasHead && k.baseProbes == k.headProbes {
			c.sort(int32(i), h, nil)
			continue
		}
		c.secrets.Look(h.Base.config())
		c.secrets.Look(h.Head.config())
		cl := classes[k]
		if cl == nil {
			cl = c.newClass(h, k, exists)
			if shared[k] > 1 { // what only one host has would fill the memory
				classes[k] = cl
			}
		}
		c.sort(int32(i), h, cl)
	}
	return c, nil
}

func (c *comparison) classOf(h *Host) classKey {
	k := classKey{baseProbes: c.probes.digest(h.Base), headProbes: c.probes.digest(h.Head)}
	if h.Base != nil && h.Base.Config != nil {
		k.base, k.hasBase = h.Base.Config.Digest(), true
	}
	if h.Head != nil && h.Head.Config != nil {
		k.head, k.hasHead = h.Head.Config.Digest(), true
	}
	return k
}

// entriesOfBase lists what exists somewhere in base, needed only where hosts are
// new: what they share with others was reviewed before.
func (c *comparison) entriesOfBase() map[config.Digest]bool {
	out := map[config.Digest]bool{}
	seen := map[*config.Bundle]bool{}
	for i := range c.in.Hosts {
		base := c.in.Hosts[i].Base
		if base == nil || base.Config == nil {
			continue
		}
		for _, e := range c.probes.of(base) {
			out[e.Digest()] = true
		}
		for _, b := range base.Config.Bundles {
			if seen[b] {
				continue
			}
			seen[b] = true
			for _, e := range b.Entries {
				out[e.Digest()] = true
			}
		}
	}
	return out
}

func (c *comparison) newClass(h *Host, k classKey, exists map[config.Digest]bool) *class {
	cl := &class{fresh: k.hasHead && !k.hasBase}
	var base, head *config.Config
	if k.hasBase {
		base = h.Base.Config
	}
	if k.hasHead {
		head = h.Head.Config
	}
	cl.raw = config.Diff(base, head)
	if k.hasHead { // of a host that goes nothing is asked any more
		cl.raw = append(cl.raw, c.probes.changes(h.Base, h.Head)...)
	}
	if !k.hasHead {
		return cl // a host that goes is one line, not all of its entries
	}
	cl.changes = read(cl.raw)
	if cl.fresh {
		cl.changes = slices.DeleteFunc(cl.changes, func(ch change) bool {
			return ch.New == nil || exists[ch.New.Digest()]
		})
	}
	return cl
}

// read joins what only looks like two changes: an entry whose type changes, and
// one that stops or starts to bind, come as one key removed and another added.
// Two failures of one entry are no change, whatever their words.
func read(raw []config.Change) []change {
	type name struct{ tag, name string }
	gone := map[name][]int{}
	for i, ch := range raw {
		if ch.Kind == config.Removed && ch.Old != nil {
			n := name{ch.Key.Tag, ch.Key.Name}
			gone[n] = append(gone[n], i)
		}
	}
	came := map[int]int{}
	joined := map[int]bool{}
	for i, ch := range raw {
		n := name{ch.Key.Tag, ch.Key.Name}
		if ch.Kind == config.Added && ch.New != nil && len(gone[n]) > 0 {
			came[i] = gone[n][0]
			joined[gone[n][0]] = true
			gone[n] = gone[n][1:]
		}
	}
	out := make([]change, 0, len(raw))
	for i, ch := range raw {
		if joined[i] {
			continue
		}
		if from, ok := came[i]; ok {
			ch.Kind, ch.Old, ch.OldBundle = config.Modified, raw[from].Old, raw[from].OldBundle
			if ch.New.Failure != "" {
				ch.Key = raw[from].Key
			}
		}
		if k := kindOf(ch); k != "" {
			out = append(out, change{ch, k})
		}
	}
	return out
}

func kindOf(ch config.Change) Kind {
	was, is := ch.Old != nil && ch.Old.Failure != "", ch.New != nil && ch.New.Failure != ""
	switch {
	case was && is:
		return ""
	case is:
		return EntryFailed
	case was && ch.New != nil:
		return EntryFixed
	}
	return Kind(ch.Kind)
}

// sort puts a host where it belongs and hands its changes to the pairs.
func (c *comparison) sort(i int32, h *Host, cl *class) {
	_, failed := slices.BinarySearch(c.failed, i)
	switch {
	case failed:
	case h.Base == nil && h.Head != nil:
		c.added = append(c.added, i)
	case h.Head == nil && h.Base != nil:
		c.removed = append(c.removed, i)
	case cl == nil:
		c.unaffected = append(c.unaffected, i)
	case len(cl.changes) == 0 && !cl.fresh && h.Head.Config != nil:
		c.equivalent = append(c.equivalent, i)
	default:
		c.changed = append(c.changed, i)
	}
	if cl == nil {
		return
	}
	c.set.Add(h.Name, cl.raw)
	for _, ch := range cl.changes {
		c.add(i, ch, cl.fresh)
	}
}

func (c *comparison) add(i int32, ch change, fresh bool) {
	at := pointersOf(ch.Change)
	p := c.memo[at]
	if p == nil || p.kind != ch.kind || p.key != ch.Key {
		p = c.pair(ch)
		c.memo[at] = p
	}
	p.hosts = append(p.hosts, i)
	if ch.NewBundle != nil && !fresh { // on a new host nothing runs that could be restarted
		p.bundles[ch.NewBundle] = append(p.bundles[ch.NewBundle], i)
	}
}

// affected are all hosts whose configuration differs.
func (c *comparison) affected() members { return union(c.changed, c.failed) }

func union(sets ...members) members {
	var out members
	for _, s := range sets {
		out = append(out, s...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func without(a, b members) members {
	return slices.DeleteFunc(slices.Clone(a), func(i int32) bool {
		_, in := slices.BinarySearch(b, i)
		return in
	})
}

func (c *comparison) hosts(m members) Hosts { return hostsOf(c.namer.Set(m)) }

func (c *comparison) optional(m members) *Hosts {
	if len(m) == 0 {
		return nil
	}
	h := c.hosts(m)
	return &h
}

// pair finds what a change shares with equal ones, whichever pointers they have.
func (c *comparison) pair(ch change) *pair {
	k := pairKey{key: ch.Key, kind: ch.kind}
	if ch.Old != nil {
		k.old = ch.Old.Digest()
	}
	if ch.New != nil {
		k.new = ch.New.Digest()
	}
	if ch.OldBundle != nil {
		k.oldIn = ch.OldBundle.Tag + "\x00" + ch.OldBundle.Name()
	}
	if ch.NewBundle != nil {
		k.newIn = ch.NewBundle.Tag + "\x00" + ch.NewBundle.Name()
	}
	if ch.Old == nil && ch.New == nil {
		k.old, k.new = shell(ch.OldBundle), shell(ch.NewBundle)
	}
	p := c.byKey[k]
	if p == nil {
		p = &pair{pairKey: k, change: ch.Change, bundles: map[*config.Bundle]members{}}
		c.byKey[k] = p
		c.pairs = append(c.pairs, p)
	}
	return p
}

// What the largest sets of hosts are called.
const (
	AllChanged  = "all changed hosts"
	AllAffected = "all affected hosts"
)

func (c *comparison) nameSets() {
	names := make([]string, len(c.in.Hosts))
	groups := make([][]string, len(c.in.Hosts))
	for i, h := range c.in.Hosts {
		names[i], groups[i] = h.Name, h.Groups
	}
	c.namer = hostset.NewNamer(names, groups)
	if len(c.failed) > 0 {
		c.namer.Call(c.affected(), AllAffected)
	}
	c.namer.Call(c.changed, AllChanged)
}

func (c *comparison) totals(r *Report) {
	r.Totals = Totals{
		Hosts: len(c.in.Hosts) - len(c.removed), Changed: len(c.changed), Failed: len(c.failed),
		Unaffected: len(c.unaffected), Equivalent: len(c.equivalent),
		Added: len(c.added), Removed: len(c.removed), NoFacts: len(c.noFacts),
	}
	for _, i := range union(c.changed, c.failed, c.added) {
		if c.in.Hosts[i].OldFacts {
			r.Totals.OldFacts++
		}
		if c.in.Hosts[i].Unseen {
			r.Totals.Unseen++
		}
	}
	r.Held = c.optional(c.held)
	r.Added, r.Removed = c.optional(c.added), c.optional(c.removed)
	for _, i := range union(c.changed, c.failed, c.added, c.removed) {
		r.Hosts = append(r.Hosts, c.in.Hosts[i].Name)
	}
	slices.SortFunc(r.Hosts, cmp.Compare[string])
}

// digest covers everything that differs, as it is and not as it is shown.
func (c *comparison) digest(findings []Finding) (string, error) {
	data, err := c.set.MarshalBinary()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(data)
	for _, m := range []members{c.failed, c.held, c.added, c.removed, c.equivalent} {
		for _, i := range m {
			h.Write([]byte(c.in.Hosts[i].Name + "\x00"))
		}
		h.Write([]byte{1})
	}
	for _, f := range findings {
		fmt.Fprintln(h, f.Hash, f.Approvals, f.ApprovedBy)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}
