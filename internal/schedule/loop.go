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
	// Logger gets what a run ends with. Nil: none.
	Logger *slog.Logger
}

// Loop runs one job by its schedule and when it is woken. A time that comes
// while the job still runs is skipped; a Wake that comes then makes it run once
// more. Run may be called once at a time, Wake from anywhere.
type Loop struct {
	c    Config
	wake chan struct{}
}

// New makes a Loop.
func New(c Config) (*Loop, error) {
	if c.Schedule.inner == nil {
		return nil, errNoSchedule
	}
	if c.Phase < 0 || c.Jitter < 0 || c.Timeout < 0 {
		return nil, errors.New("schedule: negative duration")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
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
		l.once(ctx, job)
	}
	for {
		if err := l.wait(ctx); err != nil {
			return err
		}
		l.once(ctx, job)
	}
}

func (l *Loop) wait(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := time.Now()
	var due <-chan time.Time
	if next := l.Next(now); !next.IsZero() {
		timer := time.NewTimer(next.Sub(now) + l.jitter())
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-l.wake:
	case <-due:
	}
	return nil
}

func (l *Loop) jitter() time.Duration {
	if l.c.Jitter == 0 {
		return 0
	}
	return rand.N(l.c.Jitter)
}

func (l *Loop) once(ctx context.Context, job func(context.Context) error) {
	if ctx.Err() != nil {
		return
	}
	if l.c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.c.Timeout)
		defer cancel()
	}
	start := time.Now()
	if err := guard(ctx, job); err != nil {
		l.c.Logger.Error("job ended with an error", "job", l.c.Name, "dur", time.Since(start), "err", err)
		return
	}
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
