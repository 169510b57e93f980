// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/internal/schedule"
)

const (
	defaultSchedule = "*/5 * * * *"
	// jitterShare of what hosts are spread over is the most that a run comes late by chance.
	jitterShare = 20
	// clockTick is how soon a run comes that was missed in a machine's sleep.
	clockTick = 30 * time.Second
	// bootSpread is over how long the first runs after a boot are spread: machines that
	// share a power supply start in the same second.
	bootSpread = 5 * time.Minute
	// clockSpread is over how long hosts are spread whose runs come at times of the clock.
	clockSpread = time.Hour
)

// beat is when runs come: by the host's own settings, else as the release says, else
// every five minutes; and where the release has windows, when one of them opens.
type beat struct {
	agent    *agent.Agent
	settings agent.Settings
	plan     schedule.Schedule
	windows  []release.Window
}

// read takes what the release in force says.
func (b *beat) read() error {
	every, windows, err := b.agent.Timing()
	if err != nil {
		return err
	}
	_, err = b.set(every, windows)
	return err
}

// set takes what a release says, and tells whether runs come by another plan now.
func (b *beat) set(every time.Duration, windows []release.Window) (changed bool, err error) {
	b.windows = windows
	expr := b.settings.Schedule
	if expr == "" {
		if expr = defaultSchedule; every > 0 {
			expr = "@every " + every.String()
		}
	}
	if expr == b.plan.String() {
		return false, nil
	}
	plan, err := schedule.Parse(expr, b.settings.Timezone)
	if err != nil {
		return false, err
	}
	b.plan = plan
	return true, nil
}

func (b *beat) interval(now time.Time) time.Duration { return b.plan.Interval(now) }

// spread is over how much of an interval hosts are spread: over all of it where the plan
// says how often, and over an hour where it says when. Who says half past three on
// weekdays means neither the afternoon nor Saturday.
func (b *beat) spread(now time.Time) time.Duration {
	if strings.HasPrefix(b.plan.String(), "@") {
		return b.interval(now)
	}
	return min(b.interval(now), clockSpread)
}

// phase is the host's own place within that.
func (b *beat) phase(now time.Time) time.Duration { return b.own(b.spread(now)) }

// jitter is the most that a run comes late by chance.
func (b *beat) jitter(now time.Time) time.Duration { return b.spread(now) / jitterShare }

func (b *beat) own(span time.Duration) time.Duration {
	return schedule.Phase(b.agent.Enrolment().HostID, span)
}

// first is how long the first run waits.
func (b *beat) first(now time.Time) (time.Duration, error) {
	booted, err := b.agent.Rebooted()
	if err != nil || !booted {
		return 0, err
	}
	return b.own(min(bootSpread, b.interval(now))), nil
}

// opening is when the host runs because a window is open then: at its own place in
// the first half of the window, but not later than it would by an interval.
func (b *beat) opening(after time.Time) time.Time {
	var first time.Time
	for _, w := range b.windows {
		_, lasts := w.Next(after)
		own := b.own(min(lasts/2, b.interval(after)))
		opens, _ := w.Next(after.Add(-own))
		if opens.IsZero() {
			continue
		}
		if at := opens.Add(own); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// thisBoot names the boot of the machine, "" where the kernel does not.
func thisBoot() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// next tells when a run comes by itself.
func (b *beat) next(now time.Time) *nextRun {
	phase := b.phase(now)
	n := &nextRun{At: b.plan.Next(now.Add(-phase)).Add(phase).UTC(), Why: "schedule", Schedule: b.plan.String(), Timezone: b.settings.Timezone}
	if n.Timezone == "" {
		n.Timezone = "UTC"
	}
	n.Latest = n.At.Add(b.jitter(now))
	if opens := b.opening(now); !opens.IsZero() && opens.Before(n.At) {
		n.At, n.Latest, n.Why = opens.UTC(), opens.UTC(), "window"
	}
	return n
}

const (
	// patience is how many runs in a row may be due and hear nothing of the source, and
	// quiet how long that may be at least: a controller that is being upgraded is no
	// reason to wake anybody.
	patience = 3
	quiet    = time.Hour
)

// silence is a source that was not heard of for too long.
type silence struct {
	// Since is when it last was, or when the machine was started, where no run came since.
	Since time.Time `json:"since"`
	// For is how long that is, in nanoseconds, and Due how many runs were due in that
	// time at least.
	For time.Duration `json:"for"`
	Due int           `json:"due"`
	// Reason is what went wrong in the last run, or that none came.
	Reason string `json:"reason"`
}

// silence tells whether the source was not heard of for too long, nil where it was or
// where no run ever came.
func (b *beat) silence(st *agent.Status, booted time.Time) *silence {
	r := st.LastRun
	if r == nil || r.Contact.IsZero() {
		return nil // such a run came to no end, and is told of as that
	}
	q := &silence{Since: r.Contact, Due: patience, Reason: r.NoContact}
	if q.Reason == "" {
		q.Reason = "no run came since; is the service on?"
		// A machine that was off heard nobody.
		if booted.After(q.Since) {
			q.Since = booted.UTC()
		}
	}
	due := q.Since
	for range patience {
		due = b.plan.Next(due)
	}
	q.For = st.Now.Sub(q.Since)
	if due.IsZero() || q.For <= quiet || !st.Now.After(due.Add(b.spread(due)+b.jitter(due))) {
		return nil
	}
	return q
}

// started is when the machine was, the zero time where the kernel does not say.
func started() time.Time {
	data, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return time.Time{}
	}
	up, _, _ := strings.Cut(string(data), " ")
	seconds, err := strconv.ParseFloat(up, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(seconds * float64(time.Second)))
}
