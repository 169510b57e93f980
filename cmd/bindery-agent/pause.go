// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
)

type pauseOptions struct {
	options
	period time.Duration
	reason string
}

func newPauseCommand(s streams) *cobra.Command {
	o := &pauseOptions{}
	cmd := &cobra.Command{
		Use:   "pause --for DURATION --reason TEXT",
		Short: "Leave this host alone for a while",
		Long: `Pause keeps runs from changing anything until the time is over or "bindery-agent
resume". They go on to fetch, look and report; the controller shows the host as
paused, with the reason. A pause is not longer than 30 days.
` + exitHelp,
		Example: `  bindery-agent pause --for 2h --reason 'moving the database by hand'`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runPause(o, s) },
	}
	o.addFlags(cmd.Flags(), s)
	cmd.Flags().DurationVar(&o.period, "for", 0, "how long, such as 90m or 2h")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for those who wonder")
	return cmd
}

func runPause(o *pauseOptions, s streams) error {
	a, _, stop, err := o.open(slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer stop()
	p, err := a.Pause(o.period, o.reason)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "paused until %s\n", p.Until.Format(time.RFC3339))
	return err
}

func newResumeCommand(s streams) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "End a pause, or let a release be applied that was taken back",
		Long: `Resume lets the next run change things again, after a pause or after an undo, and
after both where there was both: it says which.
` + exitHelp,
		Example: `  bindery-agent resume`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runResume(o, s) },
	}
	o.addFlags(cmd.Flags(), s)
	return cmd
}

func runResume(o *options, s streams) error {
	a, _, stop, err := o.open(slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer stop()
	paused, err := a.Paused()
	if err != nil {
		return failed(err)
	}
	held, err := a.Held()
	if err != nil {
		return failed(err)
	}
	was, err := a.Resume()
	if err != nil {
		return failed(err)
	}
	// One word ends both, and who ended a pause may not know of the other.
	if paused != nil {
		fmt.Fprintf(s.Out, "paused until %s, and no longer: %s\n", paused.Until.Format(time.RFC3339), printable(paused.Reason))
	}
	if held != nil {
		fmt.Fprintf(s.Out, "held, and no longer: %s\n", printable(held.Reason))
	}
	text := "the next run applies again"
	if !was {
		text = "nothing was paused or held"
	}
	_, err = fmt.Fprintln(s.Out, text)
	return err
}
