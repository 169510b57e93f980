// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"maps"
	"slices"
)

// world is what the sources of a host have, for the host's architectures.
type world struct {
	sources []*source
	archs   [][]string // of each source
}

// is tells whether there is a package: one that a source has, and neither keeps
// out nor fails to let in.
func (w *world) is(name string) bool { return w.of(name) >= 0 }

// of finds the first source that has a package, -1 for none.
func (w *world) of(name string) int {
	for i, s := range w.sources {
		// Packages are known for all architectures at once, those of YUM aside.
		has := s.kind != "yum" && s.index.Known(name) || s.index.Package(name, w.archs[i]) != nil
		if has && !slices.Contains(s.blacklist, name) && (len(s.whitelist) == 0 || slices.Contains(s.whitelist, name)) {
			return i
		}
	}
	return -1
}

// needs are what a package depends on. recommended is what the entry says about
// recommendations, "" where it says nothing.
func (w *world) needs(name, recommended string) []string {
	i := w.of(name)
	if i < 0 {
		return nil
	}
	p := w.sources[i].index.Package(name, w.archs[i])
	if p == nil {
		return nil
	}
	if recommended == "true" || recommended == "" && w.sources[i].recommended {
		return slices.Concat(p.Depends, p.Recommends)
	}
	return p.Depends
}

// providers are the packages that a name stands for, of all sources.
func (w *world) providers(name string) []string {
	var out []string
	for i, s := range w.sources {
		out = append(out, s.index.Providers(name, w.archs[i])...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// set is a set of names.
type set map[string]bool

func (s set) add(names []string, but set) {
	for _, n := range names {
		if !but[n] {
			s[n] = true
		}
	}
}

// closure is one resolution while it runs.
type closure struct {
	w *world
	// wanted are the packages that the host asks for.
	wanted      set
	recommended map[string]string
	packages    set
	examined    set
	// unsorted, plain, virtual and both are names still to be looked at: not known
	// what they are, packages, what packages provide, and those that are both.
	unsorted, plain, virtual, both set
}

// resolve finds all packages that the wanted ones need, themselves included, as
// Bcfg2 does. A virtual package with one provider adds it; with several it adds
// none. A name that is a package and is provided as well counts as the package
// only if it is wanted, or if nothing else is left to do and no provider is there.
func resolve(w *world, wanted set, recommended map[string]string) set {
	c := &closure{
		w: w, wanted: wanted, recommended: recommended, packages: set{}, examined: set{},
		unsorted: maps.Clone(wanted), plain: maps.Clone(wanted), virtual: set{}, both: set{},
	}
	for final, done := false, false; !done && (len(c.unsorted)+len(c.plain)+len(c.both) > 0 || final); {
		done = len(c.unsorted)+len(c.plain)+len(c.both) == 0
		c.sort()
		for name := range c.plain {
			delete(c.plain, name)
			c.packages[name] = true
			c.unsorted.add(w.needs(name, recommended[name]), c.examined)
		}
		c.satisfy(final)
		final = len(c.unsorted)+len(c.plain) == 0
	}
	return c.packages
}

// sort finds out what names are.
func (c *closure) sort() {
	for name := range c.unsorted {
		delete(c.unsorted, name)
		c.examined[name] = true
		provided := len(c.w.providers(name)) > 0
		switch {
		case c.w.is(name) && provided:
			c.both[name] = true
		case c.w.is(name):
			c.plain[name] = true
		case provided:
			c.virtual[name] = true
		}
	}
}

// satisfy drops names for which a provider is there, or will be.
func (c *closure) satisfy(final bool) {
	there := func(name string) bool {
		return slices.ContainsFunc(c.w.providers(name), func(p string) bool { return c.packages[p] })
	}
	for name := range c.virtual {
		if by := c.w.providers(name); len(by) == 1 {
			c.unsorted.add(by, c.examined)
			delete(c.virtual, name)
		} else if there(name) {
			delete(c.virtual, name)
		}
	}
	for name := range c.both {
		if !there(name) {
			if !c.wanted[name] && !final {
				continue
			}
			c.plain[name] = true
		}
		delete(c.both, name)
	}
}
