// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"slices"

	"github.com/bindery/bindery/agent/driver"
)

// do looks at everything and, unless it is only a plan, makes it true by the
// rules of Bcfg2's client: important files, the actions that come before, the
// entries, the bundles that were modified once more, the actions that come after.
// Then it looks again.
func (r *run) do(ctx context.Context, planOnly bool) error {
	if err := r.inventory(ctx); err != nil || planOnly {
		return err
	}
	work := slices.ContainsFunc(r.entries, func(e *entry) bool { return !e.action() && e.wrong() })
	if work {
		if err := r.c.State.Save(fileWorking, r.paths.Names()); err != nil {
			return err
		}
	}
	if err := r.work(ctx); err != nil || !work {
		return err
	}
	return r.c.State.Remove(fileWorking)
}

// work makes everything true, and looks again.
func (r *run) work(ctx context.Context) error {
	for _, step := range []func(context.Context) error{r.important, r.before, r.install, r.settle, r.after} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return r.again(ctx)
}

// fix makes one entry true. Its driver says what was wrong before.
func (r *run) fix(ctx context.Context, e *entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	out, err := r.driver(e).Apply(ctx, r.item(e), true)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e.tried, e.out, e.err = true, out, err
	if out.Changed {
		e.changed = true
		e.was = append(e.was, out.Reasons...)
	}
	return nil
}

// important fixes the files that everything else may need.
func (r *run) important(ctx context.Context) error {
	for _, e := range r.entries {
		if e.wrong() && e.Entry.True("important") && e.Entry.Tag == "Path" && e.Entry.Type() == "file" {
			if err := r.fix(ctx, e); err != nil {
				return err
			}
			r.look(ctx, e)
		}
	}
	return nil
}

// look checks an entry after it was worked on. The error of the work stays where
// the entry is still wrong.
func (r *run) look(ctx context.Context, e *entry) {
	failed := e.err
	r.check(ctx, e)
	if e.err == nil && e.out.State != driver.Correct {
		e.err = failed
	}
}

// before runs the actions that come before their bundle. One that fails keeps the
// bundle as it is.
func (r *run) before(ctx context.Context) error {
	for _, b := range r.bundles {
		due := !b.Independent() && b.pending()
		for _, e := range b.entries {
			if !e.action() || e.left != "" || e.err != nil {
				continue
			}
			t := when(e)
			if !t.Pre || !t.Always && !due {
				continue
			}
			if err := r.fix(ctx, e); err != nil {
				return err
			}
			if e.err != nil {
				b.blocked = true
			}
		}
		if b.blocked {
			b.block()
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

func (b *bundle) block() {
	for _, e := range b.entries {
		if !e.action() && e.wrong() {
			e.left = "left as it is: an action that must come before failed"
		}
	}
}

// install fixes what is wrong, in the order of the configuration.
func (r *run) install(ctx context.Context) error {
	for _, e := range r.entries {
		if e.action() || !e.wrong() || e.tried {
			continue
		}
		if err := r.fix(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// settle looks at the modified bundles again and fixes what the work itself has
// clobbered, or what needed another entry to be there first.
func (r *run) settle(ctx context.Context) error {
	for _, b := range r.bundles {
		if !b.modified() {
			continue
		}
		for _, e := range b.entries {
			if e.action() || e.left != "" {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			r.look(ctx, e)
			if !e.wrong() {
				continue
			}
			if err := r.fix(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// after runs the actions that come after their bundle: all of a modified bundle, or
// of one that follows a modified one, elsewhere only those that always run. As in Bcfg2, an Independent counts as not
// modified.
func (r *run) after(ctx context.Context) error {
	for _, b := range r.bundles {
		modified := !b.Independent() && r.stirred(b)
		for _, e := range b.entries {
			if !e.action() || e.left != "" || e.err != nil {
				continue
			}
			if t := when(e); !t.Post || !t.Always && !modified {
				continue
			}
			if err := r.fix(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// again verifies everything once more if anything was touched. Actions keep what
// came of them.
func (r *run) again(ctx context.Context) error {
	touched := false
	for _, e := range r.entries {
		touched = touched || e.tried
	}
	if !touched {
		return nil
	}
	for _, e := range r.entries {
		if e.action() || e.left != "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		r.look(ctx, e)
	}
	return ctx.Err()
}
