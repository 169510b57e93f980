// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// index is what apt-cache says of all packages. It is read here once more, so that
// a mistake of Bindery's own reading cannot explain itself.
type index struct {
	// packages are the needs of each, a list of alternatives for each dependency.
	packages map[string][][]string
	// providers are the packages that provide a name.
	providers map[string][]string
}

var inBrackets = regexp.MustCompile(`\([^)]*\)|\[[^\]]*\]|<[^>]*>`)

// parse reads records of packages.
func parse(r io.Reader) (*index, error) {
	x := &index{packages: map[string][][]string{}, providers: map[string][]string{}}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 8<<20)
	name := ""
	for in.Scan() {
		field, value, ok := strings.Cut(in.Text(), ": ")
		if !ok || strings.HasPrefix(field, " ") {
			continue
		}
		switch field {
		case "Package":
			name = value
			x.packages[name] = nil
		case "Depends", "Pre-Depends":
			x.packages[name] = append(x.packages[name], relations(value)...)
		case "Provides":
			for _, p := range relations(value) {
				if !slices.Contains(x.providers[p[0]], name) {
					x.providers[p[0]] = append(x.providers[p[0]], name)
				}
			}
		}
	}
	return x, in.Err()
}

func relations(value string) [][]string {
	var out [][]string
	for _, dep := range strings.Split(inBrackets.ReplaceAllString(value, ""), ",") {
		var any []string
		for _, one := range strings.Split(dep, "|") {
			name, _, _ := strings.Cut(strings.TrimSpace(one), ":")
			if name != "" {
				any = append(any, name)
			}
		}
		if len(any) > 0 {
			out = append(out, any)
		}
	}
	return out
}

// spread lists all packages, so that the first count of them are from everywhere in
// the index.
func (x *index) spread(count int) []string {
	names := slices.Sorted(maps.Keys(x.packages))
	step := max(len(names)/count, 1)
	var out []string
	for offset := range step {
		for i := offset; i < len(names); i += step {
			out = append(out, names[i])
		}
	}
	return out
}

// meets are the packages that any of some names stands for.
func (x *index) meets(names []string) []string {
	var out []string
	for _, n := range names {
		if _, ok := x.packages[n]; ok {
			out = append(out, n)
		}
		out = append(out, x.providers[n]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// stoodFor tells whether a name is a package that another one of all provides: then
// Bcfg2 takes the package of that name, unless it has resolved the other one too.
func (x *index) stoodFor(name string, all map[string]bool) bool {
	return slices.ContainsFunc(x.providers[name], func(p string) bool { return all[p] })
}

// unexplained are the packages of all that are missing from mine although no
// package leaves a choice that they are the answer to, and none that is missing
// itself needs them.
func (x *index) unexplained(all, mine map[string]bool) []string {
	explained := map[string]bool{}
	for more := true; more; {
		more = false
		for r := range all {
			if !mine[r] && !explained[r] {
				continue
			}
			for _, dep := range x.packages[r] {
				by := x.meets(dep)
				choice := len(dep) > 1 || len(by) > 1
				for _, q := range by {
					if all[q] && !mine[q] && !explained[q] && (choice || explained[r]) {
						explained[q], more = true, true
					}
				}
			}
		}
	}
	var out []string
	for q := range all {
		if !mine[q] && !explained[q] {
			out = append(out, q)
		}
	}
	slices.Sort(out)
	return out
}
