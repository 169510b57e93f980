// SPDX-License-Identifier: Apache-2.0

package review

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/hostset"
)

// value stands for the literal bytes of an entry and the structure that holds
// it; zero where the entry is absent. It is keyed, because the plain digest of a
// short secret can be guessed.
type value [16]byte

type place struct {
	host string
	key  config.Key
}

type step struct{ old, new value }

// Set is a set of literal changes: on this host, this entry goes from these
// bytes to those. A review stores the Set of what it showed; what a publication
// changes must be covered by the union of the reviews that were merged. Sets
// work together only where they were made with one key.
type Set struct {
	key   []byte
	steps map[place][]step
	memo  map[memoKey]value
}

type memoKey struct {
	entry  config.Digest
	bundle string
}

// NewSet makes an empty Set.
func NewSet(key []byte) *Set {
	return &Set{key: key, steps: map[place][]step{}, memo: map[memoKey]value{}}
}

// Add adds what config.Diff found on one host.
func (s *Set) Add(host string, changes []config.Change) {
	for _, ch := range changes {
		s.add(place{host, ch.Key}, step{s.value(ch.Old, ch.OldBundle), s.value(ch.New, ch.NewBundle)})
	}
}

func (s *Set) add(p place, st step) {
	if !slices.Contains(s.steps[p], st) {
		s.steps[p] = append(s.steps[p], st)
	}
}

func (s *Set) value(e *config.Entry, b *config.Bundle) value {
	if b == nil {
		return value{}
	}
	k := memoKey{bundle: b.Tag + "\x00" + b.Name()}
	if e == nil {
		k.entry = shell(b)
	} else {
		k.entry = e.Digest()
	}
	if v, ok := s.memo[k]; ok {
		return v
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("bindery review set\x00"))
	mac.Write(k.entry[:])
	mac.Write([]byte(k.bundle))
	v := value(mac.Sum(nil)[:len(value{})])
	s.memo[k] = v
	return v
}

// shell is the digest of a structure without its entries.
func shell(b *config.Bundle) config.Digest {
	if b == nil {
		return config.Digest{}
	}
	return config.NewBundle(b.Tag, slices.Clone(b.Attrs), nil).Digest()
}

// Union adds another Set.
func (s *Set) Union(other *Set) {
	for p, steps := range other.steps {
		for _, st := range steps {
			s.add(p, st)
		}
	}
}

// Len counts the changes.
func (s *Set) Len() int {
	n := 0
	for _, steps := range s.steps {
		n += len(steps)
	}
	return n
}

// Contains tells whether everything in other was reviewed in s.
func (s *Set) Contains(other *Set) bool { return len(s.Minus(other)) == 0 }

// Remainder is an entry whose change was not reviewed, and the hosts of it.
type Remainder struct {
	Entry config.Key `json:"entry"`
	Hosts []string   `json:"hosts"`
}

// Minus lists what other changes and s does not cover, per entry. A change is
// covered by several reviewed ones that lead from its old bytes to its new ones,
// so two quick merges cover their one publication.
func (s *Set) Minus(other *Set) []Remainder {
	rest := map[config.Key][]string{}
	for p, steps := range other.steps {
		for _, st := range steps {
			if !leads(s.steps[p], st) {
				rest[p.key] = append(rest[p.key], p.host)
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(rest), compareKeys)
	out := make([]Remainder, len(keys))
	for i, k := range keys {
		slices.SortFunc(rest[k], hostset.Compare)
		out[i] = Remainder{k, slices.Compact(rest[k])}
	}
	return out
}

func leads(steps []step, want step) bool {
	reached := []value{want.old}
	for i := 0; i < len(reached); i++ {
		for _, st := range steps {
			if st.old != reached[i] || slices.Contains(reached, st.new) {
				continue
			}
			if st.new == want.new {
				return true
			}
			reached = append(reached, st.new)
		}
	}
	return want.old == want.new
}

func compareKeys(a, b config.Key) int {
	return cmp.Or(cmp.Compare(a.Tag, b.Tag), hostset.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Ordinal, b.Ordinal))
}

// setVersion is raised when the stored form changes.
const setVersion = 1

// storedSet is the stored form: each change once, with its hosts folded.
type storedSet struct {
	Version int          `json:"v"`
	Changes []storedStep `json:"changes"`
}

type storedStep struct {
	Entry config.Key `json:"e"`
	Old   string     `json:"o,omitempty"`
	New   string     `json:"n,omitempty"`
	// Hosts are folded; Odd are names that folding could mistake.
	Hosts []string `json:"h,omitempty"`
	Odd   []string `json:"x,omitempty"`
}

// MarshalBinary gives the canonical stored form: equal sets give equal bytes.
func (s *Set) MarshalBinary() ([]byte, error) {
	type both struct {
		key config.Key
		st  step
	}
	hosts := map[both][]string{}
	for p, steps := range s.steps {
		for _, st := range steps {
			k := both{p.key, st}
			hosts[k] = append(hosts[k], p.host)
		}
	}
	keys := slices.SortedFunc(maps.Keys(hosts), func(a, b both) int {
		return cmp.Or(compareKeys(a.key, b.key), bytes.Compare(a.st.old[:], b.st.old[:]), bytes.Compare(a.st.new[:], b.st.new[:]))
	})
	out := storedSet{Version: setVersion, Changes: make([]storedStep, len(keys))}
	for i, k := range keys {
		c := storedStep{Entry: k.key, Old: k.st.old.text(), New: k.st.new.text()}
		c.Odd = slices.DeleteFunc(slices.Clone(hosts[k]), func(h string) bool { return !strings.ContainsAny(h, "[]") })
		slices.Sort(c.Odd)
		c.Hosts = hostset.Fold(slices.DeleteFunc(hosts[k], func(h string) bool { return strings.ContainsAny(h, "[]") }))
		out.Changes[i] = c
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write reviewed set: %w", err)
	}
	return data, nil
}

// ReadSet reads what MarshalBinary wrote. The key must be the one it was made
// with, or nothing will be covered.
func ReadSet(key, data []byte) (*Set, error) {
	var in storedSet
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("read reviewed set: %w", err)
	}
	if in.Version != setVersion {
		return nil, fmt.Errorf("read reviewed set: version %d is unknown", in.Version)
	}
	s := NewSet(key)
	for _, c := range in.Changes {
		var st step
		if err := errors.Join(st.old.parse(c.Old), st.new.parse(c.New)); err != nil {
			return nil, fmt.Errorf("read reviewed set: %s: %w", c.Entry, err)
		}
		hosts, err := hostset.Unfold(c.Hosts)
		if err != nil {
			return nil, fmt.Errorf("read reviewed set: %s: %w", c.Entry, err)
		}
		for _, h := range append(hosts, c.Odd...) {
			s.add(place{h, c.Entry}, st)
		}
	}
	return s, nil
}

func (v value) text() string {
	if v == (value{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(v[:])
}

func (v *value) parse(s string) error {
	if s == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != len(v) {
		return errors.New("a digest is malformed")
	}
	copy(v[:], b)
	return nil
}
