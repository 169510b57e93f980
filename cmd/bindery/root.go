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
}

// newRootCommand lists every command; there is no registration elsewhere.
func newRootCommand(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "bindery",
		Short: "GitOps for hosts: review what every host would get, publish it signed",
		Long: `Bindery reads a Bcfg2 specification repository, computes the literal
configuration of every host, shows what a change would do to each of them, and
publishes signed configuration bundles that agents fetch, verify and apply.
` + exitHelp,
		Example: `  bindery demo                                      see the whole path on this machine
  bindery build --spec . --host web1.example.org    what one host would get
  bindery lint --spec .                             what is wrong, with file and line
  bindery diff --git . main..HEAD                   what a change does to every host`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.AddCommand(newTrustCommand(s))
	root.AddCommand(newBuildCommand(s))
	root.AddCommand(newLintCommand(s))
	root.AddCommand(newTestCommand(s))
	root.AddCommand(newDiffCommand(s), newCommentCommand(s), newImpactCommand(s), newExplainCommand(s))
	root.AddCommand(newPackagesCommand(s), newKeysCommand(s), newFactsCommand(s))
	root.AddCommand(newServeCommand(s), newHostsCommand(s), newDemoCommand(s))
	return root
}
