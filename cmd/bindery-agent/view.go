// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-isatty"
	"github.com/spf13/pflag"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// display says how a run is shown.
type display struct {
	diff    bool
	verbose bool
}

func (d *display) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&d.diff, "diff", false, "show what was changed in files")
	f.BoolVarP(&d.verbose, "verbose", "v", false, "a line for every entry, what took long, and --diff")
}

// viewer shows a run while it goes on, and at its end.
type viewer struct {
	display
	w      io.Writer
	format string
	plan   bool
	// colour is for terminals.
	colour bool
	// seen are the entries that there is a line for, and what it says.
	seen map[config.Key]string
}

func (d *display) viewer(s streams, format string, plan bool) *viewer {
	f, ok := s.Out.(*os.File)
	v := &viewer{display: *d, format: format, w: s.Out, plan: plan, seen: map[config.Key]string{}}
	v.colour = ok && isatty.IsTerminal(f.Fd()) && os.Getenv("NO_COLOR") == ""
	return v
}

// told shows an entry that was just worked on.
func (v *viewer) told(l *agent.Line) {
	state, reason := said(l)
	if state == "" {
		return
	}
	v.line(state, l, reason)
	v.seen[l.Key] = state
	if v.diff || v.verbose {
		v.difference(l.Diff)
	}
}

// said is what the line of an entry says: "" where there is nothing to say.
func said(l *agent.Line) (state, reason string) {
	cause := ""
	if l.Cause == agent.CauseDrift {
		cause = "drift: "
	}
	switch {
	case l.State == driver.Correct && l.Changed:
		return "changed", cause + l.Was
	case l.State != driver.Correct:
		return string(l.State), cause + l.Reason
	}
	return "", ""
}

// result prints what was not told yet, and a summary.
func (v *viewer) result(r *agent.Result) error {
	if v.format == "json" {
		return writeJSON(v.w, jsonResult(r))
	}
	soft, alike := map[string]int{}, map[string][]string{}
	if !v.plan && !v.verbose {
		alike = sameReason(r.Lines)
	}
	for i := range r.Lines {
		v.rest(&r.Lines[i], soft, alike)
	}
	for _, reason := range sorted(alike) {
		if names := alike[reason]; len(names) > fewLines {
			fmt.Fprintf(v.w, "%-13s%d entries: %s (%s)\n", driver.NotVerified, len(names), printable(reason), some(names))
		}
	}
	for _, what := range sorted(soft) {
		fmt.Fprintf(v.w, "%-13s%s (entries: %d; no privilege, or no such names, under this root)\n", driver.NotVerified, what, soft[what])
	}
	for i := range r.Surplus {
		v.surplus(&r.Surplus[i])
	}
	if r.Waiting {
		fmt.Fprintln(v.w, "waiting for facts: the controller has no configuration for this host yet")
	}
	if v.verbose {
		v.spans("phase", r.Report.Phases)
		v.spans("bundle", r.Report.Bundles)
	}
	writeMode(v.w, &r.Report)
	writeSummary(v.w, &r.Report)
	return nil
}

// rest shows an entry at the end of the run, unless that was said.
func (v *viewer) rest(l *agent.Line, soft map[string]int, alike map[string][]string) {
	state, reason := said(l)
	switch {
	case state != "" && v.seen[l.Key] == state:
	case l.State == driver.NotVerified && len(alike[l.Reason]) > fewLines:
	case state != "":
		v.line(state, l, reason)
		if v.plan || v.diff || v.verbose {
			v.difference(l.Diff)
		}
	case l.Due != "":
		v.line("due", l, l.Due)
	case len(l.Unverified) > 0:
		soft[strings.Join(l.Unverified, ", ")]++
	case v.verbose:
		v.line("correct", l, "")
	}
	for _, name := range l.Extra {
		fmt.Fprintf(v.w, "%-13s%s\n", "extra", printable(name))
	}
}

// surplus shows what nobody asks for: what came of it, or with --verbose that it is
// there. A host may hold thousands of them.
func (v *viewer) surplus(s *agent.Surplus) {
	l := &agent.Line{Key: config.Key{Tag: s.Kind.Tag, Name: s.Name}}
	switch {
	case s.Removed:
		v.line("removed", l, s.What)
	case s.Reason != "" || v.verbose:
		v.line("extra", l, strings.Trim(s.What+"; "+s.Reason, "; "))
	}
}

func (v *viewer) spans(what string, all []release.Span) {
	for _, s := range all {
		fmt.Fprintf(v.w, "%-13s%s  %d ms\n", what, printable(s.Name), s.Milliseconds)
	}
}

// colours of terminals, by what a line says.
func paint(state string) string {
	switch state {
	case "changed", "removed":
		return "\x1b[33m"
	case "correct":
		return "\x1b[32m"
	case string(driver.Incorrect), string(driver.Missing):
		return "\x1b[31m"
	}
	return "\x1b[2m"
}

func (v *viewer) line(state string, l *agent.Line, reason string) {
	where := ""
	if l.Bundle != "" {
		where = " (" + printable(l.Bundle) + ")"
	}
	if reason != "" {
		reason = "  " + printable(reason)
	}
	word := fmt.Sprintf("%-13s", state)
	if v.colour {
		word = paint(state) + word + "\x1b[0m"
	}
	fmt.Fprintf(v.w, "%s%s%s%s\n", word, printable(l.Key.String()), where, reason)
}

// difference indents a difference and keeps control characters of file contents
// away from the terminal.
func (v *viewer) difference(diff string) {
	for line := range strings.Lines(diff) {
		text := strings.Map(func(r rune) rune {
			if r != '\t' && !unicode.IsPrint(r) {
				return '\uFFFD'
			}
			return r
		}, strings.TrimSuffix(line, "\n"))
		start, end := "", ""
		if v.colour && text != "" && slices.Contains([]byte("+-@"), text[0]) {
			start, end = map[byte]string{'+': "\x1b[32m", '-': "\x1b[31m", '@': "\x1b[36m"}[text[0]], "\x1b[0m"
		}
		fmt.Fprintln(v.w, "    "+start+text+end)
	}
}

// writeMode says why nothing was changed.
func writeMode(w io.Writer, rep *release.Report) {
	if rep.State == release.StatePaused || rep.State == release.StateRolledBack {
		fmt.Fprintf(w, "%s: %s\n", rep.State, printable(rep.Error))
	}
	if rep.Mode == release.ModeReport {
		fmt.Fprintf(w, "%s: this host plans and changes nothing, as the policy says\n", mode(rep.Mode, rep.ModeSince, rep.Finished))
	}
	writeReported(w, rep.Reported, rep.Finished)
}

// writeReported names the bundles that are only reported.
func writeReported(w io.Writer, reported []release.Reported, now time.Time) {
	for _, b := range reported {
		fmt.Fprintf(w, "%s: bundle %s is looked at and not changed, as the policy says\n", mode(release.ModeReport, b.Since, now), printable(b.Bundle))
	}
}

func writeSummary(w io.Writer, rep *release.Report) {
	fmt.Fprintf(w, "%s: %d entries, %d good, %d bad, %d modified, %d extra, %d not verified\n", rep.State,
		rep.Total, rep.Good, len(rep.Bad), len(rep.Modified), len(rep.Extra), len(rep.NotVerified))
}
