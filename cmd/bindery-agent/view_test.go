// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

func line(name string, state driver.State, words ...string) agent.Line {
	l := agent.Line{Key: config.Key{Tag: "Path", Name: name}, Bundle: "b", State: state}
	for _, w := range words {
		if l.Changed = state == driver.Correct; l.Changed {
			l.Was = w
		}
		l.Reason = w
	}
	return l
}

// What was told as it happened is not told again at the end, unless it became wrong
// since.
func TestEntriesAreToldOnce(t *testing.T) {
	good, bad, later := line("/good", driver.Correct, "was wrong"), line("/bad", driver.Missing, "no"), line("/later", driver.Correct, "was wrong")
	good.Diff = "-a\n+b\n"
	var out bytes.Buffer
	v := (&display{diff: true}).viewer(streams{Out: &out}, "text", false)
	for _, l := range []agent.Line{good, bad, later} {
		v.told(&l)
	}
	require.Equal(t, "changed      Path:/good (b)  was wrong\n    -a\n    +b\nmissing      Path:/bad (b)  no\nchanged      Path:/later (b)  was wrong\n", out.String())
	out.Reset()
	clobbered := line("/later", driver.Incorrect, "content")
	require.NoError(t, v.result(&agent.Result{
		Lines:   []agent.Line{good, bad, clobbered, line("/quiet", driver.Correct)},
		Surplus: []agent.Surplus{{Surplus: driver.Surplus{Kind: driver.Kind{Tag: "Package"}, Name: "gone", What: "1"}, Removed: true}, {Surplus: driver.Surplus{Kind: driver.Kind{Tag: "Package"}, Name: "quiet"}}},
		Report:  release.Report{State: release.StateDirty, Total: 4, Good: 2},
	}))
	require.Equal(t, "incorrect    Path:/later (b)  content\nremoved      Package:gone  1\ndirty: 4 entries, 2 good, 0 bad, 0 modified, 0 extra, 0 not verified\n", out.String())
}

// Who asks for more gets a line for all, what took long, and since when a host only
// reports; colours are for terminals, and never carry over.
func TestVerboseColours(t *testing.T) {
	var out bytes.Buffer
	v := (&display{verbose: true}).viewer(streams{Out: &out}, "text", false)
	require.False(t, v.colour, "a buffer is no terminal")
	v.colour = true
	wrong := line("/wrong", driver.Incorrect, "content")
	wrong.Diff = "@@ -1 +1 @@\n-a\n+b\n"
	since := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	require.NoError(t, v.result(&agent.Result{
		Lines:   []agent.Line{line("/good", driver.Correct), wrong},
		Surplus: []agent.Surplus{{Surplus: driver.Surplus{Kind: driver.Kind{Tag: "Package"}, Name: "quiet", What: "2"}}},
		Report:  release.Report{State: release.StateDirty, Mode: release.ModeReport, ModeSince: since, Finished: since.Add(75 * time.Hour), Reported: []release.Reported{{Bundle: "b", Since: since.Add(25 * time.Hour)}}, Phases: []release.Span{{Name: "install", Milliseconds: 7}}},
	}))
	for _, want := range []string{
		"\x1b[32mcorrect      \x1b[0mPath:/good", "\x1b[31mincorrect    \x1b[0m", "    \x1b[32m+b\x1b[0m\n", "    \x1b[36m@@ -1 +1 @@\x1b[0m\n",
		"phase        install  7 ms", "Package:quiet  2\n", "report since 2026-01-01T00:00:00Z, 3 days: this host plans and changes nothing",
		"report since 2026-01-02T01:00:00Z, 2 days: bundle b is looked at and not changed",
	} {
		require.Contains(t, out.String(), want)
	}
	out.Reset()
	require.NoError(t, v.result(&agent.Result{Report: release.Report{State: release.StatePaused, Error: "until noon: a reason"}}))
	require.Contains(t, out.String(), "paused: until noon: a reason\n", "why nothing was changed")
	for text := range strings.Lines(out.String()) {
		require.Equal(t, strings.Count(text, "\x1b[")%2, 0, text)
	}
}

// What is no clear yes is no, also where nobody is there any more; who is waited for
// can be interrupted.
func TestQuestions(t *testing.T) {
	var out bytes.Buffer
	ask := questions(strings.NewReader("y\nYES\n\nno\nyess\n y "), &out)
	for i, want := range []bool{true, true, false, false, false, false, false} {
		yes, err := ask(t.Context(), "change Path:/a")
		require.NoError(t, err)
		require.Equal(t, want, yes, i)
	}
	require.True(t, strings.HasPrefix(out.String(), "change Path:/a? [y/N] "))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, w := io.Pipe()
	defer w.Close()
	_, err := questions(r, &out)(ctx, "change Path:/a")
	require.ErrorIs(t, err, context.Canceled)
	_, err = asking(streams{In: strings.NewReader("y\n")})
	require.ErrorContains(t, err, "terminal")
}

// Runs by the schedule are of everything: what narrows one down, or asks, is misuse
// before anything is begun, and so is all that would have no effect.
func TestFlagsThatDoNotFit(t *testing.T) {
	for _, args := range [][]string{
		{"--bundle", "a"}, {"--entry", "Path:*"}, {"--quick"}, {"--interactive"}, {"--allow-removals"}, {"--remove", "everything"}, {"--once", "--remove", "paths"},
		{"--build"}, {"--diff"}, {"--once", "--interactive", "--format", "json"}, {"--verbose"}, {"--format", "json"}, {"--once", "--schedule", "@hourly"}, {"--dry-run", "--timezone", "UTC"},
		{"--once", "--remove", "all", "--bundle", "a"}, {"--dry-run", "--remove", "packages", "--entry", "Path:*"}, {"--once", "--remove", "users", "--not-bundle", "a"},
		// A variable of a script that is not set must not make a run of everything.
		{"--once", "--bundle", ""}, {"--once", "--bundle=a,,b"}, {"--once", "--not-bundle="},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"run", "--state", t.TempDir()}, args...), streams{Out: &out, Err: &errs})
		require.Equal(t, exitUsage, code, args)
		require.NotContains(t, errs.String(), "enrolled", args)
	}
}
