// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"slices"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/service"
	"github.com/bindery/bindery/engine/config"
)

// foretell says what a run would do with actions, and with services that are right: what
// a release restarts is what people look for in a dry run. It takes all for granted that
// the run would try; what actions change is not known before.
func (r *run) foretell() error {
	if _, err := r.owing(); err != nil {
		return err
	}
	modified := map[*bundle]bool{}
	for _, b := range r.bundles {
		modified[b] = b.foretellBefore()
	}
	told := map[config.Key]bool{}
	for _, b := range r.bundles {
		near := r.reach(b)
		stirred := !b.Independent() && slices.ContainsFunc(near, func(o *bundle) bool { return modified[o] })
		b.foretellAfter(stirred)
		if !stirred || r.c.Build {
			continue
		}
		for _, e := range b.entries {
			name := config.Key{Tag: e.Entry.Type(), Name: e.Entry.Name()}
			if _, ok := r.driver(e).(driver.Restarter); ok && !told[name] && e.tellable() {
				told[name], e.due = true, "would be told that its bundle was modified"
			}
		}
	}
	return nil
}

// runs tells whether an action that is due would be run.
func (e *entry) runs() bool {
	return e.action() && e.left == "" && e.err == nil && e.out.State == driver.Correct
}

// tellable tells whether a service is one to restart.
func (e *entry) tellable() bool {
	if e.left != "" || e.err != nil || e.out.State != driver.Correct {
		return false
	}
	w, err := service.Read(e.Entry)
	return err == nil && w.Running == service.On && w.Told(false)
}

// foretellBefore looks at the actions that come before a bundle. It tells whether the
// bundle would be modified then.
func (b *bundle) foretellBefore() (modified bool) {
	if b.Independent() {
		for _, e := range b.entries {
			if t := when(e); e.runs() && t.Pre && t.Always {
				e.due = "would run first"
			}
		}
		return false
	}
	due, blocked, ran := b.pending(), false, false
	for _, e := range b.entries {
		if !e.action() {
			continue
		}
		switch t := when(e); {
		case !t.Pre || !t.Always && !due:
		case e.runs():
			e.due, ran = "would run before its bundle", true
		case e.left != "" || e.err != nil:
			blocked = true
		}
	}
	return b.owed || ran || due && !blocked
}

// foretellAfter looks at the actions that come after a bundle.
func (b *bundle) foretellAfter(modified bool) {
	for _, e := range b.entries {
		t := when(e)
		switch {
		case !e.runs() || !t.Post || !t.Always && !modified:
		case e.due != "":
			e.due += ", and again at the end"
		case modified:
			e.due = "would run after its bundle"
		default:
			e.due = "would run in any case"
		}
	}
}
