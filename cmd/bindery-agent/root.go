// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	"github.com/spf13/cobra"
)

// streams are where a command reads and writes; tests pass buffers.
type streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// Settings is the file of settings unless --config names another, "" for none.
	Settings string
}

// newRootCommand lists every command; there is no registration elsewhere.
func newRootCommand(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "bindery-agent",
		Short: "Make this host what its signed release says",
		Long: `The agent of Bindery fetches this host's release, verifies it, and makes the
host what it says. Whatever a source answers, nothing unverified is ever applied,
and what was verified last stays in force.

Settings come from flags, then from agent.yaml (--config).
` + driversHelp() + exitHelp,
		Example: `  bindery-agent enroll --url https://bindery.example.org --token-file token
  bindery-agent plan            what a run would change, with differences
  bindery-agent run --once      one run
  bindery-agent run             run by the schedule, until stopped
  bindery-agent status          what the last run found
  bindery-agent undo            take the last run back`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.AddCommand(newEnrollCommand(s), newRunCommand(s), newApplyCommand(s), newFetchCommand(s), newPlanCommand(s), newStatusCommand(s),
		newUndoCommand(s), newRunsCommand(s), newPauseCommand(s), newResumeCommand(s), newGuardCommand(s))
	return root
}
