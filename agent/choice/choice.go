// SPDX-License-Identifier: Apache-2.0

// Package choice says which entries of a configuration a run may act upon: what
// somebody asked for on the command line, and Bcfg2's decision lists. It must not
// know how entries are made true.
package choice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
)

// Error is a choice that chooses nothing.
type Error struct{ what, why string }

// Error says what, and why.
func (e *Error) Error() string { return e.what + ": " + e.why }

const unknown = "the configuration of this host has no such thing"

// Decision is which list of the plugin Decisions counts on a host.
type Decision string

// The decisions.
const (
	Free      Decision = ""
	Whitelist Decision = "whitelist"
	Blacklist Decision = "blacklist"
)

// Validate refuses a word that is none.
func (d Decision) Validate() error {
	if d != Free && d != Whitelist && d != Blacklist {
		return fmt.Errorf("decision %q is neither whitelist nor blacklist", d)
	}
	return nil
}

// Choice narrows a run down. The zero value is everything.
type Choice struct {
	// Bundles are the only ones, NotBundles those that are left out.
	Bundles, NotBundles []string
	// Entries are patterns of TAG:NAME, as fnmatch(3) has them.
	Entries []string
	// Decision says which list counts.
	Decision Decision
	// Lists are what the signed release says.
	Lists Lists
}

// Lists are tags and names of entries, as patterns.
type Lists struct{ Whitelist, Blacklist [][2]string }

// Partial tells whether somebody asked for less than everything.
func (c *Choice) Partial() bool { return len(c.Bundles)+len(c.NotBundles)+len(c.Entries) > 0 }

// Check finds names that nothing in the configuration has, or nothing that is chosen: a
// run that was told to do something and does nothing would pass for one that succeeded.
func (c *Choice) Check(keyed []config.Keyed) error {
	for _, name := range slices.Concat(c.Bundles, c.NotBundles) {
		if !slices.ContainsFunc(keyed, func(k config.Keyed) bool { return k.Bundle.Name() == name }) {
			return &Error{fmt.Sprintf("bundle %q", name), unknown}
		}
	}
	for _, name := range c.Bundles {
		if slices.Contains(c.NotBundles, name) {
			return &Error{fmt.Sprintf("bundle %q", name), "it is both asked for and left out"}
		}
	}
	for _, pattern := range c.Entries {
		var found, chosen bool
		for _, k := range keyed {
			hit := matches(pattern, k.Key)
			found, chosen = found || hit, chosen || hit && c.Bundle(k.Bundle)
		}
		switch {
		case !found:
			return &Error{fmt.Sprintf("entry %q", pattern), unknown + "; it is written TAG:NAME, such as Path:/etc/hosts or 'Package:*'"}
		case !chosen:
			return &Error{fmt.Sprintf("entry %q", pattern), "no bundle that was chosen has such an entry"}
		}
	}
	return nil
}

func matches(pattern string, k config.Key) bool {
	tag, name, ok := strings.Cut(pattern, ":")
	return ok && config.Match(tag, k.Tag) && config.Match(name, k.Name)
}

// Bundle tells whether a bundle has a part in the run.
func (c *Choice) Bundle(b *config.Bundle) bool {
	switch {
	case len(c.Bundles) > 0 && !slices.Contains(c.Bundles, b.Name()), slices.Contains(c.NotBundles, b.Name()):
		return false
	case len(c.Entries) == 0:
		return true
	}
	for _, e := range b.Entries {
		if c.Entry(config.Key{Tag: e.Tag, Name: e.Name()}) {
			return true
		}
	}
	return false
}

// Entry tells whether an entry of a chosen bundle was asked for.
func (c *Choice) Entry(k config.Key) bool {
	return len(c.Entries) == 0 || slices.ContainsFunc(c.Entries, func(p string) bool { return matches(p, k) })
}

// Forbidden says why the lists keep something as it is, "" if they do not. Tag and
// name are compared, never the type.
func (c *Choice) Forbidden(tag, name string) string {
	on := func(list [][2]string) bool {
		return slices.ContainsFunc(list, func(d [2]string) bool { return config.Match(d[0], tag) && config.Match(d[1], name) })
	}
	switch {
	case c.Decision == Whitelist && !on(c.Lists.Whitelist):
		return "left as it is: not on the whitelist"
	case c.Decision == Blacklist && on(c.Lists.Blacklist):
		return "left as it is: on the blacklist"
	}
	return ""
}

// Flags name what differs from a run of everything, for a report.
func (c *Choice) Flags() []string {
	var out []string
	for _, f := range []struct {
		name string
		said []string
	}{{"bundle", c.Bundles}, {"not-bundle", c.NotBundles}, {"entry", c.Entries}} {
		if len(f.said) > 0 {
			out = append(out, f.name+"="+strings.Join(f.said, ","))
		}
	}
	if c.Decision != Free {
		out = append(out, "decision="+string(c.Decision))
	}
	return out
}
