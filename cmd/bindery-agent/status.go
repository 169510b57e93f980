// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/engine/release"
)

func newStatusCommand(s streams) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show who this host is and what the last run found",
		Long: `Status reads what the agent keeps. It asks nobody and changes nothing.
` + exitHelp,
		Example: `  bindery-agent status
  bindery-agent status --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runStatus(o, s) },
	}
	o.addFlags(cmd.Flags())
	o.addFormat(cmd.Flags())
	return cmd
}

// status is what the JSON form shows.
type status struct {
	agent.Enrolment
	// Last is absent before the first run.
	Last *release.Report `json:"last,omitempty"`
	// Paused and Held are why runs change nothing.
	Paused *agent.Paused `json:"paused,omitempty"`
	Held   *agent.Held   `json:"held,omitempty"`
	// Unconfirmed is a change after which the source was not reached yet.
	Unconfirmed *agent.Unconfirmed `json:"unconfirmed,omitempty"`
}

func runStatus(o *options, s streams) error {
	a, _, stop, err := o.open(slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer stop()
	st := status{Enrolment: a.Enrolment()}
	if st.Last, err = a.Last(); err != nil {
		return failed(err)
	}
	if st.Paused, err = a.Paused(); err != nil {
		return failed(err)
	}
	if st.Held, err = a.Held(); err != nil {
		return failed(err)
	}
	if st.Unconfirmed, err = a.Unconfirmed(); err != nil {
		return failed(err)
	}
	if o.format == "json" {
		return writeJSON(s.Out, st)
	}
	fmt.Fprintf(s.Out, "host       %s\nhost id    %s\ncontroller %s\n", printable(st.Host), st.HostID, st.URL)
	if p := st.Paused; p != nil {
		fmt.Fprintf(s.Out, "paused     until %s: %s\n", p.Until.Format(time.RFC3339), printable(p.Reason))
	}
	if h := st.Held; h != nil {
		fmt.Fprintf(s.Out, "held       %s\n", printable(h.Reason))
	}
	if u := st.Unconfirmed; u != nil {
		fmt.Fprintf(s.Out, "waiting    run %d is taken back unless the source is reached within %s\n", u.Run, u.Within)
	}
	if st.Last == nil {
		_, err = fmt.Fprintln(s.Out, "last run   none yet")
		return err
	}
	rep := st.Last
	fmt.Fprintf(s.Out, "release    %d of commit %s (%s)\nlast news  %s\n", rep.Sequence, printable(rep.Commit), mode(rep), rep.Finished.Format(time.RFC3339))
	writeReported(s.Out, rep)
	writeSummary(s.Out, rep)
	for _, item := range rep.Bad {
		fmt.Fprintf(s.Out, "  bad      %s  %s\n", printable(item.Key.String()), printable(item.Reason))
	}
	return nil
}

// mode tells since when a host only reports.
func mode(rep *release.Report) string {
	if rep.Mode != release.ModeReport {
		return string(rep.Mode)
	}
	return dated(rep.Mode, rep.ModeSince, rep)
}

// dated tells since when something has a mode, as of a report.
func dated(m release.Mode, since time.Time, rep *release.Report) string {
	if since.IsZero() {
		return string(m)
	}
	days := int(rep.Finished.Sub(since).Hours() / 24)
	return fmt.Sprintf("%s since %s, %d days", m, since.Format(time.RFC3339), max(0, days))
}
