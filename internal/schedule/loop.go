// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// Config says what a Loop does when.
type Config struct {
	// Name is the job's name in the log.
	Name string
	// Schedule says when.
	Schedule Schedule
	// Phase moves every time by this much; see Phase.
	Phase time.Duration
	// Jitter moves each time by a random part of this. It should be well below
	// the interval.
	Jitter time.Duration
	// Timeout bounds one run. Zero: none.
	Timeout time.Duration
	// AtStart runs the job once at once.
	AtStart bool
	// Within spreads the run at the start: it comes after this much, or by the schedule
	// where that is sooner.
	Within time.Duration
	// Also gives one more time when the job is due after a time, the zero time for
	// none. Phase and Jitter do not move it. Nil: none.
	Also func(after time.Time) time.Time
	// Backoff bounds how much later than by its schedule a job comes that fails again
	// and again: twice as late each time. Zero: never later. A Wake comes at once all
	// the same.
	Backoff time.Duration
	// Tick is how often the clock is looked at while the job waits: timers stand still
	// while a machine sleeps, and know nothing of a clock that is set. What was due
	// meanwhile runs once. Zero: the timer is trusted.
	Tick time.Duration
	// Clock tells the time. The zero value: that of the machine.
	Clock Clock
	// Logger gets what a run ends with. Nil: none.
	Logger *slog.Logger
}

// Clock is where the time comes from.
type Clock struct {
	// Now is the time.
	Now func() time.Time
	// After gives the time once it has passed, unless it is stopped before.
	After func(time.Duration) (due <-chan time.Time, stop func())
}

// OrMachine fills in what is not there with the clock of the machine.
func (c Clock) OrMachine() Clock {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.After == nil {
		c.After = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTimer(d)
			return t.C, func() { t.Stop() }
		}
	}
	return c
}

// Loop runs one job by its schedule and when it is woken. A time that comes
// while the job still runs is skipped; a Wake that comes then makes it run once
// more. Run may be called once at a time, Wake from anywhere.
type Loop struct {
	c    Config
	wake chan struct{}
	// failures counts the runs that failed since one did not. Only Run uses it.
	failures int
}

// New makes a Loop.
func New(c Config) (*Loop, error) {
	if c.Schedule.inner == nil {
		return nil, errNoSchedule
	}
	if c.Phase < 0 || c.Jitter < 0 || c.Timeout < 0 || c.Backoff < 0 || c.Tick < 0 || c.Within < 0 {
		return nil, errors.New("schedule: negative duration")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Clock = c.Clock.OrMachine()
	return &Loop{c: c, wake: make(chan struct{}, 1)}, nil
}

// Wake makes the job run soon. It never blocks; many calls before the run are one.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Next is when the job is due after t, without jitter.
func (l *Loop) Next(t time.Time) time.Time {
	next := l.c.Schedule.Next(t.Add(-l.c.Phase))
	if next.IsZero() {
		return next
	}
	return next.Add(l.c.Phase)
}

// Run runs the job until ctx ends, and returns ctx's error after the last run
// has ended. What a run returns or panics with is logged and stops nothing.
func (l *Loop) Run(ctx context.Context, job func(context.Context) error) error {
	if l.c.AtStart {
		if err := l.first(ctx); err != nil {
			return err
		}
		l.once(ctx, job)
	}
	for {
		if err := l.wait(ctx, time.Time{}); err != nil {
			return err
		}
		l.once(ctx, job)
	}
}

// first waits for the run at the start.
func (l *Loop) first(ctx context.Context) error {
	if l.c.Within == 0 {
		return nil
	}
	return l.wait(ctx, l.c.Clock.Now().Round(0).Add(l.c.Within))
}

// Reschedule changes when the job is due. Only the job itself may call it.
func (l *Loop) Reschedule(s Schedule, phase, jitter time.Duration) error {
	if s.inner == nil || phase < 0 || jitter < 0 {
		return errNoSchedule
	}
	l.c.Schedule, l.c.Phase, l.c.Jitter = s, phase, jitter
	return nil
}

// wait waits until the job is due, but no longer than to a time, unless it is zero.
func (l *Loop) wait(ctx context.Context, most time.Time) error {
	// Without the monotonic part a time is what clocks show, also after a sleep.
	now := l.c.Clock.Now().Round(0)
	due := sooner(most, l.due(now))
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		woken, err := l.until(ctx, now, due)
		if woken || err != nil || l.c.Tick == 0 {
			return err
		}
		last := now
		now = l.c.Clock.Now().Round(0)
		if now.Before(last) {
			// Set back: what was due would be far away.
			if !most.IsZero() {
				most = now.Add(l.c.Within)
			}
			due = sooner(most, l.due(now))
		}
		if !due.IsZero() && !now.Before(due) {
			return nil
		}
	}
}

// due is when the job is due after a time, the zero time for never.
func (l *Loop) due(now time.Time) time.Time {
	next := l.Next(now)
	if !next.IsZero() {
		next = next.Add(l.late(now) + l.jitter())
	}
	if l.c.Also == nil {
		return next
	}
	return sooner(next, l.c.Also(now))
}

// sooner is the earlier of two times, of which the zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// until waits until something is due, but no longer than a tick. It tells whether the
// loop was woken.
func (l *Loop) until(ctx context.Context, now, due time.Time) (woken bool, err error) {
	var over <-chan time.Time
	if !due.IsZero() || l.c.Tick > 0 {
		wait := due.Sub(now)
		if l.c.Tick > 0 && (due.IsZero() || wait > l.c.Tick) {
			wait = l.c.Tick
		}
		var stop func()
		over, stop = l.c.Clock.After(wait)
		defer stop()
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-l.wake:
		return true, nil
	case <-over:
		return false, nil
	}
}

// late is how much later a job comes that failed: one interval after the second
// failure in a row, then twice as much each time.
func (l *Loop) late(now time.Time) time.Duration {
	if l.failures < 2 || l.c.Backoff == 0 {
		return 0
	}
	late := l.c.Schedule.Interval(now)
	for range l.failures - 2 {
		if late >= l.c.Backoff {
			break
		}
		late *= 2
	}
	return min(late, l.c.Backoff)
}

func (l *Loop) jitter() time.Duration {
	if l.c.Jitter == 0 {
		return 0
	}
	return rand.N(l.c.Jitter)
}

func (l *Loop) once(stopped context.Context, job func(context.Context) error) {
	if stopped.Err() != nil {
		return
	}
	ctx := stopped
	if l.c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.c.Timeout)
		defer cancel()
	}
	start := time.Now()
	err := guard(ctx, job)
	if stopped.Err() != nil && errors.Is(err, stopped.Err()) {
		l.c.Logger.Info("job was stopped", "job", l.c.Name, "dur", time.Since(start))
		return
	}
	if err != nil {
		l.failures++
		l.c.Logger.Error("job ended with an error", "job", l.c.Name, "dur", time.Since(start), "err", err)
		return
	}
	l.failures = 0
	l.c.Logger.Debug("job done", "job", l.c.Name, "dur", time.Since(start))
}

// guard keeps a panic of one run from ending the program: the next run starts
// from what is stored, like after a restart.
func guard(ctx context.Context, job func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return job(ctx)
}
