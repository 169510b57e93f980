// SPDX-License-Identifier: Apache-2.0

package deb

import "strings"

// needed are the packages, by name, that cannot go as long as those that a system
// cannot be without and those that are asked for are there, and what they need.
func (db *database) needed(asked map[string]bool) map[string]bool {
	providers := map[string][]string{}
	var next []string
	for _, p := range db.packages {
		if !p.here() {
			continue
		}
		for _, virtual := range relations(p.provides) {
			providers[virtual[0]] = append(providers[virtual[0]], p.name)
		}
		if p.vital || asked[p.name] {
			next = append(next, p.name)
		}
	}
	out := map[string]bool{}
	for len(next) > 0 {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		if out[name] {
			continue
		}
		out[name] = true
		for _, arch := range db.arches[name] {
			for _, alternatives := range relations(db.packages[name+":"+arch].needs) {
				next = append(next, db.satisfying(alternatives, providers)...)
			}
		}
	}
	return out
}

// satisfying are the packages that one relation holds by: the first alternative that is
// there, under its own name or provided by others, of whom nobody knows which.
func (db *database) satisfying(alternatives []string, providers map[string][]string) []string {
	for _, name := range alternatives {
		for _, arch := range db.arches[name] {
			if db.packages[name+":"+arch].here() {
				return []string{name}
			}
		}
		if by := providers[name]; len(by) > 0 {
			return by
		}
	}
	return nil
}

// relations takes a field apart that names other packages, as in
// chapter 7 of Debian's policy: "a (>= 1) | b:any, c". Versions are not compared: what
// is installed together fits.
func relations(field string) [][]string {
	if field == "" {
		return nil
	}
	var out [][]string
	for one := range strings.SplitSeq(field, ",") {
		var names []string
		for alternative := range strings.SplitSeq(one, "|") {
			if words := strings.Fields(alternative); len(words) > 0 {
				name, _, _ := strings.Cut(words[0], ":")
				name, _, _ = strings.Cut(name, "(")
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			out = append(out, names)
		}
	}
	return out
}
