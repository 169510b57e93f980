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
	"github.com/bindery/bindery/engine/review/redaction"
)

// value stands for the literal bytes of an entry and the structure that holds
// it; zero where the entry is absent. It is keyed, because the plain digest of a
// short secret can be guessed.
type value [16]byte

type step struct{ old, new value }

// stepOf is one step of one entry.
type stepOf struct {
	key config.Key
	step
}

// Set is a set of literal changes: on this host, this entry goes from these
// bytes to those. A review stores the Set of what it showed; what a publication
// changes must be covered by the union of the reviews that were merged. Sets
// work together only where they were made with one key.
type Set struct {
	key []byte
	// hosts may hold a host twice until it is asked for.
	hosts map[stepOf]*[]string
	// memo finds the hosts of a change by its pointers, values those of bytes.
	memo   map[pointers]*[]string
	values map[memoKey]value
}

// pointers identify a change cheaply, as long as its configurations live.
type pointers struct {
	old, new             *config.Entry
	oldBundle, newBundle *config.Bundle
	ordinal              int
}

func pointersOf(ch config.Change) pointers {
	return pointers{ch.Old, ch.New, ch.OldBundle, ch.NewBundle, ch.Key.Ordinal}
}

type memoKey struct {
	entry  config.Digest
	bundle string
}

// NewSet makes an empty Set.
func NewSet(key []byte) *Set {
	return &Set{key: key, hosts: map[stepOf]*[]string{}, memo: map[pointers]*[]string{}, values: map[memoKey]value{}}
}

// Add adds what config.Diff found on one host.
func (s *Set) Add(host string, changes []config.Change) {
	for _, ch := range changes {
		p := pointersOf(ch)
		list := s.memo[p]
		if list == nil {
			list = s.list(stepOf{ch.Key, step{s.value(ch.Old, ch.OldBundle), s.value(ch.New, ch.NewBundle)}})
			s.memo[p] = list
		}
		*list = append(*list, host)
	}
}

// release lets go of the configurations, which a report may outlive by far.
func (s *Set) release() {
	s.memo = map[pointers]*[]string{}
	s.values = map[memoKey]value{}
}

func (s *Set) list(st stepOf) *[]string {
	list := s.hosts[st]
	if list == nil {
		list = &[]string{}
		s.hosts[st] = list
	}
	return list
}

// tidy sorts a list of hosts and drops repetitions.
func tidy(list *[]string) []string {
	if !slices.IsSortedFunc(*list, hostset.Compare) {
		slices.SortFunc(*list, hostset.Compare)
	}
	*list = slices.Compact(*list)
	return *list
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
	if v, ok := s.values[k]; ok {
		return v
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("bindery review set\x00"))
	mac.Write(k.entry[:])
	mac.Write([]byte(k.bundle))
	v := value(mac.Sum(nil)[:len(value{})])
	s.values[k] = v
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
	for st, hosts := range other.hosts {
		list := s.list(st)
		*list = append(*list, *hosts...)
	}
}

// Len counts the changes.
func (s *Set) Len() int {
	n := 0
	for _, hosts := range s.hosts {
		n += len(tidy(hosts))
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
	reviewed := map[config.Key][]stepOf{}
	for st := range s.hosts {
		reviewed[st.key] = append(reviewed[st.key], st)
	}
	rest := map[config.Key][]string{}
	for want, hosts := range other.hosts {
		rest[want.key] = append(rest[want.key], s.uncovered(reviewed[want.key], want.step, tidy(hosts))...)
	}
	maps.DeleteFunc(rest, func(_ config.Key, hosts []string) bool { return len(hosts) == 0 })
	keys := slices.SortedFunc(maps.Keys(rest), compareKeys)
	out := make([]Remainder, len(keys))
	for i, k := range keys {
		slices.SortFunc(rest[k], hostset.Compare)
		out[i] = Remainder{k, slices.Compact(rest[k])}
	}
	return out
}

// Common lists the entries that both sets change, with the hosts on which both do.
func (s *Set) Common(other *Set) []Remainder {
	on := func(s *Set) map[config.Key]map[string]bool {
		out := map[config.Key]map[string]bool{}
		for st, hosts := range s.hosts {
			if out[st.key] == nil {
				out[st.key] = map[string]bool{}
			}
			for _, h := range *hosts {
				out[st.key][h] = true
			}
		}
		return out
	}
	mine, theirs := on(s), on(other)
	var out []Remainder
	for _, k := range slices.SortedFunc(maps.Keys(mine), compareKeys) {
		var both []string
		for h := range mine[k] {
			if theirs[k][h] {
				both = append(both, h)
			}
		}
		if len(both) > 0 {
			slices.SortFunc(both, hostset.Compare)
			k.Name = redaction.Name(k.Name)
			out = append(out, Remainder{k, both})
		}
	}
	return out
}

// uncovered keeps the hosts on which the steps do not lead where they should.
func (s *Set) uncovered(steps []stepOf, want step, hosts []string) []string {
	on := map[string][]step{}
	for _, st := range steps {
		for _, h := range *s.hosts[st] {
			on[h] = append(on[h], st.step)
		}
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return leads(on[h], want) })
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
	keys := slices.SortedFunc(maps.Keys(s.hosts), func(a, b stepOf) int {
		return cmp.Or(compareKeys(a.key, b.key), bytes.Compare(a.old[:], b.old[:]), bytes.Compare(a.new[:], b.new[:]))
	})
	out := storedSet{Version: setVersion, Changes: make([]storedStep, len(keys))}
	folded := map[string]storedStep{}
	for i, k := range keys {
		hosts := tidy(s.hosts[k])
		all := strings.Join(hosts, "\x00")
		c, ok := folded[all]
		if !ok {
			odd := func(h string) bool { return strings.ContainsAny(h, "[]") }
			c.Odd = slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return !odd(h) })
			c.Hosts = hostset.Fold(slices.DeleteFunc(slices.Clone(hosts), odd))
			folded[all] = c
		}
		c.Entry, c.Old, c.New = k.key, k.old.text(), k.new.text()
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
		list := s.list(stepOf{c.Entry, st})
		*list = append(append(*list, hosts...), c.Odd...)
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
