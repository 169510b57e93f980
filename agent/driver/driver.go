// SPDX-License-Identifier: Apache-2.0

// Package driver is the seam between an agent and the tools that make an entry
// true. A driver must not know about bundles, releases or other entries, except
// for the names of the configured paths.
package driver

import (
	"context"
	"path"
	"slices"
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
	// Quick leaves out what takes long: the sums of a package's files.
	Quick bool
	// Asked tells that somebody is there and agrees to each change.
	Asked bool
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
	// Anew tells that another thing takes, or took, the place of a path: other names
	// of what was there are no longer names of it.
	Anew bool
	// Started tells that a service was started just now: it has read what is
	// configured.
	Started bool
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

// Result is what came of one of many entries.
type Result struct {
	Outcome
	Err error
}

// Found notes what is wrong with a part of an entry, such as a package of one
// architecture. Of several parts that one is missing weighs most.
func (r *Result) Found(e *config.Entry, part string, state State, reason string) {
	if r.State == Correct || r.State == "" || state == Missing {
		r.State = state
	}
	if e.Secret() {
		reason = "is not as it should be"
	}
	if part != "" {
		reason = part + ": " + reason
	}
	r.Reasons = append(r.Reasons, reason)
}

// Batch is a driver whose tool looks at and changes many entries in one call.
type Batch interface {
	Driver
	// ApplyAll does what Apply does for many items, and answers in their order.
	// What is wrong with one of them is no error of another.
	ApplyAll(ctx context.Context, items []Item, apply bool) []Result
}

// Restarter is a driver of services.
type Restarter interface {
	// Restart tells a service that its bundle was modified, and whether anything
	// came of it. What the entry allows and how it is told is for the driver.
	Restart(ctx context.Context, item Item) (changed bool, err error)
}

// Surplus is something that is on the host and that no entry asks for.
type Surplus struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	// What tells more, such as a version.
	What string `json:"what,omitempty"`
}

// Surveyor is a driver that knows what else there is of its kind.
type Surveyor interface {
	// Extras lists what none of the items asks for, sorted. It changes nothing.
	Extras(ctx context.Context, items []Item) ([]Surplus, error)
}

// Remover is a driver that can take away what Extras lists.
type Remover interface {
	// Remove takes things of one kind away, and answers in their order. One that was
	// asked for since, or that others need, is an error.
	Remove(ctx context.Context, what []Surplus) []error
}

// Standing is how something stands that is no file: packages, a unit.
type Standing struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	// State is in the driver's own words.
	State string `json:"state"`
}

// Passage is how something stood before one or more runs, and after them.
type Passage struct {
	Standing
	// After is nil where nobody knows.
	After *string
}

// Restored is what came, or would come, of one Passage.
type Restored struct {
	// What is done, and Kept what is left as it is, with the reason.
	What, Kept []string
	Err        error
}

// Keeper is a driver of something that no file shows, which can be brought back.
type Keeper interface {
	// Standing tells how what an item is about stands. It changes nothing.
	Standing(ctx context.Context, items []Item) ([]Standing, error)
	// Again tells how things stand now.
	Again(ctx context.Context, was []Standing) ([]Standing, error)
	// Restore brings things back to how they stood, and with apply does it. What
	// was changed since the runs is kept unless it is forced.
	Restore(ctx context.Context, p Passage, r Restoration) Restored
}

// Restoration says how to restore.
type Restoration struct {
	Apply, Force bool
	// Ending tells that files are not back yet: what has to stop stops. Else what
	// has to start starts.
	Ending bool
}

// Touching is a driver whose tools change files.
type Touching interface {
	// Touches names these files.
	Touches() []string
}

// Learner is a driver that knows from former runs what it need not look at again.
type Learner interface {
	// Learn takes what Learned gave before. What it cannot read is nothing.
	Learn(data []byte)
	// Learned is what to keep, nil where that is the same as before.
	Learned() ([]byte, error)
}

// Founded is a driver that needs some files before it can do anything.
type Founded interface {
	// Needs tells whether a path must be right before the driver's own entries.
	Needs(path string) bool
}

// Kind is what a driver handles: an entry's tag and type.
type Kind struct {
	Tag  string `json:"tag"`
	Type string `json:"type"`
}

// Paths knows the names of all configured paths. It is immutable.
type Paths struct{ names, gone []string }

// NewPaths collects the paths of a configuration that shall exist.
func NewPaths(c *config.Config) *Paths {
	p := &Paths{}
	for _, b := range c.Bundles {
		for _, e := range b.Entries {
			name, err := system.Clean(e.Name())
			switch {
			case e.Tag != "Path" || err != nil:
			case e.Type() == "nonexistent":
				p.gone = append(p.gone, name)
			default:
				p.names = append(p.names, name)
			}
		}
	}
	sort.Strings(p.names)
	sort.Strings(p.gone)
	return p
}

// Decides tells whether an entry says what stands at a clean name, be it that
// nothing shall, so that nobody else may complain about it.
func (p *Paths) Decides(name string) bool {
	if p == nil {
		return false
	}
	if found(p.names, name) {
		return true
	}
	for ; name != "/" && name != "."; name = path.Dir(name) {
		if found(p.gone, name) {
			return true
		}
	}
	return false
}

// Excuses tells whether a package is not to blame for a file, because an entry decides
// about it, be it by the other name that it has where /bin, /lib and their like are
// links into /usr.
func (p *Paths) Excuses(files system.Files, name string) bool {
	if p.Decides(name) {
		return true
	}
	other, link := merged(name)
	if !p.Decides(other) {
		return false
	}
	info, err := files.Look(link)
	return err == nil && info.Kind == system.Symlink
}

// merged is the other name that a file may have, and the link that it has it by.
func merged(name string) (other, link string) {
	rest, usr := strings.CutPrefix(name, "/usr/")
	if !usr {
		rest = strings.TrimPrefix(name, "/")
	}
	top, _, below := strings.Cut(rest, "/")
	if !below || !slices.Contains([]string{"bin", "sbin", "lib", "lib32", "lib64", "libx32"}, top) {
		return "/", ""
	}
	if usr {
		return "/" + rest, "/" + top
	}
	return "/usr/" + rest, "/" + top
}

func found(sorted []string, name string) bool {
	i := sort.SearchStrings(sorted, name)
	return i < len(sorted) && sorted[i] == name
}

// Names lists the paths, sorted. The slice is shared.
func (p *Paths) Names() []string { return p.names }

// Under tells whether a clean name or something below it is configured.
func (p *Paths) Under(name string) bool {
	if p == nil {
		return false
	}
	if found(p.names, name) {
		return true
	}
	dir := strings.TrimSuffix(name, "/") + "/"
	i := sort.SearchStrings(p.names, dir)
	return i < len(p.names) && strings.HasPrefix(p.names[i], dir)
}
