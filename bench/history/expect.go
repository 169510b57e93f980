// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// said is what a report says, or should: which hosts differ, and what becomes of
// which entry on which host.
type said struct {
	hosts   map[string]bool
	changes map[string]bool
}

func (s *said) change(host, kind, tag, name string) {
	s.changes[fmt.Sprintf("%s: %s %s %s", host, tag, name, kind)] = true
}

// reported reads the JSON form of a report.
func reported(data []byte) (*said, error) {
	var r struct {
		Hosts   []string `json:"hosts"`
		Changes []struct {
			Entry struct{ Tag, Name string } `json:"entry"`
			Kind  string                     `json:"kind"`
			Hosts []string                   `json:"hosts"`
		} `json:"changes"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read a report: %w", err)
	}
	s := &said{map[string]bool{}, map[string]bool{}}
	for _, h := range r.Hosts {
		s.hosts[h] = true
	}
	for _, c := range r.Changes {
		for _, h := range c.Hosts {
			s.change(h, c.Kind, c.Entry.Tag, c.Entry.Name)
		}
	}
	return s, nil
}

// differ lists what two do not have in common; at most some of it.
func (s *said) differ(want *said) []string {
	var out []string
	for _, m := range [][2]map[string]bool{{s.hosts, want.hosts}, {s.changes, want.changes}} {
		for _, k := range slices.Sorted(maps.Keys(m[0])) {
			if !m[1][k] {
				out = append(out, "reported, and not so: "+k)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(m[1])) {
			if !m[0][k] {
				out = append(out, "so, and not reported: "+k)
			}
		}
	}
	return out[:min(len(out), 20)]
}

type named struct{ tag, name string }

// expect compares two fleets that were built in full, host by host and entry by
// entry.
func expect(base, head map[string]*built) *said {
	s := &said{map[string]bool{}, map[string]bool{}}
	exists, failing := map[string]bool{}, map[named]bool{}
	for _, b := range base {
		for _, e := range b.entries {
			exists[e.text] = true
			if e.failed {
				failing[named{e.tag, e.name}] = true
			}
		}
		for name, p := range b.probes {
			exists[name+"\x00"+p] = true
		}
		if b.refused() {
			failing[named{}] = true
		}
	}
	for name := range base {
		if head[name] == nil {
			s.hosts[name] = true // and none of its entries
		}
	}
	for name, now := range head {
		was := base[name]
		n := len(s.changes)
		switch {
		case was == nil:
			s.hosts[name] = true
			s.added(name, now, exists)
		case now.refused():
			s.hosts[name] = !was.refused()
		case was.refused():
			s.hosts[name] = true
			s.added(name, now, exists)
		default:
			s.compare(name, was, now)
		}
		if len(s.changes) > n || s.fails(was, now, failing) {
			s.hosts[name] = true
		}
	}
	maps.DeleteFunc(s.hosts, func(_ string, differs bool) bool { return !differs })
	return s
}

// fails tells whether something fails on a host that did not, there or anywhere.
func (s *said) fails(was, now *built, failing map[named]bool) bool {
	if was == nil {
		was = &built{}
	}
	if now.refused() {
		return !failing[named{}]
	}
	before := map[named]bool{}
	bound := map[named]bool{}
	for _, e := range was.entries {
		if e.failed {
			before[named{e.tag, e.name}] = true
		} else {
			bound[named{e.tag, e.name}] = true
		}
	}
	return slices.ContainsFunc(now.entries, func(e entry) bool {
		n := named{e.tag, e.name}
		return e.failed && !before[n] && (bound[n] || !failing[n])
	})
}

// added is what a host brings that no host had. A structure alone does nothing.
func (s *said) added(host string, now *built, exists map[string]bool) {
	for _, e := range now.entries {
		if !exists[e.text] {
			s.change(host, kindOf("added", nil, &e), e.tag, e.name)
		}
	}
	for name, p := range now.probes {
		if !exists[name+"\x00"+p] {
			s.change(host, "added", "Probe", name)
		}
	}
}

// keyed lists entries by type and number, in order, for each name.
func keyed(entries []entry) (map[named][]*entry, map[*entry]string) {
	byName := map[named][]*entry{}
	keys := map[*entry]string{}
	seen := map[string]int{}
	for i := range entries {
		e := &entries[i]
		n := named{e.tag, e.name}
		byName[n] = append(byName[n], e)
		k := e.tag + "\x00" + e.name + "\x00" + e.kind
		keys[e] = fmt.Sprintf("%s\x00%d", k, seen[k])
		seen[k]++
	}
	return byName, keys
}

func (s *said) compare(host string, was, now *built) {
	old, oldKeys := keyed(was.entries)
	fresh, freshKeys := keyed(now.entries)
	names := maps.Clone(old)
	maps.Copy(names, fresh)
	for n := range names {
		var gone, came []*entry
		matched := map[string]*entry{}
		for _, e := range fresh[n] {
			matched[freshKeys[e]] = e
		}
		for _, e := range old[n] {
			other := matched[oldKeys[e]]
			delete(matched, oldKeys[e])
			if other == nil {
				gone = append(gone, e)
				continue
			}
			s.pair(host, e, other)
		}
		for _, e := range fresh[n] {
			if matched[freshKeys[e]] != nil {
				came = append(came, e)
			}
		}
		// One that goes and one that comes are one whose type changes.
		both := min(len(gone), len(came))
		for i := range both {
			s.pair(host, gone[i], came[i])
		}
		for _, e := range gone[both:] {
			s.change(host, "removed", e.tag, e.name)
		}
		for _, e := range came[both:] {
			s.change(host, kindOf("added", nil, e), e.tag, e.name)
		}
	}
	s.asked(host, was.probes, now.probes)
	s.shells(host, was.structures, now.structures)
}

// pair compares two entries that are one.
func (s *said) pair(host string, was, now *entry) {
	kind := ""
	switch {
	case was.text != now.text:
		kind = kindOf("modified", was, now)
	case was.in != now.in:
		kind = kindOf("moved", was, now)
	}
	if kind != "" {
		s.change(host, kind, now.tag, now.name)
	}
}

// kindOf is what a change is called; "" where it is none, as it failed and fails.
func kindOf(kind string, was, now *entry) string {
	switch {
	case was != nil && was.failed && now.failed:
		return ""
	case now.failed:
		return "failed"
	case was != nil && was.failed:
		return "fixed"
	}
	return kind
}

// asked compares probes.
func (s *said) asked(host string, was, now map[string]string) {
	for name, p := range was {
		switch q, ok := now[name]; {
		case !ok:
			s.change(host, "removed", "Probe", name)
		case p != q:
			s.change(host, "modified", "Probe", name)
		}
	}
	for name := range now {
		if _, ok := was[name]; !ok {
			s.change(host, "added", "Probe", name)
		}
	}
}

// shells compares structures without what is in them.
func (s *said) shells(host string, was, now []structure) {
	number := func(list []structure) map[string]structure {
		out, seen := map[string]structure{}, map[string]int{}
		for _, b := range list {
			k := b.tag + "\x00" + b.name
			out[fmt.Sprintf("%s\x00%d", k, seen[k])] = b
			seen[k]++
		}
		return out
	}
	old, fresh := number(was), number(now)
	for k, b := range old {
		switch n, ok := fresh[k]; {
		case ok && n.open != b.open:
			s.change(host, "modified", b.tag, b.name)
		case !ok && b.empty:
			s.change(host, "removed", b.tag, b.name)
		}
	}
	for k, b := range fresh {
		if _, ok := old[k]; !ok && b.empty {
			s.change(host, "added", b.tag, b.name)
		}
	}
}
