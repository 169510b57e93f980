// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/state"
)

const fileUnconfirmed = "unconfirmed.json"

// Unconfirmed is a change after which the host has not reached its source yet.
type Unconfirmed struct {
	Run int64 `json:"run"`
	// Within is how soon it must, after the run has ended; Until is when that is,
	// zero while the run goes on.
	Within time.Duration `json:"within"`
	Until  time.Time     `json:"until,omitzero"`
	// Boot names the boot of the machine in which Until was set.
	Boot string `json:"boot,omitempty"`
	// Agent is the process that waits since Until was set, and TakingBack tells that it
	// waits no longer: that may take its time.
	Agent      int  `json:"agent,omitempty"`
	TakingBack bool `json:"taking_back,omitempty"`
}

// hangs tells whether a process that was watched for so long should long have come to
// an end with the change.
func (u *Unconfirmed) hangs(watched time.Duration) bool {
	return u.Agent > 0 && !u.TakingBack && watched > u.Within+min(u.Within, time.Minute)+2*time.Second
}

// arm is called before the first change of a run. It starts a process that takes
// the run back if this one no longer can.
func (a *Agent) arm(within time.Duration, id int64) error {
	if err := a.c.State.Save(fileUnconfirmed, Unconfirmed{Run: id, Within: within}); err != nil {
		return err
	}
	if a.c.Guard == nil {
		return nil
	}
	if err := a.c.Guard(); err != nil {
		err = fmt.Errorf("nobody would take the change back if it cuts the host off: %w", err)
		return errors.Join(err, a.c.State.Remove(fileUnconfirmed)) // there is no change
	}
	return nil
}

// whenTorn is how soon the source must be reached where nobody knows any more.
const whenTorn = 5 * time.Minute

// Unconfirmed tells about a change that is not confirmed yet, nil for none. Where that
// cannot be read it is the last one.
func (a *Agent) Unconfirmed() (*Unconfirmed, error) {
	var u Unconfirmed
	found, err := a.c.State.Demand(fileUnconfirmed, &u)
	if errors.Is(err, state.ErrTorn) {
		u = Unconfirmed{Within: whenTorn}
		u.Run, err = a.journal.Last()
		found = true
	}
	if err != nil || !found || u.Run <= 0 {
		return nil, err
	}
	return &u, nil
}

// confirm waits until the source is reached, or takes the change back. It tells why
// it did. The caller holds the lock.
func (a *Agent) confirm(ctx context.Context) (reason string, err error) {
	u, err := a.Unconfirmed()
	if err != nil || u == nil {
		return "", err
	}
	now := a.c.Machine.Now()
	// A clock that was changed must not make it longer. While a machine was off it
	// could reach nobody, and its network may take a while to come: it has its time
	// again, once for each boot.
	left := u.Until.Sub(now)
	if u.Until.IsZero() || left > u.Within || u.Boot != a.c.Boot {
		left = u.Within
		u.Until, u.Boot = now.Add(left), a.c.Boot
	}
	u.Agent, u.TakingBack = os.Getpid(), false
	a.noteUnconfirmed(u)
	// From here on the clock counts that nobody sets, where the machine has one.
	u.Until = now.Add(left)
	reached := a.reach(ctx, u)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if reached == nil {
		return "", a.c.State.Remove(fileUnconfirmed)
	}
	reason = fmt.Sprintf("the host did not reach its source within %s: %s", u.Within, reached)
	u.TakingBack = true
	a.noteUnconfirmed(u)
	_, err = a.undo(ctx, UndoOptions{Run: u.Run, Reason: reason})
	if err != nil && !errors.Is(err, journal.ErrNoRun) {
		return reason, err
	}
	return reason, a.clearDoubts()
}

// noteUnconfirmed writes down how far a confirmation is. Where it cannot, the change is
// taken back all the same: it may be the change that filled the disk.
func (a *Agent) noteUnconfirmed(u *Unconfirmed) {
	if err := a.spare(u.Run, func() error { return a.c.State.Save(fileUnconfirmed, u) }); err != nil {
		a.c.Logger.Warn("how long a change waits for its confirmation cannot be written down", "err", err)
	}
}

// settling is how long a change has to take effect before the source is asked: names are
// looked up by what a program read of /etc/hosts and /etc/resolv.conf up to five seconds
// before.
const settling = 6 * time.Second

// reach asks the source until it gives something that verifies, or the time is over.
func (a *Agent) reach(ctx context.Context, u *Unconfirmed) error {
	wait := min(u.Within/5, settling)
	var waited time.Duration
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.c.After(wait):
		}
		// What was waited for is over, whatever a clock says that was set back meanwhile.
		waited += wait
		left := min(u.Until.Sub(a.c.Machine.Now()), u.Within-waited)
		try, cancel := context.WithTimeout(ctx, max(min(left, time.Minute), time.Second))
		// A connection from before the change outlives a firewall or a name that keeps
		// new ones from being made.
		a.c.Client.CloseIdleConnections()
		_, err := a.poll(try, pollAgain)
		a.contact(err)
		cancel()
		if err == nil || left <= 0 {
			return err
		}
		wait = min(left, max(u.Within/20, 10*time.Millisecond))
	}
}

// Guard waits for a change of another process to be confirmed, and takes it back
// where that process no longer does either, be it dead or stuck. It returns when
// nothing is left to be confirmed.
func (a *Agent) Guard(ctx context.Context) error {
	var watched Unconfirmed
	var since time.Time
	for {
		u, err := a.Unconfirmed()
		if err != nil || u == nil {
			return err
		}
		unlock, err := a.c.State.Lock()
		switch {
		case err == nil:
			// Nobody is at work any more, and yet it is not confirmed.
			err = a.takeOver(ctx)
			unlock()
			return err
		case !errors.Is(err, state.ErrBusy):
			return err
		}
		if u.Agent != watched.Agent || u.Run != watched.Run {
			watched, since = *u, time.Now()
		}
		if u.hangs(time.Since(since)) {
			a.end(u.Agent)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(u.Within/10, 5*time.Second)):
		}
	}
}

// end kills the process that holds the lock, if it is the one that is meant. No moment
// to be killed at is a bad one for an agent.
func (a *Agent) end(pid int) {
	if holder, known := a.c.State.Holder(); !known || holder != pid {
		return
	}
	a.c.Logger.Error("the agent neither confirms a change nor takes it back: it is ended", "pid", pid)
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

// Settle confirms a change of an earlier run or takes it back, as the next run would,
// but does not wait for its turn.
func (a *Agent) Settle(ctx context.Context) error {
	u, err := a.Unconfirmed()
	if err != nil || u == nil {
		return err
	}
	unlock, err := a.c.State.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	return a.takeOver(ctx)
}

// takeOver does what every run begins with.
func (a *Agent) takeOver(ctx context.Context) error {
	if err := a.tidy(ctx); err != nil {
		return err
	}
	reason, err := a.confirm(ctx)
	if err != nil {
		return err
	}
	if reason != "" {
		a.c.Logger.Error("the last run was taken back", "reason", reason)
		return a.deliver(ctx)
	}
	return nil
}
