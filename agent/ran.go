// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/engine/release"
)

const fileRan = "ran.json"

// Ran tells of the last run, also of one that changed nothing, said nothing new, or
// could not be done.
type Ran struct {
	// Run is its number, which the log has as well.
	Run      int64     `json:"run"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// Undoes is the oldest run that this one took back, with all after it: it is an undo,
	// which counts no entries. 0 for a run of a release.
	Undoes int64 `json:"undoes,omitempty"`
	// Boot names the boot of the machine that it belongs to.
	Boot string `json:"boot,omitempty"`
	// State is "" where the run came to no end; Error then says why.
	State release.RunState `json:"state,omitempty"`
	Error string           `json:"error,omitempty"`
	// Flags name what differs from a run of everything.
	Flags []string `json:"flags,omitempty"`
	Tally
	// Contact is when the source last gave something that verifies.
	Contact time.Time `json:"contact,omitzero"`
	// NoContact is why it did not in this run, "" where it did or was not asked.
	NoContact string `json:"no_contact,omitempty"`
	// NoFacts is why the probes gave no answers that could be sent, "" where they did
	// or were not asked.
	NoFacts string `json:"no_facts,omitempty"`
}

// Tally counts entries after a run.
type Tally struct {
	Total       int `json:"total"`
	Good        int `json:"good"`
	Bad         int `json:"bad"`
	Modified    int `json:"modified"`
	Extra       int `json:"extra"`
	NotVerified int `json:"not_verified"`
	// Reported is how many of the bad ones are only reported, as the policy says.
	Reported int `json:"reported"`
	// Drift is how many of those that are bad or were modified had been changed on the
	// host since they were good.
	Drift int `json:"drift"`
}

func tally(rep *release.Report) Tally {
	t := Tally{
		Total: rep.Total, Good: rep.Good, Bad: len(rep.Bad), Modified: len(rep.Modified), Extra: len(rep.Extra), NotVerified: len(rep.NotVerified),
		Reported: len(rep.Bad) - len(rep.Unapplied()),
	}
	for _, items := range [][]release.Item{rep.Bad, rep.Modified} {
		for _, item := range items {
			if item.Cause == CauseDrift {
				t.Drift++
			}
		}
	}
	return t
}

// Ran tells of the last run, nil before the first. Where that cannot be read, it is as
// before the first.
func (a *Agent) Ran() (*Ran, error) {
	var r Ran
	found, err := a.c.State.Load(fileRan, &r)
	if err != nil || !found {
		return nil, err
	}
	return &r, nil
}

// Rebooted tells whether the machine was started since the last run. Before the first
// run, and where nobody knows, it was not.
func (a *Agent) Rebooted() (bool, error) {
	r, err := a.Ran()
	return r != nil && r.Boot != "" && a.c.Boot != "" && r.Boot != a.c.Boot, err
}

// number is that of the next run: no other that is known has it.
func (a *Agent) number() (int64, error) {
	r, err := a.Ran()
	if err != nil {
		return 0, err
	}
	newest, err := a.journal.Newest()
	if r != nil {
		newest = max(newest, r.Run)
	}
	if a.ran != nil {
		newest = max(newest, a.ran.Run) // an undo amid a run that changed nothing itself
	}
	return newest + 1, err
}

// begin gives the run its number, with which all that is logged until its end is
// marked.
func (a *Agent) begin(r *Ran) (end func(), err error) {
	if r.Run, err = a.number(); err != nil {
		return nil, err
	}
	r.Started, r.Boot = a.c.Machine.Now().UTC(), a.c.Boot
	a.ran = r
	log := a.c.Logger
	a.c.Logger = log.With("run", r.Run)
	return func() { a.c.Logger, a.ran = log, nil }, nil
}

// wrote keeps how a run ended. One that was called with names that nothing has did not
// begin, and tells nothing of the host.
func (a *Agent) wrote(ctx context.Context, r *Ran, result *Result, failure error) error {
	if _, misuse := errors.AsType[*choice.Error](failure); misuse {
		return failure
	}
	before, err := a.Ran()
	if err != nil {
		return errors.Join(failure, err)
	}
	if before != nil && r.Contact.IsZero() {
		r.Contact = before.Contact
	}
	r.Finished = a.c.Machine.Now().UTC()
	switch {
	case ctx.Err() != nil:
		r.Error = "interrupted"
	case failure != nil:
		r.Error = short(strings.ReplaceAll(failure.Error(), "\n", "; "))
	}
	if result != nil && failure == nil {
		rep := &result.Report
		r.State, r.Error, r.Flags, r.Tally = rep.State, rep.Error, rep.Flags, tally(rep)
	}
	return errors.Join(failure, a.c.State.Save(fileRan, r))
}

// undid keeps that the last thing done to the host was to take a run back, by whomever
// and also where no run is under way: whoever asks how the host is shall not read of the
// run that is gone.
func (a *Agent) undid(id, undoes int64, started time.Time, why string) error {
	before, err := a.Ran()
	if err != nil {
		return err
	}
	r := Ran{Run: id, Started: started, Finished: a.c.Machine.Now().UTC(), Undoes: undoes, Boot: a.c.Boot, State: release.StateRolledBack, Error: why}
	if before != nil {
		r.Contact, r.NoContact = before.Contact, before.NoContact
	}
	return a.c.State.Save(fileRan, r)
}

// contact remembers whether the source gave something that verifies.
func (a *Agent) contact(err error) {
	if a.ran == nil {
		return
	}
	if err != nil {
		a.ran.NoContact = short(err.Error())
		return
	}
	a.ran.Contact, a.ran.NoContact = a.c.Machine.Now().UTC(), ""
}
