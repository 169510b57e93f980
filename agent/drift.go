// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"maps"

	"github.com/bindery/bindery/agent/driver"
)

// fileSettled says which entries were good when they were looked at last.
const fileSettled = "settled.json"

// Causes of an entry not being as it should be.
const (
	// CauseRelease is an entry that is new, or that says something else than when it
	// was good.
	CauseRelease = "release"
	// CauseDrift is one that was good before: the host was changed, not the release.
	CauseDrift = "drift"
)

// settled has what an entry said when it was good, by its key.
type settled map[string]string

// attribute says of each entry that is wrong whether the host was changed, or the
// release. It comes before anything is made true.
func (r *run) attribute() error {
	if _, err := r.c.State.Load(fileSettled, &r.settled); err != nil {
		return err
	}
	for _, e := range r.entries {
		switch {
		case e.action() || e.out.State != driver.Incorrect && e.out.State != driver.Missing:
		case r.settled[e.Key.String()] == e.mark():
			e.cause = CauseDrift
		default:
			e.cause = CauseRelease
		}
	}
	return nil
}

// remember keeps which entries are good now. What drifted and is not mended yet has
// still drifted in the next run.
func (r *run) remember() error {
	now := settled{}
	for _, e := range r.entries {
		if !e.action() && (e.out.State == driver.Correct || e.cause == CauseDrift) {
			now[e.Key.String()] = e.mark()
		}
	}
	if maps.Equal(now, r.settled) {
		return nil
	}
	return r.c.State.Save(fileSettled, now)
}

// mark stands for all that an entry says.
func (e *entry) mark() string { return e.Entry.Digest().String()[:16] }
