// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"slices"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/service"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// do looks at everything and, where changes are written down, makes it true by the
// rules of Bcfg2's client: important files, the actions that come before, the
// entries, the bundles that were modified once more, the actions that come after.
// Then it looks again.
func (r *run) do(ctx context.Context, policy *release.Policy) error {
	look := func(ctx context.Context) error { return r.checkAll(ctx, r.entries) }
	if err := r.phase(ctx, "inventory", look); err != nil {
		return err
	}
	if err := r.attribute(); err != nil {
		return err
	}
	r.narrow()
	r.restrain(policy)
	r.foresee()
	if r.o.DryRun {
		if err := r.foretell(); err != nil {
			return err
		}
	}
	if r.record == nil {
		return r.tidyUp(ctx, policy)
	}
	work := slices.ContainsFunc(r.entries, func(e *entry) bool { return !e.action() && e.wrong() })
	owed, err := r.owing()
	if err != nil {
		return err
	}
	if work {
		if err := errors.Join(r.c.State.Save(fileWorking, r.paths.Names()), r.owes(owed)); err != nil {
			return err
		}
	}
	if err := r.work(ctx); err != nil {
		return err
	}
	if work || len(owed) > 0 {
		if err := r.paid(owed); err != nil {
			return err
		}
	}
	if err := r.tidyUp(ctx, policy); err != nil || !work {
		return err
	}
	return r.c.State.Remove(fileWorking)
}

// work makes everything true, and looks again.
func (r *run) work(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"questions", r.consult}, {"important", r.important}, {"before", r.before}, {"install", r.install},
		{"settle", r.settle}, {"after", r.after}, {"again", r.again},
	} {
		if err := r.phase(ctx, step.name, step.do); err != nil {
			return err
		}
	}
	return nil
}

// phase does a part of the run, and takes its time.
func (r *run) phase(ctx context.Context, name string, do func(context.Context) error) error {
	from := r.c.Machine.Now()
	defer r.since(r.phases, name, from)
	return do(ctx)
}

// act runs one action, unless somebody says no.
func (r *run) act(ctx context.Context, e *entry) (ran bool, err error) {
	if yes, err := r.asked(ctx, "run "+e.Key.String()); err != nil || !yes {
		return false, err
	}
	return true, r.fixAll(ctx, []*entry{e})
}

// important fixes the files that everything else may need.
func (r *run) important(ctx context.Context) error {
	var first []*entry
	by := r.founded()
	for _, e := range r.entries {
		if e.wrong() && e.needed(by) {
			first = append(first, e)
		}
	}
	if err := r.fixAll(ctx, first); err != nil {
		return err
	}
	return r.lookAll(ctx, first)
}

// before runs the actions that come before their bundle. One that fails keeps the
// bundle as it is, and so does one that must not run: what it guards is not safe.
func (r *run) before(ctx context.Context) error {
	for _, b := range r.bundles {
		due := !b.Independent() && b.pending()
		for _, e := range b.entries {
			if !e.action() {
				continue
			}
			t := when(e)
			if !t.Pre || !t.Always && !due {
				continue
			}
			if e.left != "" || e.err != nil {
				b.block("did not run")
				continue
			}
			ran, err := r.act(ctx, e)
			switch {
			case err != nil:
				return err
			case !ran:
				b.block("did not run")
			case e.err != nil:
				b.block("failed")
			}
		}
	}
	return nil
}

// pending tells whether the bundle has work, or had some in this run.
func (b *bundle) pending() bool {
	for _, e := range b.entries {
		if !e.action() && (e.wrong() || e.changed) {
			return true
		}
	}
	return false
}

func (b *bundle) block(what string) {
	for _, e := range b.entries {
		if e.action() {
			continue
		}
		e.blocked = "left as it is: an action that must come before " + what
		if e.wrong() {
			e.left = e.blocked
		}
	}
}

// install fixes what is wrong: users before files, packages before what is
// configured, and that before services; else in the order of the configuration.
func (r *run) install(ctx context.Context) error {
	var todo []*entry
	for _, e := range r.entries {
		if !e.action() && e.wrong() && !e.tried {
			todo = append(todo, e)
		}
	}
	return r.fixAll(ctx, todo)
}

// settle looks at the modified bundles again and fixes what the work itself has
// clobbered, or what needed another entry to be there first; then at the hard links of
// all bundles.
func (r *run) settle(ctx context.Context) error {
	for _, b := range r.bundles {
		if !b.modified() {
			continue
		}
		var seen, todo []*entry
		for _, e := range b.entries {
			if !e.action() && e.left == "" {
				seen = append(seen, e)
			}
		}
		if err := r.lookAll(ctx, seen); err != nil {
			return err
		}
		for _, e := range seen {
			// Who was asked once about an entry is not surprised by it.
			if e.wrong() && r.o.Ask == nil {
				todo = append(todo, e)
			}
		}
		if err := r.fixAll(ctx, todo); err != nil {
			return err
		}
	}
	return r.relink(ctx)
}

// after runs the actions that come after their bundle: all of a modified bundle, or
// of one that follows a modified one, and then its services are told. When all of
// these are done come those that always run, of bundles that were not modified, and
// last those of Independents, which in Bcfg2 never count as modified.
func (r *run) after(ctx context.Context) error {
	told := map[config.Key]bool{}
	ended := map[*bundle]bool{}
	// What an action or a restart changes may make a bundle modified that comes
	// before.
	for again := true; again; {
		again = false
		for _, b := range r.bundles {
			if b.Independent() || ended[b] || !r.stirred(b) {
				continue
			}
			ended[b], again = true, true
			if err := r.finally(ctx, b, true); err != nil {
				return err
			}
			if err := r.restart(ctx, b, told); err != nil {
				return err
			}
		}
	}
	for _, independent := range []bool{false, true} {
		for _, b := range r.bundles {
			if ended[b] || b.Independent() != independent {
				continue
			}
			if err := r.finally(ctx, b, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// finally runs the actions of a bundle that come after everything else in it.
func (r *run) finally(ctx context.Context, b *bundle, modified bool) error {
	for _, e := range b.entries {
		if !e.action() || e.left != "" || e.err != nil {
			continue
		}
		if t := when(e); !t.Post || !t.Always && !modified {
			continue
		}
		if _, err := r.act(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// restart tells the services of a modified bundle, each once in a run. One that was
// started when all else was done has read it all.
func (r *run) restart(ctx context.Context, b *bundle, told map[config.Key]bool) error {
	near := r.reach(b)
	for _, e := range ordered(b.entries) {
		d, ok := r.driver(e).(driver.Restarter)
		name := config.Key{Tag: e.Entry.Type(), Name: e.Entry.Name()}
		if !ok || e.left != "" || told[name] || !e.behind(near) {
			continue
		}
		told[name] = true
		if w, err := service.Read(e.Entry); err == nil && !w.Told(r.o.Ask != nil) {
			continue // nobody is asked about what is not done anyway
		}
		if yes, err := r.asked(ctx, "tell "+e.Key.String()+" that its bundle was modified"); err != nil {
			return err
		} else if !yes {
			continue
		}
		if err := r.keep(ctx, d, []*entry{e}, true); err != nil {
			e.untold, e.tried = err, true
			continue
		}
		limited, cancel := r.limited(ctx, 1)
		changed, err := d.Restart(limited, r.item(e))
		err = late(ctx, limited, err)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.untold, e.tried = err, true
		if changed {
			e.changed = true
			e.was = append(e.was, "its bundle was modified")
		}
		r.show(e, false)
	}
	return nil
}

// behind tells whether something else changed since a service was started, in this run
// or in one that came to no end.
func (e *entry) behind(near []*bundle) bool {
	for _, b := range near {
		if b.owed && e.startedAt == 0 {
			return true
		}
		for _, other := range b.entries {
			if other != e && other.changed && other.changedAt > e.startedAt {
				return true
			}
		}
	}
	return false
}

// again verifies everything once more if anything was touched. Actions keep what
// came of them.
func (r *run) again(ctx context.Context) error {
	touched := false
	for _, e := range r.entries {
		touched = touched || e.tried || e.foreseen
	}
	if !touched {
		return nil
	}
	return r.lookAgain(ctx)
}

func (r *run) lookAgain(ctx context.Context) error {
	var seen []*entry
	for _, e := range r.entries {
		// A hard link that was left is wrong by now where its target was not.
		if !e.action() && (e.left == "" || e.link()) {
			seen = append(seen, e)
		}
	}
	return r.lookAll(ctx, seen)
}
