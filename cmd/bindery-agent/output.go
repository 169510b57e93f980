// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-isatty"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/release"
)

// show prints a run: a line for each entry that is not good or was changed, and a
// summary.
func show(w io.Writer, r *agent.Result, format string, plan bool) error {
	if format == "json" {
		return writeJSON(w, jsonResult(r))
	}
	soft, alike := map[string]int{}, map[string][]string{}
	if !plan {
		alike = sameReason(r.Lines)
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		switch {
		case l.State == driver.NotVerified && len(alike[l.Reason]) > fewLines:
		case l.State == driver.Correct && l.Changed:
			writeLine(w, "changed", l, l.Was)
		case l.State == driver.Correct && len(l.Unverified) > 0:
			soft[strings.Join(l.Unverified, ", ")]++
		case l.State != driver.Correct:
			writeLine(w, string(l.State), l, l.Reason)
		}
		for _, name := range l.Extra {
			fmt.Fprintf(w, "%-13s%s\n", "extra", printable(name))
		}
		if plan && l.Diff != "" {
			writeDiff(w, l.Diff)
		}
	}
	for _, reason := range sorted(alike) {
		if names := alike[reason]; len(names) > fewLines {
			fmt.Fprintf(w, "%-13s%d entries: %s (%s)\n", driver.NotVerified, len(names), printable(reason), some(names))
		}
	}
	for _, what := range sorted(soft) {
		fmt.Fprintf(w, "%-13s%s (entries: %d; no privilege, or no such names, under this root)\n", driver.NotVerified, what, soft[what])
	}
	if r.Waiting {
		fmt.Fprintln(w, "waiting for facts: the controller has no configuration for this host yet")
	}
	writeSummary(w, &r.Report)
	return nil
}

// fewLines is how many entries that nobody looked at for the same reason have a
// line each.
const fewLines = 2

// sameReason gathers the entries that nobody looked at, by why: a host has hundreds
// of packages, and what its driver lacks is one message.
func sameReason(lines []agent.Line) map[string][]string {
	out := map[string][]string{}
	for i := range lines {
		if l := &lines[i]; l.State == driver.NotVerified && len(l.Extra) == 0 {
			out[l.Reason] = append(out[l.Reason], l.Key.Name)
		}
	}
	return out
}

// some names the first few.
func some(names []string) string {
	const most = 6
	rest := ""
	if len(names) > most {
		rest = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return printable(strings.Join(names, ", ")) + rest
}

func writeLine(w io.Writer, state string, l *agent.Line, reason string) {
	where := ""
	if l.Bundle != "" {
		where = " (" + printable(l.Bundle) + ")"
	}
	if reason != "" {
		reason = "  " + printable(reason)
	}
	fmt.Fprintf(w, "%-13s%s%s%s\n", state, printable(l.Key.String()), where, reason)
}

// writeDiff indents a difference and keeps control characters of file contents
// away from the terminal.
func writeDiff(w io.Writer, diff string) {
	for line := range strings.Lines(diff) {
		fmt.Fprintln(w, "    "+strings.Map(func(r rune) rune {
			if r != '\t' && !unicode.IsPrint(r) {
				return '\uFFFD'
			}
			return r
		}, strings.TrimSuffix(line, "\n")))
	}
}

func writeSummary(w io.Writer, rep *release.Report) {
	fmt.Fprintf(w, "%s: %d entries, %d good, %d bad, %d modified, %d extra, %d not verified\n", rep.State,
		rep.Total, rep.Good, len(rep.Bad), len(rep.Modified), len(rep.Extra), len(rep.NotVerified))
}

// printable quotes what would disturb a terminal or the line.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// result is the JSON form of a run: the report, and the entries.
type result struct {
	*agent.Result
	FetchError string `json:"fetch_error,omitempty"`
}

func jsonResult(r *agent.Result) result {
	out := result{Result: r}
	if r.Fetch != nil {
		out.FetchError = r.Fetch.Error()
	}
	return out
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// busy shows on a terminal that something is going on, from the first second on,
// until the function that it returns is called.
func busy(w io.Writer, what string) (done func()) {
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-stop:
				if n > 1 {
					fmt.Fprint(f, "\r\x1b[K")
				}
				return
			case <-tick.C:
				fmt.Fprintf(f, "\r%s … %d s", what, n)
			}
		}
	}()
	return func() { close(stop); <-stopped }
}
