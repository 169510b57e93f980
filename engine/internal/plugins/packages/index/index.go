// SPDX-License-Identifier: Apache-2.0

// Package index reads what a package repository says about its packages: names,
// dependencies, and what provides what. It must not know where files come from,
// nor which host asks.
package index

import (
	"maps"
	"slices"
	"strconv"
)

// Package is what counts of one package.
type Package struct {
	Depends    []string
	Recommends []string
}

// Arch is what a source has for one architecture.
type Arch struct {
	Packages map[string]*Package
	// Provides are the packages that a name stands for: virtual packages, choices
	// and files.
	Provides map[string][]string
}

// Index is one source. Fill it with Add, then Close it; from then on it is safe
// for concurrent use.
type Index struct {
	archs map[string]*Arch
	// Essential are the packages that every host needs.
	Essential []string
	// known are the packages of any architecture.
	known map[string]bool
	// common is what all architectures that have the name agree on.
	common map[string][]string
	groups []Group
}

// New makes an empty Index.
func New() *Index {
	return &Index{archs: map[string]*Arch{}, known: map[string]bool{}, common: map[string][]string{}}
}

// Add adds what one place of the source lists for an architecture. A dependency on
// one of several becomes a name of its own, which all of them provide. Of packages
// of one name the last one counts.
func (x *Index) Add(arch string, l *Listing) {
	a := x.archs[arch]
	if a == nil {
		a = &Arch{Packages: make(map[string]*Package, len(l.Entries)), Provides: map[string][]string{}}
		x.archs[arch] = a
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Essential {
			x.Essential = append(x.Essential, e.Name)
		}
		choices := 0
		a.Packages[e.Name] = &Package{
			Depends:    a.needs(e, arch, e.Depends, &choices),
			Recommends: a.needs(e, arch, e.Recommends, &choices),
		}
		for _, name := range e.Provides {
			a.provide(name, e.Name)
		}
		for _, g := range e.Groups {
			x.group(Group{ID: g, Members: []Member{{Name: e.Name}}})
		}
	}
	for _, g := range l.Groups {
		x.group(g)
	}
}

// needs are the names that dependencies of a package come to.
func (a *Arch) needs(e *Entry, arch string, deps []Need, choices *int) []string {
	if len(deps) == 0 {
		return nil
	}
	out := make([]string, 0, len(deps))
	for _, d := range deps {
		name := d[0]
		if len(d) > 1 {
			name = "choice-" + e.Name + "-" + arch + "-" + strconv.Itoa(*choices)
			*choices++
			a.Provides[name] = nil
			for _, one := range d {
				a.provide(name, one)
			}
		}
		out = append(out, name)
	}
	return out
}

func (a *Arch) provide(name, by string) {
	if !slices.Contains(a.Provides[name], by) {
		a.Provides[name] = append(a.Provides[name], by)
	}
}

// group adds a group, or further members of one.
func (x *Index) group(g Group) {
	for i := range x.groups {
		if x.groups[i].ID == g.ID {
			x.groups[i].Members = append(x.groups[i].Members, g.Members...)
			return
		}
	}
	x.groups = append(x.groups, g)
}

// Close ends filling: names on which all architectures agree that have them are
// the same for every host.
func (x *Index) Close() {
	slices.Sort(x.Essential)
	x.Essential = slices.Compact(x.Essential)
	differs := map[string]bool{}
	for _, a := range x.archs {
		for name := range a.Packages {
			x.known[name] = true
		}
		for name, by := range a.Provides {
			slices.Sort(by)
			if was, ok := x.common[name]; ok && !slices.Equal(was, by) {
				differs[name] = true
			}
			x.common[name] = by
		}
	}
	maps.DeleteFunc(x.common, func(name string, _ []string) bool { return differs[name] })
}

// Known tells whether the source has a package, for whichever architecture.
func (x *Index) Known(name string) bool { return x.known[name] }

// Package gives a package of the first of the architectures that has it, nil where
// none has.
func (x *Index) Package(name string, archs []string) *Package {
	for _, a := range archs {
		if in := x.archs[a]; in != nil {
			if p := in.Packages[name]; p != nil {
				return p
			}
		}
	}
	return nil
}

// Providers lists the packages that a name stands for.
func (x *Index) Providers(name string, archs []string) []string {
	if by, ok := x.common[name]; ok {
		return by
	}
	for _, a := range archs {
		if in := x.archs[a]; in != nil && len(in.Provides[name]) > 0 {
			return in.Provides[name]
		}
	}
	return nil
}

// Group lists the packages of a group that belong to kind, and tells whether there
// is such a group. It is found by its id, else by its name.
func (x *Index) Group(name, kind string) ([]string, bool) {
	for _, same := range []func(Group) bool{
		func(g Group) bool { return g.ID == name },
		func(g Group) bool { return g.Name != "" && g.Name == name },
	} {
		if i := slices.IndexFunc(x.groups, same); i >= 0 {
			return x.groups[i].of(kind), true
		}
	}
	return nil, false
}
