// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// wall is an expression by the clock on a wall. On the day when clocks go forward a time
// that does not exist comes as they do: a daily run would be left out, a weekly one come
// after a fortnight. When they go back it comes once. Expressions for every hour know no
// such times, as in Debian's cron.
type wall struct{ *cron.SpecSchedule }

// everyHour is the library's mark of a star in a field.
const everyHour = 1 << 63

// Next implements cron.Schedule.
func (w wall) Next(t time.Time) time.Time {
	next := w.SpecSchedule.Next(t)
	if w.Hour&everyHour != 0 {
		return next
	}
	for !next.IsZero() && w.again(next) {
		next = w.SpecSchedule.Next(next)
	}
	for at := t; !next.IsZero(); {
		_, change := at.In(w.Location).ZoneBounds()
		if change.IsZero() || !change.Before(next) {
			return next
		}
		if w.gone(change) {
			return change.In(t.Location())
		}
		at = change
	}
	return next
}

// shift is by how much clocks go forward at a change of the zone, and the offset that
// they had before.
func (w wall) shift(change time.Time) (forward time.Duration, before int) {
	_, after := change.In(w.Location).Zone()
	_, before = change.Add(-time.Second).In(w.Location).Zone()
	return time.Duration(after-before) * time.Second, before
}

// gone tells whether a change of the zone leaves out a time of the expression.
func (w wall) gone(change time.Time) bool {
	forward, before := w.shift(change)
	if forward <= 0 {
		return false
	}
	old := *w.SpecSchedule
	old.Location = time.FixedZone("", before)
	due := old.Next(change.Add(-time.Second))
	return !due.IsZero() && due.Before(change.Add(forward))
}

// again tells whether clocks showed a time before, because they went back since.
func (w wall) again(t time.Time) bool {
	change, _ := t.In(w.Location).ZoneBounds()
	if change.IsZero() {
		return false
	}
	forward, _ := w.shift(change)
	return t.Before(change.Add(-forward))
}
