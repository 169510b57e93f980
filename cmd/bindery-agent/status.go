// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/release"
)

type statusOptions struct {
	options
	json bool
}

func newStatusCommand(s streams) *cobra.Command {
	o := &statusOptions{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show who this host is, what is in force, what the last run found, and when the next one comes",
		Long: `Status reads what the agent keeps. It asks nobody and changes nothing. The JSON form
is described by docs/reference/status.schema.json.

The next run is by the schedule of agent.yaml or of the release, and by the windows of
its policy. Whether the service is on, which makes it, systemctl knows.

Exit codes:
  0  nothing is wrong: clean, paused, waiting for facts, or not run yet; or all that
     is bad is only reported, by report mode of the host or of bundles
  1  entries are bad, the last run failed or was killed, a release was taken back or is
     not accepted, reports were given up: refused for good, damaged, or too many; a
     probe keeps the host's facts back; or nothing was heard of the source for over
     an hour in which three runs were due
  2  wrong use, or the host is not enrolled
  3  cannot do it (storage)
  4  refused for trust
  130  interrupted`,
		Example: `  bindery-agent status
  bindery-agent status --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runStatus(o, s) },
	}
	o.addFlags(cmd.Flags(), s)
	o.addFormat(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "the same as --format json")
	return cmd
}

// status is what the JSON form shows.
type status struct {
	*agent.Status
	// Next is the next run, absent where nobody can tell.
	Next *nextRun `json:"next,omitempty"`
	// Silence tells that the source was not heard of for too long, absent where it was.
	Silence *silence `json:"silence,omitempty"`
}

// nextRun is when a run comes by itself.
type nextRun struct {
	// At is when, where the service is on; by chance it may come until Latest.
	At     time.Time `json:"at"`
	Latest time.Time `json:"latest"`
	// Why is "schedule", or "window" where it comes because a window opens.
	Why string `json:"why"`
	// Schedule and Timezone are the schedule in force.
	Schedule string `json:"schedule"`
	Timezone string `json:"timezone"`
}

func runStatus(o *statusOptions, s streams) error {
	if o.json {
		o.format = "json"
	}
	a, settings, stop, err := o.open(slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer stop()
	st := status{}
	if st.Status, err = a.Status(); err != nil {
		return failed(err)
	}
	b := &beat{agent: a, settings: settings}
	switch err := b.read(); {
	case err == nil:
		st.Next = b.next(st.Now)
		st.Silence = b.silence(st.Status, started())
	case st.ReleaseError == "":
		return err
	}
	if o.format == "json" {
		err = writeJSON(s.Out, st)
	} else {
		err = writeStatus(s.Out, &st)
	}
	if err == nil && (!st.Well() || st.Silence != nil) {
		return quietly(exitFindings)
	}
	return err
}

// writeStatus is for people.
func writeStatus(w io.Writer, st *status) error {
	line := func(what, text string, args ...any) {
		fmt.Fprintf(w, "%-11s"+text+"\n", append([]any{what}, args...)...)
	}
	line("host", "%s", printable(st.Host))
	line("host id", "%s", st.HostID)
	line("agent", "%s", st.Agent)
	line("controller", "%s", st.URL)
	writeContact(line, st)
	writeForce(line, st)
	writeWhy(line, st)
	writeLast(w, line, st)
	if n := st.Next; n != nil {
		why := fmt.Sprintf("schedule %s, %s", n.Schedule, n.Timezone)
		if n.Why == "window" {
			why = "a window opens"
		}
		line("next run", "%s, where the service is on (%s)", n.At.Format(time.RFC3339), why)
	}
	if st.Report == nil {
		return nil
	}
	for _, f := range st.Report.StaleFacts {
		line("stale", "%s since %s: %s", printable(f.Probe), f.Since.Format(time.RFC3339), printable(f.Reason))
	}
	for _, item := range st.Report.Bad {
		cause := ""
		if item.Cause == agent.CauseDrift {
			cause = "drift: "
		}
		fmt.Fprintf(w, "  bad      %s  %s%s\n", printable(item.Key.String()), cause, printable(item.Reason))
	}
	return nil
}

type liner func(what, text string, args ...any)

// writeContact tells of the source, and of what waits for it.
func writeContact(line liner, st *status) {
	if r := st.LastRun; r != nil {
		if !r.Contact.IsZero() {
			line("contact", "%s", r.Contact.Format(time.RFC3339))
		}
		if r.NoContact != "" {
			line("no contact", "%s", printable(r.NoContact))
		}
	}
	if q := st.Silence; q != nil && st.LastRun != nil {
		text := fmt.Sprintf("the source was not heard of for %s, in which %d runs or more were due", q.For.Round(time.Minute), q.Due)
		if q.Reason != st.LastRun.NoContact {
			text += ": " + q.Reason
		}
		line("silence", "%s", text)
	}
	if st.Unsent > 0 {
		line("unsent", "%d reports wait for the controller", st.Unsent)
	}
	if l := st.Lost; l != nil {
		line("lost", "%d reports that the controller will not see, the last at %s: %s", l.Reports, l.Last.Format(time.RFC3339), printable(l.Reason))
	}
	if c := st.Clock; c != nil {
		line("clock", "is behind by %s at least: something was signed at %s", c.Behind.Round(time.Second), c.Floor.Format(time.RFC3339))
	}
}

// writeForce tells what is in force, and who says so.
func writeForce(line liner, st *status) {
	if st.ReleaseError != "" {
		line("release", "is not accepted: %s", printable(st.ReleaseError))
	}
	f := st.Release
	if f == nil {
		return
	}
	line("release", "%d of commit %s (%s)", f.Sequence, printable(f.Commit), mode(f.Mode, f.ModeSince, st.Now))
	line("digests", "configuration %.12s, policy %.12s, bundle %.12s", f.ConfigDigest, f.PolicyDigest, f.Sealed)
	line("verified", "%s under root %d; fresh until %s", f.Verified.Format(time.RFC3339), f.Root, f.Expires.Format(time.RFC3339))
	for _, b := range f.Reported {
		line("reported", "%s (%s)", printable(b.Bundle), mode(release.ModeReport, b.Since, st.Now))
	}
	if len(st.Windows) > 0 {
		words := make([]string, len(st.Windows))
		for i, w := range st.Windows {
			words[i] = w.String()
		}
		line("windows", "%s, now %s", strings.Join(words, ", "), map[bool]string{true: "open", false: "closed"}[st.Open])
	}
}

// writeWhy tells why runs change nothing, or what may be taken back.
func writeWhy(line liner, st *status) {
	if p := st.Paused; p != nil {
		line("paused", "until %s: %s", p.Until.Format(time.RFC3339), printable(p.Reason))
	}
	if h := st.Held; h != nil {
		line("held", "%s", printable(h.Reason))
	}
	if u := st.Unconfirmed; u != nil {
		line("waiting", "run %d is taken back unless the source is reached within %s", u.Run, u.Within)
	}
	if st.Running != 0 {
		line("running", "process %d is at work", st.Running)
	}
	if st.Killed != 0 {
		line("killed", "run %d came to no end; the next one takes it up", st.Killed)
	}
}

func writeLast(w io.Writer, line liner, st *status) {
	r := st.LastRun
	if r == nil {
		line("last run", "none yet")
		return
	}
	how := string(r.State)
	if r.State == "" {
		how = "came to no end"
	}
	if r.Bad > 0 && r.Reported == r.Bad {
		how += ", all of it only reported"
	}
	if r.Error != "" {
		how += ": " + printable(r.Error)
	}
	if len(r.Flags) > 0 {
		how += " (" + printable(strings.Join(r.Flags, " ")) + ")"
	}
	line("last run", "%d at %s, in %s: %s", r.Run, r.Finished.Format(time.RFC3339), r.Finished.Sub(r.Started).Round(time.Millisecond), how)
	if rep := st.Report; rep != nil && !rep.Finished.IsZero() {
		line("last news", "%s", rep.Finished.Format(time.RFC3339))
	}
	if r.State != "" && r.Undoes == 0 {
		fmt.Fprintf(w, "%s: %d entries, %d good, %d bad, %d modified, %d extra, %d %s, %d drifted\n", r.State, r.Total, r.Good, r.Bad, r.Modified, r.Extra,
			r.NotVerified, driver.NotVerified, r.Drift)
	}
}

// mode tells since when a host only reports.
func mode(m release.Mode, since, now time.Time) string {
	if m != release.ModeReport || since.IsZero() {
		return string(m)
	}
	days := int(now.Sub(since).Hours() / 24)
	return fmt.Sprintf("%s since %s, %d days", m, since.Format(time.RFC3339), max(0, days))
}
