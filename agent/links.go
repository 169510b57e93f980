// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"path"
	"slices"

	"github.com/bindery/bindery/agent/driver"
)

// link tells whether an entry is a hard link, which is right only as long as its target
// is the same file.
func (e *entry) link() bool { return e.Entry.Tag == "Path" && e.Entry.Type() == "hardlink" }

// target is the name that a hard link shares its file with.
func (e *entry) target() string { return path.Clean(e.Entry.Get("to")) }

// depths says how many hard links each one stands on: one that names another one comes
// after it.
func depths(entries []*entry) map[*entry]int {
	named := map[string]*entry{}
	for _, e := range entries {
		if e.link() {
			named[path.Clean(e.Entry.Name())] = e
		}
	}
	out := make(map[*entry]int, len(named))
	for _, e := range named {
		// Links that name each other in a circle end there.
		for at := named[e.target()]; at != nil && out[e] < len(named); at = named[at.target()] {
			out[e]++
		}
	}
	return out
}

// foresee finds the hard links that are right, and will not be when the run has put
// another file in the place of their target: they are work like all that is wrong, so
// that their bundles' actions and services know.
func (r *run) foresee() {
	if r.record == nil && !r.o.DryRun {
		return
	}
	anew := map[string]*entry{}
	for _, e := range r.entries {
		if e.Entry.Tag == "Path" && e.wrong() && e.out.Anew {
			anew[path.Clean(e.Entry.Name())] = e
		}
	}
	for _, e := range ordered(r.entries) {
		to := anew[e.target()]
		if !e.link() || to == nil || e.left != "" || e.spared != "" || e.out.State != driver.Correct {
			continue
		}
		e.out.State, e.out.Reasons, e.cause, e.foreseen = driver.Incorrect, append(e.out.Reasons, "its target is made anew"), to.cause, true
		anew[path.Clean(e.Entry.Name())] = e
	}
}

// relink makes hard links again whose target is another file since: what a package or
// an action brings is not known before.
func (r *run) relink(ctx context.Context) error {
	if !slices.ContainsFunc(r.entries, func(e *entry) bool { return e.changed }) {
		return nil
	}
	for _, e := range ordered(r.entries) {
		if !e.link() || e.left != "" {
			continue
		}
		if err := r.lookAll(ctx, []*entry{e}); err != nil {
			return err
		}
		// Who was asked once about an entry is not surprised by it.
		if !e.wrong() || r.o.Ask != nil {
			continue
		}
		if e.left = e.blocked; e.left != "" {
			continue
		}
		if err := r.fixAll(ctx, []*entry{e}); err != nil {
			return err
		}
		if err := r.lookAll(ctx, []*entry{e}); err != nil {
			return err
		}
	}
	return nil
}
