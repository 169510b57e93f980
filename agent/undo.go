// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/account"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// UndoOptions say what is taken back.
type UndoOptions struct {
	// Run is taken back with all that came after it. Zero: the newest that was not
	// taken back yet.
	Run int64
	// DryRun only says what would be done.
	DryRun bool
	// Force brings back also what somebody changed since.
	Force bool
	// Reason is for the report. "": somebody asked for it.
	Reason string
}

// Undone is what an undo did, or would do.
type Undone struct {
	// Run is the oldest run that is taken back, Runs are all of them.
	Run  int64   `json:"run"`
	Runs []int64 `json:"runs"`
	// Done are in words what was or would be brought back; Kept is what is left as
	// it is, and Failed what could not be brought back, each with the reason.
	Done   []string `json:"done,omitempty"`
	Kept   []string `json:"kept,omitempty"`
	Failed []string `json:"failed,omitempty"`
	// Notes are what cannot be taken back.
	Notes []string `json:"notes,omitempty"`
}

// Whole tells whether everything that can be taken back was.
func (u *Undone) Whole() bool { return len(u.Kept) == 0 && len(u.Failed) == 0 }

// Undo takes back the last run, or one and those after it: files, packages and
// services. Then the release is held until another one comes, or Resume.
func (a *Agent) Undo(ctx context.Context, o UndoOptions) (*Undone, error) {
	if !o.DryRun {
		unlock, err := a.c.State.Lock()
		if err != nil {
			return nil, err
		}
		defer unlock()
		if err := a.tidy(ctx); err != nil {
			return nil, err
		}
	}
	u, err := a.undo(ctx, o)
	if err != nil || o.DryRun {
		return u, err
	}
	// Whoever takes a change back by hand need not wait for its confirmation, nor is
	// anybody to check it.
	if err := a.clearDoubts(); err != nil {
		return u, err
	}
	return u, a.deliver(ctx)
}

// undo does it under the lock, and leaves a report to be sent.
func (a *Agent) undo(ctx context.Context, o UndoOptions) (*Undone, error) {
	if o.Run == 0 {
		var err error
		if o.Run, err = a.journal.Last(); err != nil {
			return nil, err
		}
	}
	past, err := a.journal.Since(o.Run)
	if err != nil {
		return nil, err
	}
	u := &Undone{Run: o.Run, Notes: past.Notes, Failed: past.Damage}
	for _, r := range past.Runs {
		u.Runs = append(u.Runs, r.ID)
	}
	b := &undoing{Agent: a, past: past, out: u, options: o}
	b.moves = past.Moves(a.files, o.Force)
	journal.Together(b.moves, account.Files())
	if o.DryRun {
		b.restore(ctx, nil)
		return u, ctx.Err()
	}
	if o.Reason == "" {
		o.Reason = "somebody on the host asked for it"
	}
	// What an undo changes has not drifted.
	if err := a.c.State.Remove(fileSettled); err != nil {
		return nil, err
	}
	if err := a.spare(o.Run, func() error { return a.hold(u, o.Reason) }); err != nil {
		return nil, err
	}
	started, id := a.c.Machine.Now().UTC(), int64(0)
	err = a.recorded(ctx, journal.Head{Undoes: o.Run}, func(run *journal.Run) error {
		// The undo itself is kept even where everything is as it was.
		if err := a.spare(o.Run, run.Mark); err != nil {
			return err
		}
		id = run.ID()
		names := make([]string, len(b.moves))
		for i, m := range b.moves {
			names[i] = m.Name
		}
		if err := a.spare(o.Run, func() error { return a.c.State.Save(fileWorking, names) }); err != nil {
			return err
		}
		b.restore(ctx, run)
		if err := ctx.Err(); err != nil {
			return err
		}
		return errors.Join(a.c.State.Remove(fileWorking), a.c.State.Remove(fileModified))
	})
	if err != nil {
		return u, err
	}
	why := short(fmt.Sprintf("run %d was taken back: %s", u.Run, o.Reason))
	return u, errors.Join(a.undid(id, u.Run, started, why), a.tellUndone(u, why))
}

// spare does something that an undo cannot go without. Where the disk is full, the oldest
// runs of the journal go for it that the undo does not need.
func (a *Agent) spare(keep int64, do func() error) error {
	for {
		err := do()
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
			return err
		}
		more, failure := a.journal.Shed(keep)
		if failure != nil || !more {
			return errors.Join(err, failure)
		}
		a.c.Logger.Warn("the disk is full: the oldest run in the journal was dropped")
	}
}

// hold keeps the release from being applied again. It comes before anything is
// brought back, so that a crash in between leaves a host that waits.
func (a *Agent) hold(u *Undone, reason string) error {
	h := Held{Since: a.c.Machine.Now().UTC(), Run: u.Run, Reason: short(fmt.Sprintf("run %d was taken back: %s", u.Run, reason))}
	b, err := a.take(Options{DryRun: true})
	switch {
	case err == nil:
		h.Sequence, h.Digest = b.Manifest.Sequence, b.Manifest.ConfigDigest
	case errors.Is(err, ErrNothingYet), errors.Is(err, release.ErrUntrusted):
		return nil // there is nothing that could be applied
	default:
		return err
	}
	return a.c.State.Save(fileHeld, h)
}

// undoing is one undo under way.
type undoing struct {
	*Agent
	past    *journal.Past
	options UndoOptions
	moves   []journal.Move
	out     *Undone
}

// restore brings things back in the order that is the reverse of a run: services
// stop, files and packages come back, services start. Without a run it only tells.
func (b *undoing) restore(ctx context.Context, run *journal.Run) {
	b.things(ctx, run, true)
	if run != nil && ctx.Err() == nil {
		b.past.Do(b.files, b.moves)
	}
	for _, m := range b.moves {
		b.moved(m)
	}
	b.things(ctx, run, false)
}

func (b *undoing) moved(m journal.Move) {
	words := fmt.Sprintf("%s %s", m.What, m.Name)
	switch {
	case m.What == journal.Kept:
		b.out.Kept = append(b.out.Kept, m.Name+": "+m.Why)
	case m.Err != nil:
		b.out.Failed = append(b.out.Failed, words+": "+m.Err.Error())
	default:
		b.out.Done = append(b.out.Done, words)
	}
	if m.Unkept != nil && m.Err == nil {
		b.out.Notes = append(b.out.Notes, words+": an undo of this undo does not bring back what stood there: "+m.Unkept.Error())
	}
}

// things brings back what is no file: packages before services.
func (b *undoing) things(ctx context.Context, run *journal.Run, ending bool) {
	for _, tag := range []string{"Package", "Path", "Service"} {
		for _, p := range b.past.Things {
			if p.Kind.Tag == tag && ctx.Err() == nil {
				b.thing(ctx, run, p, ending)
			}
		}
	}
}

func (b *undoing) thing(ctx context.Context, run *journal.Run, p driver.Passage, ending bool) {
	keeper, ok := b.drivers[p.Kind].(driver.Keeper)
	if !ok {
		b.out.Failed = append(b.out.Failed, fmt.Sprintf("%s: no driver for it", p.Name))
		return
	}
	if run != nil {
		now, err := keeper.Again(ctx, []driver.Standing{p.Standing})
		if err == nil {
			err = run.Things(now, false)
		}
		if err != nil {
			b.out.Failed = append(b.out.Failed, fmt.Sprintf("%s: %s", p.Name, err))
			return
		}
	}
	r := keeper.Restore(ctx, p, driver.Restoration{Apply: run != nil, Force: b.options.Force, Ending: ending})
	b.out.Kept = append(b.out.Kept, r.Kept...)
	if r.Err != nil {
		b.out.Failed = append(b.out.Failed, fmt.Sprintf("%s: %s", p.Name, r.Err))
		return
	}
	b.out.Done = append(b.out.Done, r.What...)
}

// tellUndone leaves a report for the controller.
func (a *Agent) tellUndone(u *Undone, why string) error {
	now := a.c.Machine.Now().UTC()
	rep := release.Report{
		HostID: a.enrolment.HostID, Host: a.enrolment.Host, Mode: release.ModeApply, Started: now, Finished: now, Agent: a.c.Version,
		State: release.StateRolledBack, Error: why,
	}
	if b, err := a.take(Options{DryRun: true}); err == nil {
		rep.Sequence, rep.Commit, rep.ConfigDigest = b.Manifest.Sequence, b.Manifest.Commit, b.Manifest.ConfigMark
	}
	for _, words := range append(u.Kept, u.Failed...) {
		rep.Bad = append(rep.Bad, release.Item{Key: config.Key{Tag: "Undo", Name: "left as it is"}, Reason: short(words)})
	}
	// The next run's report shall be sent whatever it says.
	if err := a.c.State.Remove(fileSaid); err != nil {
		return err
	}
	if err := a.queue(rep, now); err != nil {
		return err
	}
	return a.c.State.Save(fileLast, rep)
}
