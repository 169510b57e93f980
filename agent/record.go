// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"fmt"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/engine/release"
)

// Runs lists the runs that changed something and are still in the journal, oldest
// first.
func (a *Agent) Runs() ([]journal.Summary, error) { return a.journal.Runs() }

// head names a run after what it applies.
func head(m *release.Manifest) journal.Head {
	return journal.Head{Sequence: m.Sequence, Commit: m.Commit, Digest: m.ConfigDigest}
}

// recorded does something with all that it changes written down before.
func (a *Agent) recorded(ctx context.Context, h journal.Head, do func(*journal.Run) error) (err error) {
	if a.ran != nil && h.Undoes == 0 {
		h.ID = a.ran.Run
	} else if h.ID, err = a.number(); err != nil {
		return err
	}
	run := a.journal.Begin(h)
	a.files.Record(run)
	err = do(run)
	a.files.Record(nil)
	if ctx.Err() != nil {
		return err // the next run says how this one left things
	}
	if ended := a.finish(ctx, run); ended != nil && err == nil {
		err = ended
	}
	return err
}

// finish writes down how a run left things.
func (a *Agent) finish(ctx context.Context, run *journal.Run) error {
	if run.ID() == 0 {
		return nil
	}
	was, err := a.journal.Things(run.ID())
	if err != nil {
		return err
	}
	after, err := a.standing(ctx, was)
	if err != nil {
		a.c.Logger.Warn("how the run left things is not known", "err", err)
	}
	return run.End(a.files, after)
}

// standing asks the drivers how things stand now.
func (a *Agent) standing(ctx context.Context, was []driver.Standing) ([]driver.Standing, error) {
	byKind := map[driver.Kind][]driver.Standing{}
	var order []driver.Kind
	for _, s := range was {
		if byKind[s.Kind] == nil {
			order = append(order, s.Kind)
		}
		byKind[s.Kind] = append(byKind[s.Kind], s)
	}
	var out []driver.Standing
	for _, kind := range order {
		keeper, ok := a.drivers[kind].(driver.Keeper)
		if !ok {
			continue
		}
		now, err := keeper.Again(ctx, byKind[kind])
		if err != nil {
			return nil, err
		}
		out = append(out, now...)
	}
	return out, nil
}

// endKilled ends the run that was killed, so that an undo knows how it left things
// before anybody else changes them.
func (a *Agent) endKilled(ctx context.Context) error {
	run, err := a.journal.Unfinished()
	if err != nil || run == nil {
		return err
	}
	return a.finish(ctx, run)
}

// writeDown keeps what entries are about, before their driver changes it. What
// files show is kept when they are changed.
func (r *run) writeDown(ctx context.Context, group []*entry) error {
	if r.record == nil {
		return nil
	}
	d := r.driver(group[0])
	if t, ok := d.(driver.Touching); ok && !r.c.Machine.Contained() {
		if err := r.record.Watch(r.files, t.Touches()); err != nil {
			return err
		}
	}
	for _, e := range group {
		if e.Entry.Tag == "Path" && r.copies != nil && e.Entry.True("paranoid") {
			if err := r.copies.Keep(e.Entry.Name()); err != nil {
				return err
			}
		}
		if e.action() {
			if err := r.record.Note(fmt.Sprintf("%s ran a command", e.Key)); err != nil {
				return err
			}
		}
	}
	return r.keep(ctx, d, group, false)
}

func (r *run) keep(ctx context.Context, d any, group []*entry, lightly bool) error {
	keeper, ok := d.(driver.Keeper)
	if !ok || r.record == nil {
		return nil
	}
	items := make([]driver.Item, len(group))
	for i, e := range group {
		items[i] = r.item(e)
	}
	things, err := keeper.Standing(ctx, items)
	if err != nil {
		return fmt.Errorf("write down how it was: %w", err)
	}
	return r.record.Things(things, lightly)
}
