// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/cmd/bindery/internal/hostkeys"
	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem/render"
)

// filesOptions say whose files are proposed, and where.
type filesOptions struct {
	keys   keysOptions // the folder or the branch that is read and written
	hosts  hostsOptions
	host   string
	dryRun bool
}

func newFactsFilesCommand(s streams) *cobra.Command {
	o := filesOptions{hosts: hostsOptions{format: "text"}}
	cmd := &cobra.Command{
		Use:   "files --host NAME [--spec DIR] [--branch NAME]",
		Short: "Write files that FileProbes asked a host for into the specification",
		Long: `Files writes what a host answered to FileProbes into the specification, as
Bcfg2's server did at once: Cfg/PATH/NAME.H_HOST, and an info.xml where the path is
new. A file that Cfg has content for is only written if FileProbes says update and it
differs. Nothing is published before it was reviewed and committed.

The files of a host may hold secrets. They are written unencrypted: look at them
before you commit them. Their content is never printed.
` + exitHelp,
		Example: `  bindery facts files --host web1.example.org
  bindery facts files --host web1.example.org --dry-run
  bindery facts files --spec . --host web1.example.org --branch probed-files
  bindery facts files --host web1.example.org --probe-data facts.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runFactsFiles(cmd.Context(), &o, s) },
	}
	o.keys.specOptions.AddFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.hosts.config, "config", defaultConfig, "the controller's settings `file`; not read where --probe-data is given")
	f.StringVar(&o.keys.spec, "spec", ".", "`folder` with the specification")
	f.StringVar(&o.keys.branch, "branch", "", "commit to a `branch` of the folder's repository instead, begun at HEAD where there is none")
	f.StringVar(&o.host, "host", "", "the `host` that told of the files")
	f.BoolVar(&o.dryRun, "dry-run", false, "only say what would be written")
	_ = cmd.MarkFlagRequired("host") // the flag exists
	return cmd
}

func runFactsFiles(ctx context.Context, o *filesOptions, s streams) error {
	snap, err := o.keys.snapshot(ctx)
	if err != nil {
		return err
	}
	op, err := openSpec(ctx, snap, &o.keys.specOptions)
	if err != nil {
		return err
	}
	in := op.inputs([]string{strings.ToLower(o.host)})[0]
	if o.keys.probeData == "" {
		facts, profile, err := recordedFacts(ctx, &o.hosts, op.spec.Canonical(o.host))
		if err != nil {
			return err
		}
		in.Probes, in.External, in.Profile = facts.Probes, facts.External, profile
	}
	files, found := op.spec.ProbedFiles(in)
	if err := render.Text(s.Err, found, render.TextConfig{Colour: colour(s.Err)}); err != nil {
		return withCode(exitUnavailable, err)
	}
	if !o.dryRun {
		if err := o.write(ctx, snap, files); err != nil {
			return withCode(exitUnavailable, err)
		}
	}
	o.report(s, files)
	if len(found) > 0 {
		return quietly(exitFindings)
	}
	return nil
}

// write puts the files into the folder, or on the branch.
func (o *filesOptions) write(ctx context.Context, snap *git.Snapshot, files []engine.ProbedFile) error {
	if len(files) == 0 {
		return nil
	}
	if o.keys.branch == "" {
		var list []hostkeys.File
		for _, f := range files {
			// Git keeps no mode but that of programs; until then they are nobody else's.
			list = append(list, hostkeys.File{Name: f.Name, Data: f.Data, Private: true, Replace: !f.New})
		}
		return hostkeys.Write(o.keys.spec, list)
	}
	p := git.Proposal{
		Branch: o.keys.branch, Base: snap.Commit(), Files: map[string][]byte{},
		Message: "Add files that " + o.host + " has\n", When: time.Now(),
	}
	for _, f := range files {
		p.Files[f.Name] = f.Data
	}
	_, err := git.Propose(ctx, o.keys.spec, p)
	return err
}

func (o *filesOptions) report(s streams, files []engine.ProbedFile) {
	verb := "wrote"
	if o.dryRun {
		verb = "would write"
	}
	for _, f := range files {
		what := "differs from what there is"
		if f.New {
			what = "new"
		}
		fmt.Fprintf(s.Out, "%s %s (%s, %d bytes)\n", verb, f.Name, what, len(f.Data))
	}
	switch {
	case len(files) == 0:
		fmt.Fprintln(s.Out, "nothing to write: no answer asks for it")
	case o.dryRun:
	case o.keys.branch != "":
		fmt.Fprintln(s.Out, "committed to "+o.keys.branch)
	default:
		fmt.Fprintln(s.Out, "look at them, then commit them")
	}
}
