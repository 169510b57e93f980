// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/bindery/bindery/cmd/bindery/internal/demo"
)

type demoOptions struct {
	agent string
	keep  bool
	width int
}

func newDemoCommand(s streams) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a commit going all the way, on this machine, in a minute",
		Long: `Demo shows the whole path with the real programs, each a process of its own: a git
repository served over HTTP, a forge that speaks GitHub's API, the controller, and two
agents with a root folder each. A pull request gets its comment, is merged, published
and applied; a file is broken and repaired; a bundle is tampered with and refused; and
so is a broken commit. Every step says which command does it by hand.

It needs the git program, no account and no root. Everything is in one temporary
folder and on 127.0.0.1, and is gone at the end.
` + exitHelp,
		Example: `  bindery demo
  bindery demo --keep        leave it running, to look around`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), &o, s) },
	}
	f := cmd.Flags()
	f.StringVar(&o.agent, "agent", "", "the bindery-agent `program` (default: the one beside this program)")
	f.BoolVar(&o.keep, "keep", false, "leave everything running at the end, print addresses, and end with Ctrl-C")
	f.IntVar(&o.width, "width", 0, "columns to use (default: those of the terminal, else 100)")
	cmd.AddCommand(newDemoForgeCommand(s))
	return cmd
}

func runDemo(ctx context.Context, o *demoOptions, s streams) error {
	program, err := os.Executable()
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	agent, err := findAgent(o.agent, program)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bindery-demo-")
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return withCode(exitUnavailable, err)
	}
	width, color := o.width, false
	if isTerminal(s.Out) {
		color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if columns, _, err := term.GetSize(int(s.Out.(*os.File).Fd())); err == nil && width == 0 {
			width = columns
		}
	}
	d, err := demo.New(demo.Config{Program: program, Agent: agent, Dir: dir, Out: s.Out, Width: width, Color: color, Keep: o.keep})
	if err == nil {
		err = d.Run(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return withCode(exitUnavailable, fmt.Errorf("demo: %w\nEverything is kept for you to look at: %s (logs in %s)", err, dir, filepath.Join(dir, "logs")))
	}
	if gone := os.RemoveAll(dir); gone != nil {
		return withCode(exitUnavailable, gone)
	}
	if err != nil {
		return withCode(exitInterrupted, errors.New("demo: interrupted; nothing of it is left"))
	}
	return nil
}

// findAgent finds the other program.
func findAgent(given, program string) (string, error) {
	if given != "" {
		path, err := filepath.Abs(given)
		return path, withCode(exitUsage, err)
	}
	beside := filepath.Join(filepath.Dir(program), "bindery-agent")
	if info, err := os.Stat(beside); err == nil && !info.IsDir() {
		return beside, nil
	}
	return "", withCode(exitUsage, fmt.Errorf("there is no %s: build it with `make build`, or say where it is with --agent", beside))
}

func newDemoForgeCommand(s streams) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:    "forge --config FILE",
		Short:  "Run the demo's forge alone",
		Long:   "Forge is the demo's forge as a process: GitHub's HTTP API, and git over HTTP.\n" + exitHelp,
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := demo.Forge(cmd.Context(), file, slog.New(slog.NewTextHandler(s.Err, nil)))
			return withCode(exitUnavailable, err)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "settings `file`, as the demo writes it")
	return cmd
}
