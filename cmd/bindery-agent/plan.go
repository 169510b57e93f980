// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/internal/eventlog"
)

type planOptions struct {
	options
	display
	offline bool
	narrowed
}

func newPlanCommand(s streams) *cobra.Command {
	o := &planOptions{}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say what a run would change, and write nothing",
		Long: `Plan compares this host with its newest verified release and shows each entry
that is not right, with the differences of files. What is secret is never shown.
The JSON form is described by docs/reference/run.schema.json.
` + driversHelp() + exitHelp,
		Example: `  bindery-agent plan
  bindery-agent plan --offline --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPlan(cmd.Context(), o, s) },
	}
	o.options.addFlags(cmd.Flags(), s)
	o.addFormat(cmd.Flags())
	o.display.addFlags(cmd.Flags())
	o.narrowed.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&o.offline, "offline", false, "use what was verified last, and ask nobody")
	return cmd
}

func runPlan(ctx context.Context, o *planOptions, s streams) error {
	o.diff = true
	a, _, stop, err := o.open(slog.New(eventlog.New(s.Err, slog.LevelInfo)), false)
	if err != nil {
		return err
	}
	defer stop()
	return one(ctx, a, agent.Options{DryRun: true, Offline: o.offline, Choice: o.choice(), Quick: o.quick}, o.format, &o.display, s)
}
