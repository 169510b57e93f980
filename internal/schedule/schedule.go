// SPDX-License-Identifier: Apache-2.0

// Package schedule says when something is due, and runs it then: cron
// expressions with a time zone, a phase of its own for every host, jitter, never
// twice at once. It is the only importer of robfig/cron. It must not know what
// it runs.
package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// minEvery is the shortest interval: the library turns anything below, even a
// negative one, silently into a second.
const minEvery = time.Second

// Schedule is a parsed expression. It is immutable and safe for concurrent use.
type Schedule struct {
	text  string
	inner cron.Schedule
}

// Parse reads a cron expression of five fields, a descriptor such as @hourly, or
// "@every 5m" (aligned to the clock), in the given time zone ("": UTC).
func Parse(expr, zone string) (s Schedule, err error) {
	expr = strings.TrimSpace(expr)
	// The library reads a zone from the expression itself and panics on some of
	// them; the zone has its own setting here.
	if strings.Contains(expr, "TZ=") {
		return Schedule{}, fmt.Errorf("schedule %q: give the time zone in its own setting", expr)
	}
	if zone == "" {
		zone = "UTC"
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: time zone: %w", expr, err)
	}
	defer func() {
		if r := recover(); r != nil {
			s, err = Schedule{}, fmt.Errorf("schedule %q: %v", expr, r)
		}
	}()
	if gap, ok := strings.CutPrefix(expr, "@every "); ok {
		return parseEvery(expr, gap)
	}
	inner, err := cron.ParseStandard(expr)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w", expr, err)
	}
	if spec, ok := inner.(*cron.SpecSchedule); ok {
		spec.Location = loc
		inner = wall{spec}
	}
	s = Schedule{text: expr, inner: inner}
	if s.Next(time.Unix(0, 0)).IsZero() {
		return Schedule{}, fmt.Errorf("schedule %q: never comes", expr)
	}
	return s, nil
}

func parseEvery(expr, gap string) (Schedule, error) {
	d, err := time.ParseDuration(strings.TrimSpace(gap))
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w", expr, err)
	}
	if d < minEvery {
		return Schedule{}, fmt.Errorf("schedule %q: shorter than %s", expr, minEvery)
	}
	return Schedule{text: expr, inner: every(d)}, nil
}

// every is aligned to the clock, unlike the library's, which counts from when it
// is asked: a phase then means something, and a restart moves nothing.
type every time.Duration

// Next implements cron.Schedule.
func (e every) Next(t time.Time) time.Time {
	d := time.Duration(e)
	return t.Truncate(d).Add(d)
}

// String gives the expression.
func (s Schedule) String() string { return s.text }

// Next is the first time after t; the zero time if there is none.
func (s Schedule) Next(t time.Time) time.Time {
	if s.inner == nil {
		return time.Time{}
	}
	return s.inner.Next(t)
}

// Interval is the gap between the next two times after t: the span over which
// hosts that share a schedule are spread.
func (s Schedule) Interval(t time.Time) time.Duration {
	first := s.Next(t)
	if first.IsZero() {
		return 0
	}
	second := s.Next(first)
	if second.IsZero() {
		return 0
	}
	return second.Sub(first)
}

// Phase is a key's own place within span: always the same, and spread evenly
// over many keys, so that a thousand hosts do not ask in the same second.
func Phase(key string, span time.Duration) time.Duration {
	if span <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(key))
	return time.Duration(binary.BigEndian.Uint64(sum[:8]) % uint64(span)).Truncate(time.Millisecond)
}

var errNoSchedule = errors.New("schedule: no expression")
