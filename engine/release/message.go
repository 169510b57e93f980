// SPDX-License-Identifier: Apache-2.0

package release

import (
	"fmt"
	"slices"
	"time"

	"github.com/bindery/bindery/engine/config"
)

// Facts are a host's answers to its signed probe set.
type Facts struct {
	HostID string `json:"host_id"`
	Host   string `json:"host"`
	// Counter grows with every message of the host; one that does not is a replay.
	Counter int64     `json:"counter"`
	Time    time.Time `json:"time"`
	// ProbeDigest names the probe set that was asked.
	ProbeDigest string `json:"probe_digest"`
	// Answers are the outputs by the key of the probe.
	Answers map[string]string `json:"answers"`
}

// Item is one entry in a report: which, and why, never its content.
type Item struct {
	Key    config.Key `json:"key"`
	Bundle string     `json:"bundle,omitempty"`
	Reason string     `json:"reason,omitempty"`
	// Cause is "drift" where the host was changed since the entry was good, "release"
	// where the entry is new or says something else now.
	Cause string `json:"cause,omitempty"`
}

// RunState says how a run ended.
type RunState string

const (
	// StateClean means that everything that could be checked is as it should be.
	StateClean RunState = "clean"
	// StateDirty means that entries are bad.
	StateDirty RunState = "dirty"
	// StateWaiting means that the host waits for its facts to be accepted.
	StateWaiting RunState = "waiting"
	// StateFailed means that the run could not do its work; Error says why.
	StateFailed RunState = "failed"
	// StateRolledBack means that what was applied was taken back, and is not
	// applied again; Error says why.
	StateRolledBack RunState = "rolled-back"
	// StatePaused means that somebody on the host wants it left alone, or that there
	// is something to do outside its windows; Error says until when and why.
	StatePaused RunState = "paused"
)

// Report is what came of one run.
type Report struct {
	HostID  string `json:"host_id"`
	Host    string `json:"host"`
	Counter int64  `json:"counter"`
	// Sequence and Commit are those of the bundle that was used, ConfigDigest is its
	// ConfigMark.
	Sequence     int64  `json:"sequence"`
	Commit       string `json:"commit"`
	ConfigDigest string `json:"config_digest,omitempty"`
	Mode         Mode   `json:"mode"`
	DryRun       bool   `json:"dry_run,omitempty"`
	// Flags name what differs from a run of everything, such as "quick".
	Flags []string `json:"flags,omitempty"`
	// ModeSince is when the host first had this mode without a break.
	ModeSince time.Time `json:"mode_since,omitzero"`
	// Reported are the bundles of the host that the policy wants only reported.
	Reported []Reported `json:"reported,omitempty"`
	Started  time.Time  `json:"started"`
	Finished time.Time  `json:"finished"`
	State    RunState   `json:"state"`
	// Error is why the run failed, was taken back or is paused, "" otherwise.
	Error string `json:"error,omitempty"`
	// Agent is the version of the agent.
	Agent string `json:"agent"`

	// Phases and Bundles tell what took how long.
	Phases  []Span `json:"phases,omitempty"`
	Bundles []Span `json:"bundles,omitempty"`

	Total int `json:"total"`
	Good  int `json:"good"`
	// Bad are not as they should be after the run, Modified were changed by it,
	// Extra are there and should not be, NotVerified could not be looked at.
	Bad         []Item `json:"bad,omitempty"`
	Modified    []Item `json:"modified,omitempty"`
	Extra       []Item `json:"extra,omitempty"`
	NotVerified []Item `json:"not_verified,omitempty"`
	// StaleFacts are answers that stand in for those of probes that fail.
	StaleFacts []StaleFact `json:"stale_facts,omitempty"`
}

// OnlyReported tells whether the policy wants an entry of the host only reported: all
// of them, or those of its bundle.
func (r *Report) OnlyReported(i Item) bool {
	return r.Mode == ModeReport || i.Bundle != "" && slices.ContainsFunc(r.Reported, func(b Reported) bool { return b.Bundle == i.Bundle })
}

// Unapplied are the entries that are bad though the policy wants them to be applied.
func (r *Report) Unapplied() []Item {
	return slices.DeleteFunc(slices.Clone(r.Bad), r.OnlyReported)
}

// Reported is a bundle that is looked at and never changed.
type Reported struct {
	Bundle string `json:"bundle"`
	// Since is when the host first left it alone without a break.
	Since time.Time `json:"since,omitzero"`
}

// StaleFact is the last good answer of a probe that fails now.
type StaleFact struct {
	// Probe is the key of the probe.
	Probe string `json:"probe"`
	// Since is when it failed first.
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
}

// Span is how long something took.
type Span struct {
	Name         string `json:"name"`
	Milliseconds int64  `json:"ms"`
}

// SignFacts makes the envelope that a host sends.
func (i *Identity) SignFacts(f Facts) ([]byte, error) {
	data, err := i.sign(typeFacts, f, MaxFacts)
	if err != nil {
		return nil, fmt.Errorf("sign facts: %w", err)
	}
	return data, nil
}

// SignReport makes the envelope that a host sends.
func (i *Identity) SignReport(r Report) ([]byte, error) {
	data, err := i.sign(typeReport, r, MaxReport)
	if err != nil {
		return nil, fmt.Errorf("sign report: %w", err)
	}
	return data, nil
}

// OpenFacts verifies an envelope of facts. The caller compares Counter with the
// last one of the host.
func OpenFacts(data []byte, keyOf KeyOf) (*Facts, error) {
	var f Facts
	if err := openSigned(data, typeFacts, MaxFacts, &f, &f.HostID, keyOf); err != nil {
		return nil, fmt.Errorf("open facts: %w", err)
	}
	return &f, nil
}

// OpenReport verifies an envelope of a report. The caller compares Counter with the
// last one of the host.
func OpenReport(data []byte, keyOf KeyOf) (*Report, error) {
	var r Report
	if err := openSigned(data, typeReport, MaxReport, &r, &r.HostID, keyOf); err != nil {
		return nil, fmt.Errorf("open report: %w", err)
	}
	switch r.State {
	case StateClean, StateDirty, StateWaiting, StateFailed, StateRolledBack, StatePaused:
	default:
		return nil, fmt.Errorf("open report: %w: unknown state %.40q", ErrUntrusted, r.State)
	}
	return &r, nil
}
