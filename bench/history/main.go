// SPDX-License-Identifier: Apache-2.0

// Command history holds what Bindery says about changes against builds in full:
// over the commits of a repository, with the command bindery (revisions), and over
// histories made by chance, where what is taken over from the revision before is
// held against a build from nothing as well (random). What a report says is
// compared with both sides entry by entry, by code that shares nothing with the
// review.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "history:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	const usage = "history random | history revisions; -h after either lists its flags"
	if len(args) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet("history "+args[0], flag.ContinueOnError)
	flags.SetOutput(out)
	switch args[0] {
	case "random":
		steps := flags.Int("steps", 1000, "so many revisions")
		seed := flags.Uint64("seed", 1, "the first history; each has a seed of its own")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return random(ctx, out, *steps, *seed)
	case "revisions":
		var r revisions
		flags.StringVar(&r.bindery, "bindery", "bin/bindery", "the program")
		flags.StringVar(&r.repo, "repo", "", "a repository, by URL or path; none: a history made by chance")
		flags.StringVar(&r.rev, "rev", "HEAD", "the last commit")
		flags.IntVar(&r.n, "n", 100, "so many commits, along the first parents")
		flags.Uint64Var(&r.seed, "seed", 1, "the history that is made")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return r.run(ctx, out)
	}
	return fmt.Errorf("%q is unknown: %s", args[0], usage)
}
