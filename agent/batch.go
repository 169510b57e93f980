// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/service"
)

// ranks say what comes before what: users own files, packages bring the files that
// are configured, hard links are names of these, and services read them.
func rank(e *entry) int {
	switch e.Entry.Tag {
	case "POSIXGroup":
		return 0
	case "POSIXUser":
		return 1
	case "Package":
		return 2
	case "Service":
		return 5
	}
	if e.link() {
		return 4
	}
	return 3
}

// ordered sorts entries by what depends on what, else as they are configured.
// Services may say their place among each other.
func ordered(entries []*entry) []*entry {
	out := slices.Clone(entries)
	depth := depths(entries)
	slices.SortStableFunc(out, func(a, b *entry) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		if rank(a) != 5 {
			return depth[a] - depth[b]
		}
		return service.Sequence(a.Entry) - service.Sequence(b.Entry)
	})
	return out
}

// groups keeps neighbours together that one call of a tool can serve.
func (r *run) groups(entries []*entry) [][]*entry {
	var out [][]*entry
	for i, e := range entries {
		d, many := r.driver(e).(driver.Batch)
		if i > 0 && many && r.driver(entries[i-1]) == driver.Driver(d) {
			out[len(out)-1] = append(out[len(out)-1], e)
			continue
		}
		out = append(out, []*entry{e})
	}
	return out
}

// apply lets a driver look at entries of its own, or make them true.
func (r *run) apply(parent context.Context, group []*entry, apply bool) []driver.Result {
	from := r.c.Machine.Now()
	defer func() { r.spent(group, r.c.Machine.Now().Sub(from)) }()
	ctx := parent
	if !group[0].action() { // which have a limit of their own
		limited, cancel := r.limited(parent, len(group))
		defer cancel()
		ctx = limited
	}
	if many, ok := r.driver(group[0]).(driver.Batch); ok {
		items := make([]driver.Item, len(group))
		for i, e := range group {
			items[i] = r.item(e)
		}
		out := many.ApplyAll(ctx, items, apply)
		for i := range out {
			out[i].Err = late(parent, ctx, out[i].Err)
		}
		return out
	}
	out := make([]driver.Result, len(group))
	for i, e := range group {
		out[i].Outcome, out[i].Err = r.driver(e).Apply(ctx, r.item(e), apply)
		out[i].Err = late(parent, ctx, out[i].Err)
	}
	return out
}

// spent shares the time of a group among the bundles of its entries.
func (r *run) spent(group []*entry, d time.Duration) {
	for _, e := range group {
		if name := e.Bundle.Name(); name != "" {
			r.took.add(name, d/time.Duration(len(group)))
		}
	}
}

// checkAll looks at entries and changes nothing.
func (r *run) checkAll(ctx context.Context, entries []*entry) error {
	var known []*entry
	for _, e := range entries {
		if r.bound(e) {
			known = append(known, e)
		}
	}
	for _, group := range r.groups(ordered(known)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, res := range r.apply(ctx, group, false) {
			group[i].out, group[i].err = res.Outcome, res.Err
		}
	}
	return ctx.Err()
}

// fixAll makes entries true, in their order. Their drivers say what was wrong
// before.
func (r *run) fixAll(ctx context.Context, entries []*entry) error {
	for _, group := range r.groups(ordered(entries)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.step++
		if err := r.writeDown(ctx, group); err != nil {
			// What could not be taken back is not done.
			for _, e := range group {
				e.tried, e.err = true, err
			}
			continue
		}
		results := r.apply(ctx, group, true)
		for i, res := range results {
			e := group[i]
			if res.Changed {
				e.changed, e.changedAt = true, r.step
				e.was = append(e.was, res.Reasons...)
			}
			if res.Started {
				e.startedAt = r.step
			}
			if ctx.Err() != nil {
				continue
			}
			if res.Changed && e.diff == "" {
				e.diff = diff(e.Entry, &res.Outcome)
			}
			e.tried, e.out, e.err = true, res.Outcome, res.Err
			r.show(e, res.Changed && res.Err == nil)
		}
	}
	return ctx.Err()
}

// lookAll checks entries after they were worked on. The error of the work stays
// where an entry is still wrong.
func (r *run) lookAll(ctx context.Context, entries []*entry) error {
	failed := make([]error, len(entries))
	for i, e := range entries {
		failed[i] = e.err
	}
	if err := r.checkAll(ctx, entries); err != nil {
		return err
	}
	for i, e := range entries {
		if e.err == nil && e.out.State != driver.Correct {
			e.err = failed[i]
		}
	}
	return nil
}

// founded lists the drivers at work that need some files first.
func (r *run) founded() []driver.Founded {
	var out []driver.Founded
	for _, e := range r.entries {
		if d, ok := r.driver(e).(driver.Founded); ok && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// needed tells whether a file must be right before anything else: it says so, or
// one of the drivers at work needs it.
func (e *entry) needed(by []driver.Founded) bool {
	if e.Entry.Tag != "Path" || e.Entry.Type() != "file" {
		return false
	}
	name := path.Clean(e.Entry.Name())
	return e.Entry.True("important") || slices.ContainsFunc(by, func(d driver.Founded) bool { return d.Needs(name) })
}

// survey asks the drivers at work what else there is. An entry that cannot be
// bound is asked for all the same.
func (r *run) survey(ctx context.Context) error {
	byTag := map[string][]driver.Item{}
	for _, e := range r.entries {
		byTag[e.Entry.Tag] = append(byTag[e.Entry.Tag], r.item(e))
	}
	// A user asks for the groups that it is in.
	byTag["POSIXGroup"] = append(byTag["POSIXGroup"], byTag["POSIXUser"]...)
	type question struct {
		who driver.Surveyor
		tag string
	}
	asked := map[question]bool{}
	for _, e := range r.entries {
		who, ok := r.driver(e).(driver.Surveyor)
		if !ok || asked[question{who, e.Entry.Tag}] {
			continue
		}
		asked[question{who, e.Entry.Tag}] = true
		more, err := who.Extras(ctx, byTag[e.Entry.Tag])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.c.Logger.Warn("what is not configured cannot be listed", "err", err)
		}
		for _, s := range more {
			r.surplus = append(r.surplus, Surplus{Surplus: s})
		}
	}
	return nil
}
