// SPDX-License-Identifier: Apache-2.0

package release

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Window is a time in which a host may be changed: by the clock on a wall of its time
// zone, so that it moves with summer time.
type Window struct {
	// Days are mon to sun, those on which it opens; none for all.
	Days []string `json:"days,omitempty"`
	// From and To are times such as 22:00. It closes on the next day where To is not
	// after From.
	From string `json:"from"`
	To   string `json:"to"`
	// Timezone is that of both. "": UTC.
	Timezone string `json:"timezone,omitempty"`
}

// Open tells whether the window is open at a time. A zone or a time that this host
// does not know is an error.
func (w Window) Open(at time.Time) (bool, error) {
	zone, err := time.LoadLocation(w.Timezone)
	if err != nil {
		return false, fmt.Errorf("window: %w", err)
	}
	from, err := minutes(w.From)
	if err != nil {
		return false, err
	}
	to, err := minutes(w.To)
	if err != nil {
		return false, err
	}
	at = at.In(zone)
	now := 60*at.Hour() + at.Minute()
	if from < to {
		return w.day(at.Weekday()) && from <= now && now < to, nil
	}
	// Over midnight the day is that on which it opened.
	return w.day(at.Weekday()) && now >= from || w.day((at.Weekday()+6)%7) && now < to, nil
}

// Next is when the window opens next after a time, and for how long, by the clock on
// the wall; the zero time where that is not within a week or is not known.
func (w Window) Next(after time.Time) (opens time.Time, lasts time.Duration) {
	zone, err := time.LoadLocation(w.Timezone)
	if err != nil {
		return time.Time{}, 0
	}
	from, err := minutes(w.From)
	if err != nil {
		return time.Time{}, 0
	}
	to, err := minutes(w.To)
	if err != nil {
		return time.Time{}, 0
	}
	if to <= from {
		to += 24 * 60
	}
	day := after.In(zone)
	for n := range 9 {
		at := time.Date(day.Year(), day.Month(), day.Day()+n, from/60, from%60, 0, 0, zone)
		if 60*at.Hour()+at.Minute() != from {
			at = skipped(at, from)
		}
		if !at.After(after) || !w.day(at.Weekday()) {
			continue
		}
		if open, err := w.Open(at); err == nil && open {
			return at, time.Duration(to-from) * time.Minute
		}
	}
	return time.Time{}, 0
}

// skipped is when clocks go forward over a time that does not exist. Go took it for one
// on either side of that.
func skipped(near time.Time, minute int) time.Time {
	from, to := near.ZoneBounds()
	if shown := 60*near.Hour() + near.Minute(); (shown-minute+24*60)%(24*60) < 12*60 {
		return from.In(near.Location())
	}
	return to.In(near.Location())
}

func (w Window) day(d time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, strings.ToLower(d.String()[:3]))
}

// minutes reads a time of a day as minutes since midnight.
func minutes(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("window: %w", err)
	}
	return 60*t.Hour() + t.Minute(), nil
}

// String tells people when the window is open.
func (w Window) String() string {
	days := "every day"
	if len(w.Days) > 0 {
		days = strings.Join(w.Days, " ")
	}
	zone := w.Timezone
	if zone == "" {
		zone = "UTC"
	}
	return fmt.Sprintf("%s %s to %s %s", days, w.From, w.To, zone)
}
