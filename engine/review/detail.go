// SPDX-License-Identifier: Apache-2.0

package review

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/redaction"
	"github.com/bindery/bindery/engine/review/words"
	"github.com/bindery/bindery/engine/textdiff"
)

const (
	// Context is how many equal lines stand around a change; views may show fewer.
	Context = 3
	// maxText is how much of one side is compared line by line.
	maxText = 1 << 20
)

// detail is what one pair shows, without hosts.
type detail struct {
	attrs   []AttrChange
	hunks   []Hunk
	notes   []string
	secrets *Fingerprints
	// access tells that an access list differs, order that nothing but the order of
	// what has none does.
	access, order bool
}

// look compares the two sides of a pair. Redaction comes first: of a secret only
// fingerprints go on from here.
func (c *comparison) look(p *pair) detail {
	ch := p.change
	var d detail
	if ch.Old == nil && ch.New == nil {
		d.attrs = structure(ch)
		return d
	}
	if p.kind == EntryMoved || p.oldIn != p.newIn && ch.Old != nil && ch.New != nil {
		d.notes = append(d.notes, "moves from "+nameOf(ch.OldBundle)+" to "+nameOf(ch.NewBundle))
	}
	if p.kind == EntryMoved || p.kind == EntryFailed {
		return d // nothing else happens, or its cause says what
	}
	if c.secretPair(p) {
		d.attrs = attrs(ch.Old, ch.New, redaction.Showable)
		d.secrets = &Fingerprints{redaction.Fingerprint(c.in.Key, ch.Old), redaction.Fingerprint(c.in.Key, ch.New)}
		return d
	}
	d.attrs = attrs(ch.Old, ch.New, anyAttr)
	old, now := content(ch.Old), content(ch.New)
	d.access = accessDiffers(ch.Old, ch.New)
	if d.order = orderOnly(p); d.order {
		d.notes = append(d.notes, "order only")
		return d
	}
	switch {
	case textdiff.Binary(old) || textdiff.Binary(now):
		d.notes = append(d.notes, "binary: "+sizes(ch, old, now))
	case len(old) > maxText || len(now) > maxText:
		d.notes = append(d.notes, "too large to compare: "+sizes(ch, old, now))
	default:
		d.hunks = hunksOf(textdiff.Hunks(old, now, Context))
	}
	d.scan(redaction.Scanner{Key: c.in.Key})
	return d
}

func anyAttr(*config.Entry, string, string) bool { return true }

func (c *comparison) secretPair(p *pair) bool {
	return c.secrets.Has(p.change.Old) || c.secrets.Has(p.change.New)
}

func nameOf(b *config.Bundle) string {
	if b.Name() == "" {
		return "a nameless " + strings.ToLower(b.Tag)
	}
	return strings.ToLower(b.Tag) + " " + redaction.Name(b.Name())
}

func structure(ch config.Change) []AttrChange {
	pick := func(b *config.Bundle) []config.Attr {
		if b == nil {
			return nil
		}
		return slices.DeleteFunc(slices.Clone(b.Attrs), func(a config.Attr) bool { return a.Name == "name" })
	}
	return attrChanges(pick(ch.OldBundle), pick(ch.NewBundle))
}

// attrs compares attributes; the name is the entry's key and encoding says how
// the content is written, not what it is.
func attrs(old, now *config.Entry, show func(*config.Entry, string, string) bool) []AttrChange {
	pick := func(e *config.Entry) []config.Attr {
		if e == nil || e.Failure != "" {
			return nil
		}
		var out []config.Attr
		for _, a := range e.Attrs {
			if a.Name != "name" && a.Name != "encoding" && show(e, a.Name, a.Value) {
				out = append(out, a)
			}
		}
		return out
	}
	return attrChanges(pick(old), pick(now))
}

func attrChanges(old, now []config.Attr) []AttrChange {
	find := func(in []config.Attr, name string) *string {
		for _, a := range in {
			if a.Name == name {
				v := redaction.Name(a.Value)
				return &v
			}
		}
		return nil
	}
	var out []AttrChange
	for _, a := range old {
		if n := find(now, a.Name); n == nil || *n != a.Value {
			out = append(out, AttrChange{a.Name, find(old, a.Name), n})
		}
	}
	for _, a := range now {
		if find(old, a.Name) == nil {
			out = append(out, AttrChange{a.Name, nil, find(now, a.Name)})
		}
	}
	slices.SortStableFunc(out, func(a, b AttrChange) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// content is what an entry holds besides its attributes, as text: a file's
// bytes, then its children.
func content(e *config.Entry) []byte {
	if e == nil || e.Failure != "" {
		return nil
	}
	data, err := e.Content()
	if err != nil {
		data = []byte(e.Text)
	}
	if len(e.Children) == 0 {
		return data
	}
	out := slices.Clone(data)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	for _, n := range ordered(e) {
		out = child(out, n, "")
	}
	return out
}

// sets are the elements whose order says nothing: members of groups, rules of an access
// list, versions of a package that may be there.
var sets = []string{"ACL", "MemberOf", "Instance", "Package"}

// ordered gives the children of an entry as they are compared: sets are sorted.
func ordered(e *config.Entry) []*config.Node {
	if slices.ContainsFunc(e.Children, func(n *config.Node) bool { return !slices.Contains(sets, n.Tag) }) {
		return e.Children
	}
	out := slices.Clone(e.Children)
	slices.SortStableFunc(out, func(a, b *config.Node) int { return bytes.Compare(child(nil, a, ""), child(nil, b, "")) })
	return out
}

// orderOnly tells whether nothing differs but the order of what has none.
func orderOnly(p *pair) bool {
	old, now := p.change.Old, p.change.New
	return p.kind == EntryModified && p.oldIn == p.newIn && old != nil && now != nil && old.Type() == now.Type() &&
		len(attrs(old, now, anyAttr)) == 0 && bytes.Equal(content(old), content(now))
}

// accessDiffers tells whether the access list of a path differs.
func accessDiffers(old, now *config.Entry) bool {
	list := func(e *config.Entry) (out []byte) {
		if e == nil {
			return nil
		}
		for _, n := range ordered(e) {
			if n.Tag == "ACL" {
				out = child(out, n, "")
			}
		}
		return out
	}
	return !bytes.Equal(list(old), list(now))
}

func child(out []byte, n *config.Node, indent string) []byte {
	out = append(out, indent+"<"+n.Tag...)
	for _, a := range n.Attrs {
		out = append(out, " "+a.Name+`="`+strings.ReplaceAll(a.Value, "\n", "&#10;")+`"`...)
	}
	out = append(out, '>')
	out = append(out, strings.TrimSpace(n.Text)...)
	out = append(out, '\n')
	for _, c := range n.Children {
		out = child(out, c, indent+"  ")
	}
	return out
}

func sizes(ch config.Change, old, now []byte) string {
	sum := func(data []byte) string {
		s := sha256.Sum256(data)
		return "sha256 " + hex.EncodeToString(s[:])[:12] + "…"
	}
	switch {
	case ch.Old == nil || ch.Old.Failure != "":
		return words.Number(len(now)) + " bytes, " + sum(now)
	case ch.New == nil || ch.New.Failure != "":
		return words.Number(len(old)) + " bytes, " + sum(old)
	}
	return words.Number(len(old)) + " → " + words.Number(len(now)) + " bytes, " + sum(old) + " → " + sum(now)
}

// scan hides what looks like a secret in all that a detail shows.
func (d *detail) scan(s redaction.Scanner) {
	found := false
	hide := func(text string, changed bool) string {
		out := s.Text(text, changed)
		found = found || out != text
		return out
	}
	for i := range d.attrs {
		for _, v := range []*string{d.attrs[i].Old, d.attrs[i].New} {
			if v != nil {
				// The name of an attribute can say what its value is.
				*v = strings.TrimPrefix(hide(d.attrs[i].Name+"="+*v, true), d.attrs[i].Name+"=")
			}
		}
	}
	for i := range d.hunks {
		for j := range d.hunks[i].Lines {
			l := &d.hunks[i].Lines[j]
			l.Text = hide(l.Text, l.Op != " ")
		}
	}
	if found {
		d.notes = append(d.notes, "what looks like a secret is shown as a fingerprint")
	}
}
