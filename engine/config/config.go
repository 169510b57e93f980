// SPDX-License-Identifier: Apache-2.0

// Package config is the contract between the engine, the controller and the
// agents: one host's literal configuration in Bcfg2's vocabulary, its canonical
// bytes, its XML form and the difference between two of them.
//
// All values are immutable once made and safe for concurrent use. Identical
// entries are meant to be one *Entry that many configurations share: it is
// encoded and hashed once, when it is made.
//
// The package is a leaf: it must not know how a configuration is computed,
// sent or applied.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// Digest is a SHA-256 sum of canonical bytes.
type Digest [sha256.Size]byte

// String gives the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero tells whether the digest was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// Attr is one XML attribute. A name in a namespace is spelled {uri}local.
type Attr struct{ Name, Value string }

// Source is where in the specification something stands. Line is 1-based, 0 for
// a whole file. It is provenance and never part of canonical bytes.
type Source struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Node is a child element of an entry: ACL, Instance, MemberOf and the like.
type Node struct {
	Tag      string
	Attrs    []Attr
	Text     string
	Children []*Node
	// Tail is the text between this element and the next.
	Tail string
}

// Get returns the value of an attribute, "" where it is absent.
func (n *Node) Get(name string) string { v, _ := lookup(n.Attrs, name); return v }

// Config is everything that one host should be.
type Config struct {
	Host string
	// Revision is the commit, shown but never part of the digest.
	Revision string
	// Bundles are the structures, in Bcfg2's order (by name, nameless first).
	Bundles []*Bundle
}

// Bundle is one structure: a Bcfg2 Bundle, or an Independent.
type Bundle struct {
	// Tag is "Bundle" or "Independent".
	Tag     string
	Attrs   []Attr
	Entries []*Entry
	digest  Digest
	failed  int // entries
}

// NewBundle makes a structure of entries that are already in their final order.
// It takes over both slices.
func NewBundle(tag string, attrs []Attr, entries []*Entry) *Bundle {
	b := &Bundle{Tag: tag, Attrs: sortAttrs(attrs), Entries: entries}
	h := sha256.New()
	h.Write(b.appendOpen(nil))
	for _, e := range entries {
		h.Write(e.digest[:])
		if e.Failure != "" {
			b.failed++
		}
	}
	h.Sum(b.digest[:0])
	return b
}

// Name returns the name of the structure, "" for a nameless Independent.
func (b *Bundle) Name() string { v, _ := lookup(b.Attrs, "name"); return v }

// Digest covers the structure's attributes and its entries in order.
func (b *Bundle) Digest() Digest { return b.digest }

// Independent tells whether the entries of the structure do not depend on each
// other.
func (b *Bundle) Independent() bool { return b.Tag == "Independent" }

// Digest covers all structures. Host and Revision are not part of it, so that
// equal hosts and equal commits have equal digests.
func (c *Config) Digest() Digest {
	h := sha256.New()
	for _, b := range c.Bundles {
		h.Write(b.digest[:])
	}
	var d Digest
	h.Sum(d[:0])
	return d
}

// Entries counts the entries of all structures.
func (c *Config) Entries() int {
	n := 0
	for _, b := range c.Bundles {
		n += len(b.Entries)
	}
	return n
}

// Failed counts the entries that could not be bound.
func (c *Config) Failed() int {
	n := 0
	for _, b := range c.Bundles {
		n += b.failed
	}
	return n
}

// Key names an entry inside one configuration: two packages of one name but
// different type are two keys, and so are two equal entries (by Ordinal, from 0
// in document order).
type Key struct {
	Tag     string `json:"tag"`
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	Ordinal int    `json:"ordinal,omitempty"`
}

// String gives "Tag:name", with type and ordinal where they are needed.
func (k Key) String() string {
	s := k.Tag + ":" + k.Name
	if k.Ordinal > 0 {
		s += "#" + strconv.Itoa(k.Ordinal)
	}
	return s
}

// Keyed is an entry with its key and the structure that holds it.
type Keyed struct {
	Key    Key
	Bundle *Bundle
	Entry  *Entry
}

// Keyed lists every entry with its key, in document order.
func (c *Config) Keyed() []Keyed {
	out := make([]Keyed, 0, c.Entries())
	seen := make(map[Key]int, cap(out))
	for _, b := range c.Bundles {
		for _, e := range b.Entries {
			k := Key{Tag: e.Tag, Name: e.Name(), Type: e.Type()}
			n := seen[k]
			seen[k] = n + 1
			k.Ordinal = n
			out = append(out, Keyed{Key: k, Bundle: b, Entry: e})
		}
	}
	return out
}

func lookup(attrs []Attr, name string) (string, bool) {
	for i := range attrs {
		if attrs[i].Name == name {
			return attrs[i].Value, true
		}
	}
	return "", false
}

func sortAttrs(attrs []Attr) []Attr {
	slices.SortStableFunc(attrs, func(a, b Attr) int { return strings.Compare(a.Name, b.Name) })
	return attrs
}
