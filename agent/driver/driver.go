// SPDX-License-Identifier: Apache-2.0

// Package driver is the seam between an agent and the tools that make an entry
// true. A driver must not know about bundles, releases or other entries, except
// for the names of the configured paths.
package driver

import (
	"context"
	"sort"
	"strings"

	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// State is what was found about an entry.
type State string

// The states.
const (
	Correct   State = "correct"
	Incorrect State = "incorrect"
	Missing   State = "missing"
	// Extra is something that is there and should not be.
	Extra State = "extra"
	// NotVerified is an entry of which nothing is known. It is never good.
	NotVerified State = "not verified"
)

// Item is one entry to look at.
type Item struct {
	Key   config.Key
	Entry *config.Entry
	// Paths are all configured paths of the host.
	Paths *Paths
}

// Outcome is what a driver found and did.
type Outcome struct {
	// State is how the entry was found.
	State State
	// Reasons say what is wrong. They never repeat anything of a secret entry
	// but its name.
	Reasons []string
	// Changed tells that something was altered.
	Changed bool
	// Unverified are aspects that could not be looked at, such as an owner
	// without privilege. The State is about the rest.
	Unverified []string
	// Extra are names of things that the entry wants gone.
	Extra []string
	// Old and New are what a file holds and shall hold, for a diff. They are
	// nil unless the content differs and may be shown.
	Old, New []byte
}

// Driver makes entries of some types true.
type Driver interface {
	// Apply looks at an entry and, with apply, makes it what it should be. One
	// method does both, so that a dry run cannot differ from the real one.
	// Without apply it changes nothing. An error is that the entry could not be
	// looked at or not be made true; the outcome still says what was found.
	Apply(ctx context.Context, item Item, apply bool) (Outcome, error)
}

// Kind is what a driver handles: an entry's tag and type.
type Kind struct{ Tag, Type string }

// Paths knows the names of all configured paths. It is immutable.
type Paths struct{ names []string }

// NewPaths collects the paths of a configuration that shall exist.
func NewPaths(c *config.Config) *Paths {
	p := &Paths{}
	for _, b := range c.Bundles {
		for _, e := range b.Entries {
			if e.Tag != "Path" || e.Type() == "nonexistent" {
				continue
			}
			if name, err := system.Clean(e.Name()); err == nil {
				p.names = append(p.names, name)
			}
		}
	}
	sort.Strings(p.names)
	return p
}

// Names lists the paths, sorted. The slice is shared.
func (p *Paths) Names() []string { return p.names }

// Under tells whether a clean name or something below it is configured.
func (p *Paths) Under(name string) bool {
	if p == nil {
		return false
	}
	i := sort.SearchStrings(p.names, name)
	if i < len(p.names) && p.names[i] == name {
		return true
	}
	dir := strings.TrimSuffix(name, "/") + "/"
	i = sort.SearchStrings(p.names, dir)
	return i < len(p.names) && strings.HasPrefix(p.names[i], dir)
}
