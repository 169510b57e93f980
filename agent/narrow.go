// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// narrow leaves what was not asked for, and what the decision lists keep. An entry
// alone is chosen with what its bundle does after a change: else its service would
// never be told.
func (r *run) narrow() {
	c := &r.o.Choice
	for _, b := range r.bundles {
		if !c.Bundle(b.Bundle) {
			b.leave("left as it is: not chosen for this run")
		}
		for _, e := range b.entries {
			if why := c.Forbidden(e.Entry.Tag, e.Entry.Name()); why != "" && e.left == "" {
				e.left = why
			}
			if e.left == "" && !e.action() && !c.Entry(e.Key) {
				e.spared = "left as it is: not chosen for this run"
			}
		}
	}
}

// consult asks about everything that is wrong, before anything is changed.
func (r *run) consult(ctx context.Context) error {
	if r.o.Ask == nil {
		return nil
	}
	for _, e := range ordered(r.entries) {
		if e.action() || !e.wrong() {
			continue
		}
		if r.o.Before != nil {
			r.o.Before(e.line())
		}
		yes, err := r.asked(ctx, fmt.Sprintf("change %s (%s)", e.Key, e.reason()))
		if err != nil {
			return err
		}
		if !yes {
			e.spared = "left as it is: you said no"
		}
	}
	return nil
}

// asked tells whether something may be done.
func (r *run) asked(ctx context.Context, what string) (bool, error) {
	if err := ctx.Err(); err != nil || r.o.Ask == nil {
		return err == nil, err
	}
	return r.o.Ask(ctx, what)
}

// show tells who watches what came of an entry. What a driver found is how the entry
// was before: one that it made true without an error is so now, as far as anybody
// knows before all are looked at again.
func (r *run) show(e *entry, done bool) {
	if r.o.Watch == nil {
		return
	}
	l := e.line()
	if done && (l.State == driver.Incorrect || l.State == driver.Missing) {
		l.State, l.Reason, l.Extra, l.Diff = driver.Correct, "", nil, e.diff
	}
	r.o.Watch(l)
}

// limited bounds what a driver does for some entries.
func (r *run) limited(ctx context.Context, entries int) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, r.c.EntryTimeout*time.Duration(entries), system.ErrTimeout)
}

// late gives what took too long the error that says so: a tool that was ended would
// look like one that failed.
func late(parent, limited context.Context, err error) error {
	if err == nil || parent.Err() != nil || limited.Err() == nil {
		return err
	}
	return fmt.Errorf("%w: %w", system.ErrTimeout, err)
}
