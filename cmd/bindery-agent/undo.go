// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/internal/eventlog"
)

type undoOptions struct {
	options
	dryRun bool
	force  bool
	reason string
}

func newUndoCommand(s streams) *cobra.Command {
	o := &undoOptions{}
	cmd := &cobra.Command{
		Use:   "undo [RUN]",
		Short: "Take back the last run, or RUN and all that came after it",
		Long: `Undo brings back what a run changed: files with their content, mode, owner and
access list, packages in the version they had, and services. RUN is a number that
"bindery-agent runs" lists; all runs after it are taken back too.

What somebody changed since is kept, and named, unless --force is given. Commands
that Actions ran cannot be taken back; they are named.

Afterwards the release is held: runs only look and report, as "rolled-back", until a
release with another configuration comes, or "bindery-agent resume". An undo is a run
of its own and can be taken back as well.
` + exitHelp,
		Example: `  bindery-agent undo --dry-run
  bindery-agent undo --reason 'the web shop is down'
  bindery-agent undo 12`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runUndo(cmd.Context(), o, args, s) },
	}
	f := cmd.Flags()
	o.addFlags(f, s)
	o.addFormat(f)
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "only say what would be brought back")
	f.BoolVar(&o.force, "force", false, "bring back also what somebody changed since")
	f.StringVar(&o.reason, "reason", "", "why, for those who read the report")
	return cmd
}

func runUndo(ctx context.Context, o *undoOptions, args []string, s streams) error {
	uo := agent.UndoOptions{DryRun: o.dryRun, Force: o.force, Reason: o.reason}
	if len(args) > 0 {
		id, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || id < 1 {
			return fmt.Errorf("%q is not the number of a run: see bindery-agent runs", args[0])
		}
		uo.Run = id
	}
	a, _, stop, err := o.open(slog.New(eventlog.New(s.Err, slog.LevelInfo)), false)
	if err != nil {
		return err
	}
	defer stop()
	done := busy(s.Err, "taking back")
	u, err := a.Undo(ctx, uo)
	done()
	if errors.Is(err, journal.ErrNoRun) {
		return err
	}
	if err != nil {
		return failed(err)
	}
	if o.format == "json" {
		err = writeJSON(s.Out, u)
	} else {
		err = showUndone(s.Out, u, o.dryRun)
	}
	if err == nil && !u.Whole() {
		return quietly(exitFindings)
	}
	return err
}

func showUndone(w io.Writer, u *agent.Undone, dry bool) error {
	for _, part := range []struct {
		word  string
		lines []string
	}{{"done", u.Done}, {"kept", u.Kept}, {"failed", u.Failed}, {"not undone", u.Notes}} {
		word := part.word
		if dry && word == "done" {
			word = "would"
		}
		for _, line := range part.lines {
			fmt.Fprintf(w, "%-13s%s\n", word, printable(line))
		}
	}
	verb := "taken back"
	if dry {
		verb = "would be taken back"
	}
	_, err := fmt.Fprintf(w, "run %d and what came after it (runs: %d) %s: %d done, %d kept, %d failed\n", u.Run, len(u.Runs), verb,
		len(u.Done), len(u.Kept), len(u.Failed))
	return err
}

func newRunsCommand(s streams) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs that changed this host and can be taken back",
		Long: `Runs lists what the journal has, oldest first: runs that changed something, and
undos. The journal is bounded (journal in agent.yaml); the oldest runs go first.
` + exitHelp,
		Example: `  bindery-agent runs
  bindery-agent runs --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runRuns(o, s) },
	}
	o.addFlags(cmd.Flags(), s)
	o.addFormat(cmd.Flags())
	return cmd
}

func runRuns(o *options, s streams) error {
	a, _, stop, err := o.open(slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer stop()
	runs, err := a.Runs()
	if err != nil {
		return failed(err)
	}
	if o.format == "json" {
		return writeJSON(s.Out, runs)
	}
	if len(runs) == 0 {
		_, err = fmt.Fprintln(s.Out, "no run changed anything yet")
	}
	for _, r := range runs {
		what := fmt.Sprintf("release %d of commit %s", r.Sequence, printable(r.Commit))
		switch {
		case r.Undoes > 0:
			what = fmt.Sprintf("took back run %d and what came after it", r.Undoes)
		case r.UndoneBy > 0:
			what += fmt.Sprintf(", taken back by run %d", r.UndoneBy)
		}
		if r.End == nil || r.End.Killed {
			what += ", was killed"
		}
		if _, err = fmt.Fprintf(s.Out, "%6d  %s  %s (records: %d, %d bytes)\n", r.ID, r.Started.Format(time.RFC3339), what, r.Changes, r.Bytes); err != nil {
			return err
		}
	}
	return err
}
