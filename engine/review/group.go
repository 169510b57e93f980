// SPDX-License-Identifier: Apache-2.0

package review

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/redaction"
)

// maxFingerprints is how many pairs of values of one secret are kept; more are
// counted, as where every host has its own.
const maxFingerprints = 3

// variant collects the pairs that read alike once masked.
type variant struct {
	detail  detail
	literal detail
	hosts   members
	pairs   int
	masked  bool
	context bool
	whole   [sha256.Size]byte
	secrets map[Fingerprints]members
}

type blockKey struct {
	key  config.Key
	kind Kind
}

// changes groups the pairs: all ways in which one entry changes are one Change.
func (c *comparison) changes(ctx context.Context) ([]Change, error) {
	blocks := map[blockKey][]*pair{}
	for _, p := range c.pairs {
		k := blockKey{p.key, p.kind}
		k.key.Type = "" // the same file may be of another type elsewhere
		blocks[k] = append(blocks[k], p)
	}
	out := make([]Change, 0, len(blocks))
	effects := newEffects()
	for _, pairs := range blocks {
		ch, err := c.block(ctx, pairs, effects)
		if err != nil {
			return nil, err
		}
		out = append(out, ch)
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(b.Hosts.Len(), a.Hosts.Len()), compareKeys(a.Entry, b.Entry), cmp.Compare(a.Kind, b.Kind))
	})
	return out, nil
}

func (c *comparison) block(ctx context.Context, pairs []*pair, effects *effects) (Change, error) {
	first := pairs[0]
	ch := Change{Entry: first.key, Kind: first.kind, From: source(first)}
	ch.Entry.Name = redaction.Name(ch.Entry.Name)
	ch.Severity = Order
	var hosts members
	variants := map[[sha256.Size]byte]*variant{}
	for _, p := range pairs {
		if err := ctx.Err(); err != nil {
			return ch, err
		}
		ch.Entry.Type = min(ch.Entry.Type, p.key.Type)
		hosts = append(hosts, p.hosts...)
		ch.Secret = ch.Secret || c.secretPair(p)
		d := c.look(p)
		ch.Severity = min(ch.Severity, severity(p, d, effects))
		ch.Removal = cmp.Or(ch.Removal, removal(p))
		c.place(variants, p, d)
	}
	all := union(hosts)
	ch.Hosts = c.hosts(all)
	ch.Drifted, ch.Extra = c.told(first.key, all)
	ch.Effects = effects.of(pairs)
	for _, v := range variants {
		if err := ctx.Err(); err != nil {
			return ch, err
		}
		ch.Variants = append(ch.Variants, c.variant(v))
	}
	slices.SortFunc(ch.Variants, func(a, b Variant) int {
		return cmp.Or(cmp.Compare(b.Hosts.Len(), a.Hosts.Len()), slices.Compare(a.Hosts.Names, b.Hosts.Names))
	})
	for i := 1; i < len(ch.Variants) && !ch.Secret; i++ {
		ch.Variants[i].Like = likeness(&ch.Variants[0], &ch.Variants[i])
	}
	return ch, nil
}

func source(p *pair) config.Source {
	e := p.change.New
	if e == nil {
		e = p.change.Old
		if e != nil {
			return e.NamedAt
		}
		return config.Source{}
	}
	if e.BoundAt.File != "" {
		return e.BoundAt
	}
	return e.NamedAt
}

// place finds the variant of a pair. Only the pair of a single host is masked:
// where several hosts share the literal bytes, a name in them is nobody's own.
func (c *comparison) place(variants map[[sha256.Size]byte]*variant, p *pair, d detail) {
	shown := d
	if len(p.hosts) == 1 {
		shown = maskOf(&c.in.Hosts[p.hosts[0]]).detail(d)
	}
	key, whole := digestOf(shown, false), digestOf(shown, true)
	v := variants[key]
	if v == nil {
		v = &variant{detail: shown, literal: d, whole: whole, secrets: map[Fingerprints]members{}}
		variants[key] = v
	}
	v.pairs++
	v.masked = v.masked || digestOf(d, true) != whole
	v.context = v.context || v.whole != whole
	v.hosts = append(v.hosts, p.hosts...)
	if d.secrets != nil {
		v.secrets[*d.secrets] = append(v.secrets[*d.secrets], p.hosts...)
	}
}

func (c *comparison) variant(v *variant) Variant {
	d := v.detail
	if v.pairs == 1 {
		d, v.masked = v.literal, false
	}
	out := Variant{
		Hosts: c.hosts(union(v.hosts)), Masked: v.masked, Context: v.context,
		Attrs: d.attrs, Hunks: d.hunks, Notes: d.notes, Values: len(v.secrets),
	}
	pairs := slices.SortedFunc(maps.Keys(v.secrets), func(a, b Fingerprints) int {
		return cmp.Or(cmp.Compare(len(v.secrets[b]), len(v.secrets[a])), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
	})
	out.Secrets = pairs[:min(len(pairs), maxFingerprints)]
	return out
}

// digestOf is equal for details that read alike. Context is left out unless
// whole is set, and line numbers always; a secret's value is not in it, so that
// a secret which differs everywhere is still one change.
func digestOf(d detail, whole bool) [sha256.Size]byte {
	h := sha256.New()
	text := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	optional := func(s *string) {
		if s == nil {
			text("-")
			return
		}
		text("=" + *s)
	}
	for _, a := range d.attrs {
		text("attribute " + a.Name)
		optional(a.Old)
		optional(a.New)
	}
	for _, k := range d.hunks {
		text("hunk")
		for _, l := range k.Lines {
			if whole || l.Op != " " {
				text(l.Op + l.Text)
			}
		}
	}
	for _, n := range d.notes {
		text("note " + n)
	}
	if d.secrets != nil {
		text("secret")
	}
	return [sha256.Size]byte(h.Sum(nil))
}
