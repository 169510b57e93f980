// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"slices"
	"time"

	"github.com/bindery/bindery/engine/release"
)

// Status is all that the agent knows of its host, from what it keeps.
type Status struct {
	Enrolment
	// Agent is the version of the agent that tells this.
	Agent string `json:"agent"`
	// Now is the clock of the host.
	Now time.Time `json:"now"`
	// Release is what is in force, absent before the first.
	Release *Force `json:"release,omitempty"`
	// ReleaseError is why what is kept cannot be applied any more.
	ReleaseError string `json:"release_error,omitempty"`
	// LastRun is the last run, also where it changed nothing or could not be done.
	// Absent before the first.
	LastRun *Ran `json:"last_run,omitempty"`
	// Report is the last report that said something new: later runs found the same.
	// Absent before the first run.
	Report *release.Report `json:"report,omitempty"`
	// Paused, Held and Unconfirmed are why runs change nothing, or may be taken back.
	Paused      *Paused      `json:"paused,omitempty"`
	Held        *Held        `json:"held,omitempty"`
	Unconfirmed *Unconfirmed `json:"unconfirmed,omitempty"`
	// Running is the process that is at work now, 0 for none or where the kernel does
	// not say.
	Running int `json:"running,omitempty"`
	// Killed is a run that came to no end and was not taken up yet.
	Killed int64 `json:"killed,omitempty"`
	// Unsent is how many reports wait for the controller.
	Unsent int `json:"unsent"`
	// Lost are reports that the controller refused for good, or that are damaged or too
	// many, absent since it took one.
	Lost *Lost `json:"lost,omitempty"`
	// Clock tells that the clock of the host cannot be right.
	Clock *Skew `json:"clock,omitempty"`
	// Windows are those in which the host may be changed, none for always. Open tells
	// whether it may be now.
	Windows []release.Window `json:"windows,omitempty"`
	Open    bool             `json:"open"`
}

// Force is the release in force.
type Force struct {
	Sequence     int64  `json:"sequence"`
	Commit       string `json:"commit"`
	Tree         string `json:"tree,omitempty"`
	ConfigDigest string `json:"config_digest,omitempty"`
	PolicyDigest string `json:"policy_digest"`
	ProbeDigest  string `json:"probe_digest"`
	// Sealed is the SHA-256 of the signed and sealed bytes, Root the version of the
	// root of trust that they were verified with.
	Sealed string `json:"sealed"`
	Root   int64  `json:"root"`
	// Verified is when the timestamp was accepted that names it, Expires when that
	// must have been renewed.
	Verified time.Time `json:"verified,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	// Waiting tells that the host has no configuration yet, because its facts are not
	// known.
	Waiting bool `json:"waiting,omitempty"`
	// Mode is what runs may do, since ModeSince.
	Mode      release.Mode `json:"mode"`
	ModeSince time.Time    `json:"mode_since,omitzero"`
	// Reported are bundles that are only reported, since when.
	Reported []release.Reported `json:"reported,omitempty"`
	// Confirm is how soon after a change the source must be reached, in nanoseconds.
	Confirm time.Duration `json:"confirm,omitempty"`
}

// Skew is a clock before a time that somebody signed.
type Skew struct {
	// Floor is that time: the clock cannot be right before it.
	Floor time.Time `json:"floor"`
	// Behind is by how much at least it is late, in nanoseconds.
	Behind time.Duration `json:"behind"`
}

// slack is how far clocks may differ that are both taken for right.
const slack = time.Minute

// Well tells whether nobody needs to look: nothing is held, refused, lost or killed, no
// probe keeps the host's facts back, and nothing is bad but what is only reported. How
// long a source may be away, the schedule says, which is not known here.
func (s *Status) Well() bool {
	if s.Held != nil || s.Killed != 0 || s.ReleaseError != "" || s.Lost != nil {
		return false
	}
	if s.LastRun == nil {
		return true
	}
	if s.LastRun.NoFacts != "" {
		return false // no run mends a probe
	}
	switch s.LastRun.State {
	case release.StateClean, release.StateWaiting, release.StatePaused:
		return true
	case release.StateDirty:
		return s.LastRun.Bad > 0 && s.LastRun.Reported == s.LastRun.Bad
	}
	return false
}

// Status tells how things stand. It asks nobody and changes nothing.
func (a *Agent) Status() (*Status, error) {
	s := &Status{Enrolment: a.enrolment, Agent: a.c.Version, Now: a.c.Machine.Now().UTC()}
	var errs []error
	try := func(err error) { errs = append(errs, err) }
	var err error
	s.LastRun, err = a.Ran()
	try(err)
	s.Report, err = a.Last()
	try(err)
	s.Paused, err = a.Paused()
	try(err)
	s.Held, err = a.Held()
	try(err)
	s.Unconfirmed, err = a.Unconfirmed()
	try(err)
	waiting, err := a.c.State.List(outboxDir)
	s.Unsent = len(waiting)
	try(err)
	s.Lost, err = a.Lost()
	try(err)
	known := false
	if s.Running, known = a.c.State.Holder(); known && s.Running == 0 {
		killed, err := a.killed(s.LastRun)
		try(err)
		if killed != 0 {
			// It may have begun since.
			if s.Running, _ = a.c.State.Holder(); s.Running == 0 {
				s.Killed = killed
			}
		}
	}
	try(a.force(s))
	return s, errors.Join(errs...)
}

// killed is the run that came to no end and was not taken up yet, 0 for none. One that
// was killed before it changed anything, such as by an action or for want of memory, is
// not in the journal: what it was about to change is written down, and the last run that
// told of its end was another.
func (a *Agent) killed(last *Ran) (int64, error) {
	run, err := a.journal.Unfinished()
	if err != nil {
		return 0, err
	}
	if run != nil {
		return run.ID(), nil
	}
	names, err := a.c.State.List("")
	if err != nil || !slices.Contains(names, fileWorking) || last != nil && last.State == "" {
		return 0, err
	}
	return a.number()
}

// force tells of the release in force, and of the clock.
func (a *Agent) force(s *Status) error {
	var fresh freshness
	if _, err := a.c.State.Load(fileFreshness, &fresh); err != nil {
		return err
	}
	floor := fresh.Floor
	if floor.Before(a.enrolment.Time) {
		floor = a.enrolment.Time
	}
	if late := floor.Sub(s.Now); late > slack {
		s.Clock = &Skew{Floor: floor, Behind: late}
	}
	b, err := a.take(Options{DryRun: true})
	if errors.Is(err, ErrNothingYet) {
		return nil
	}
	if err != nil {
		s.ReleaseError = short(err.Error())
		return nil
	}
	have, err := a.spool()
	if err != nil || have == nil {
		return err
	}
	m := &b.Manifest
	if !s.Held.covers(m) {
		s.Held = nil // another one is in force by now
	}
	s.Release = &Force{
		Sequence: m.Sequence, Commit: m.Commit, Tree: m.Tree, ConfigDigest: m.ConfigDigest, PolicyDigest: m.PolicyDigest, ProbeDigest: m.ProbeDigest,
		Sealed: have.Sealed, Root: have.Root, Verified: fresh.Accepted, Expires: fresh.Expires, Waiting: b.Config == nil, Mode: m.Policy.Mode, Confirm: m.Policy.Confirm,
	}
	s.Windows, s.Open = m.Policy.Windows, closed(m.Policy.Windows, s.Now) == ""
	var modes release.Report
	err = a.dateModes(&modes, b, true)
	s.Release.ModeSince, s.Release.Reported = modes.ModeSince, modes.Reported
	return err
}
