// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/schedule"
)

func TestParseRefusesWhatTheLibraryTrips(t *testing.T) {
	for _, expr := range []string{
		"", "nonsense", "TZ=0", "CRON_TZ=UTC", "TZ=", "TZ=UTC 0 0 * * *", "@every -1s", "@every 0s", "@every 1ms",
		"@every x", "0 0 30 2 *", "* * * * * *", "61 * * * *", "@reboot",
	} {
		_, err := schedule.Parse(expr, "")
		require.Error(t, err, expr)
	}
	_, err := schedule.Parse("@hourly", "Atlantis/Center")
	require.Error(t, err)
}

func TestNext(t *testing.T) {
	at := time.Date(2026, 3, 28, 23, 59, 30, 0, time.UTC)
	for _, c := range []struct{ expr, zone, want string }{
		{"*/5 * * * *", "", "2026-03-29T00:00:00Z"},
		{"@every 10m", "", "2026-03-29T00:00:00Z"},
		{"@daily", "Asia/Tokyo", "2026-03-29T15:00:00Z"},
		// 02:30 does not exist in Berlin that night: it is when clocks go forward.
		{"30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"},
		{"30 2 * * 1-5", "Europe/Berlin", "2026-03-30T00:30:00Z"},
		{"30 3 * * *", "Europe/Berlin", "2026-03-29T01:30:00Z"},
		{"0 12 29 2 *", "Europe/Berlin", "2028-02-29T11:00:00Z"},
	} {
		s, err := schedule.Parse(c.expr, c.zone)
		require.NoError(t, err, c.expr)
		require.Equal(t, c.want, s.Next(at).UTC().Format(time.RFC3339), c.expr)
	}
	s, err := schedule.Parse("@hourly", "")
	require.NoError(t, err)
	require.Equal(t, time.Hour, s.Interval(at))
	require.Equal(t, "@hourly", s.String())
}

// On the days when clocks are changed every time of a wall's clock comes once, and every
// hour when there is one. In Santiago it is midnight that does not exist.
func TestChangesOfClocks(t *testing.T) {
	for _, c := range []struct{ expr, zone, from, want string }{
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "29T01:00 30T00:30 31T00:30"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "25T00:30 26T01:30 27T01:30"},
		{"0 2,3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "25T00:00 25T02:00 26T01:00"},
		{"30 2,4 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "29T01:00 29T02:30 30T00:30"},
		{"30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "29T00:30 29T01:30 29T02:30"},
		{"30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "25T00:30 25T01:30 25T02:30"},
		{"*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", "29T00:30 29T01:00 29T01:30"},
		{"@daily", "America/Santiago", "2026-09-05T12:00:00Z", "06T04:00 07T03:00 08T03:00"},
		{"@weekly", "America/Santiago", "2026-09-05T12:00:00Z", "06T04:00 13T03:00 20T03:00"},
		{"30 2 * * *", "UTC", "2026-03-28T12:00:00Z", "29T02:30 30T02:30 31T02:30"},
	} {
		s, err := schedule.Parse(c.expr, c.zone)
		require.NoError(t, err, c.expr)
		at, err := time.Parse(time.RFC3339, c.from)
		require.NoError(t, err)
		var got []string
		for range 3 {
			at = s.Next(at)
			got = append(got, at.UTC().Format("02T15:04"))
		}
		require.Equal(t, c.want, strings.Join(got, " "), "%s in %s", c.expr, c.zone)
	}
}

func TestPhaseIsStableAndSpread(t *testing.T) {
	buckets := make([]int, 10)
	for i := range 1000 {
		key := fmt.Sprintf("web%03d", i)
		p := schedule.Phase(key, time.Hour)
		require.Equal(t, p, schedule.Phase(key, time.Hour))
		require.Less(t, p, time.Hour)
		buckets[p/(6*time.Minute)]++
	}
	for _, n := range buckets {
		require.Greater(t, n, 50)
	}
	require.Zero(t, schedule.Phase("x", 0))
}

// loop runs job for d of fake time and gives when it ran, from the start.
func loop(t *testing.T, c schedule.Config, expr string, d time.Duration, job func(ctx context.Context, n int) error) []time.Duration {
	t.Helper()
	var runs []time.Duration
	var err error
	c.Schedule, err = schedule.Parse(expr, "")
	require.NoError(t, err)
	l, err := schedule.New(c)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	start := time.Now()
	err = l.Run(ctx, func(ctx context.Context) error {
		runs = append(runs, time.Since(start))
		return job(ctx, len(runs))
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	return runs
}

func nothing(context.Context, int) error { return nil }

func TestLoopKeepsItsPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := loop(t, schedule.Config{Phase: 7 * time.Minute}, "@hourly", 24*time.Hour, nothing)
		require.Len(t, runs, 24)
		for i, at := range runs {
			require.Equal(t, time.Duration(i)*time.Hour+7*time.Minute, at)
		}
	})
}

func TestLoopSkipsWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := loop(t, schedule.Config{AtStart: true}, "@every 10m", 55*time.Minute, func(_ context.Context, n int) error {
			if n == 1 {
				time.Sleep(25 * time.Minute)
			}
			return nil
		})
		require.Equal(t, []time.Duration{0, 30 * time.Minute, 40 * time.Minute, 50 * time.Minute}, runs)
	})
}

func TestLoopSurvivesPanicsAndErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := schedule.Config{Name: "poll", Logger: slog.New(slog.NewTextHandler(&log, nil))}
		runs := loop(t, c, "@hourly", 3*time.Hour+time.Minute, func(_ context.Context, n int) error {
			if n == 1 {
				panic("boom")
			}
			return errors.New("no network")
		})
		require.Len(t, runs, 3)
		require.Contains(t, log.String(), "boom")
		require.Contains(t, log.String(), "no network")
	})
}

// Who stops a program amid a run has done nothing wrong, nor has the run.
func TestLoopTellsAStopFromAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := schedule.Config{Name: "run", AtStart: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		runs := loop(t, c, "@hourly", time.Minute, func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return fmt.Errorf("fetch: %w", ctx.Err())
		})
		require.Len(t, runs, 1)
		require.Contains(t, log.String(), `level=INFO msg="job was stopped" job=run`)
		require.NotContains(t, log.String(), "level=ERROR")
	})
}

func TestLoopTimeoutAndJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := schedule.Config{Timeout: time.Minute, Jitter: 5 * time.Minute}
		runs := loop(t, c, "@hourly", 10*time.Hour, func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		})
		require.GreaterOrEqual(t, len(runs), 9)
		for _, at := range runs {
			require.Less(t, at%time.Hour, 5*time.Minute)
		}
	})
}

func TestLoopComesLaterWhileItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := loop(t, schedule.Config{Backoff: 10 * time.Minute}, "@every 1m", 40*time.Minute+time.Second, func(_ context.Context, n int) error {
			if n < 8 {
				return errors.New("down")
			}
			return nil
		})
		var minutes []int
		for _, at := range runs {
			minutes = append(minutes, int(at/time.Minute))
		}
		require.Equal(t, []int{1, 2, 4, 7, 12, 21, 32}, minutes)
		_, err := schedule.New(schedule.Config{Backoff: -1})
		require.Error(t, err)
	})
}

func TestWakeRunsOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := schedule.Parse("@daily", "")
		require.NoError(t, err)
		l, err := schedule.New(schedule.Config{Schedule: s})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		done := make(chan error)
		go func() {
			done <- l.Run(ctx, func(context.Context) error {
				runs++
				time.Sleep(time.Minute)
				return nil
			})
		}()
		l.Wake()
		synctest.Wait() // it runs
		l.Wake()
		l.Wake()
		time.Sleep(5 * time.Minute)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.Equal(t, 2, runs)
	})
}

func TestNewNeedsASchedule(t *testing.T) {
	_, err := schedule.New(schedule.Config{})
	require.Error(t, err)
	s, err := schedule.Parse("@hourly", "")
	require.NoError(t, err)
	_, err = schedule.New(schedule.Config{Schedule: s, Jitter: -1})
	require.Error(t, err)
}

// walls is a clock that can be set, and a machine that can sleep: it shows other times
// than its timers count.
type walls struct {
	start time.Time
	// moved is by how much the clock was set, after how long.
	moved []struct{ after, by time.Duration }
}

func (w walls) now() time.Time {
	since := time.Since(w.start)
	now := w.start.Add(since).Round(0)
	for _, m := range w.moved {
		if since >= m.after {
			now = now.Add(m.by)
		}
	}
	return now
}

// The clock is set or the machine sleeps while the job waits.
func TestLoopFollowsTheClock(t *testing.T) {
	for name, c := range map[string]struct {
		after, by time.Duration
		want      []time.Duration
	}{
		// Five runs were missed: one comes, and then by the clock.
		"asleep for five hours": {10 * time.Minute, 5*time.Hour + 5*time.Minute, []time.Duration{10 * time.Minute, 55 * time.Minute, 115 * time.Minute}},
		"set forward a little":  {10 * time.Minute, 20 * time.Minute, []time.Duration{40 * time.Minute, 100 * time.Minute}},
		// By the old clock the next run would be a day away.
		"set back a day": {10 * time.Minute, -24 * time.Hour, []time.Duration{60 * time.Minute, 120 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := walls{start: time.Now()}
				w.moved = append(w.moved, struct{ after, by time.Duration }{c.after, c.by})
				clock := schedule.Clock{Now: w.now}
				require.Equal(t, c.want, loop(t, schedule.Config{Tick: 30 * time.Second, Clock: clock}, "@hourly", 130*time.Minute, nothing))
			})
		})
	}
}

func TestLoopIsRescheduledByItsJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hourly, err := schedule.Parse("@hourly", "")
		require.NoError(t, err)
		often, err := schedule.Parse("@every 10m", "")
		require.NoError(t, err)
		l, err := schedule.New(schedule.Config{Schedule: hourly, AtStart: true})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 95*time.Minute)
		defer cancel()
		start, runs := time.Now(), []time.Duration{}
		require.ErrorIs(t, l.Run(ctx, func(context.Context) error {
			runs = append(runs, time.Since(start))
			if len(runs) == 2 {
				return l.Reschedule(often, time.Minute, 0)
			}
			return nil
		}), context.DeadlineExceeded)
		require.Equal(t, []time.Duration{0, time.Hour, 61 * time.Minute, 71 * time.Minute, 81 * time.Minute, 91 * time.Minute}, runs)
		require.Error(t, l.Reschedule(schedule.Schedule{}, 0, 0))
	})
}

// Machines that start together take turns, but the schedule is kept, and a clock that
// is set meanwhile does not keep the first run away.
func TestLoopSpreadsTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		within time.Duration
		after  time.Duration
		by     time.Duration
		want   []time.Duration
	}{
		"takes turns":          {within: 4 * time.Minute, want: []time.Duration{4 * time.Minute, 60 * time.Minute}},
		"by schedule first":    {within: 90 * time.Minute, want: []time.Duration{60 * time.Minute}},
		"the clock comes late": {within: 4 * time.Minute, after: time.Minute, by: 56 * 365 * 24 * time.Hour, want: []time.Duration{time.Minute, 60 * time.Minute}},
		"set back":             {within: 4 * time.Minute, after: time.Minute, by: -56 * 365 * 24 * time.Hour, want: []time.Duration{5 * time.Minute, 60 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := walls{start: time.Now()}
				w.moved = append(w.moved, struct{ after, by time.Duration }{c.after, c.by})
				config := schedule.Config{AtStart: true, Within: c.within, Tick: 30 * time.Second, Clock: schedule.Clock{Now: w.now}}
				require.Equal(t, c.want, loop(t, config, "@hourly", 119*time.Minute, nothing))
			})
		})
	}
	_, err := schedule.New(schedule.Config{Within: -1})
	require.Error(t, err)
}

// What has a time of its own besides comes then as well, and moves nothing else.
func TestLoopComesAlso(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		once := start.Add(70 * time.Minute)
		runs := loop(t, schedule.Config{Also: func(after time.Time) time.Time {
			if after.Before(once) {
				return once
			}
			return time.Time{}
		}}, "@hourly", 3*time.Hour+time.Minute, nothing)
		require.Equal(t, []time.Duration{60 * time.Minute, 70 * time.Minute, 120 * time.Minute, 180 * time.Minute}, runs)
	})
}
