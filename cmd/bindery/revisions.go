// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/git"
)

// revisionOptions say which two trees are compared.
type revisionOptions struct {
	dirs string // --spec-dirs
	url  string // --git
	spec string // --spec
	base string
}

// AddFlags declares the flags, one of which is needed.
func (o *revisionOptions) AddFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.dirs, "spec-dirs", "", "compare two `folders`: this one is the base, the argument is the head")
	f.StringVar(&o.url, "git", "", "compare two revisions, BASE..HEAD, of the repository at this `URL` or path")
	f.StringVar(&o.spec, "spec", "", "compare what stands in this working tree, a `folder`, with what was committed")
	f.StringVar(&o.base, "base", "HEAD", "the `revision` that --spec is compared with")
	cmd.MarkFlagsMutuallyExclusive("spec-dirs", "git", "spec")
	cmd.MarkFlagsOneRequired("spec-dirs", "git", "spec")
}

// args checks the arguments: a working tree needs none, others one.
func (o *revisionOptions) args(cmd *cobra.Command, args []string) error {
	if o.spec != "" {
		return cobra.NoArgs(cmd, args)
	}
	if cmd.Flags().Changed("base") {
		return errors.New("--base goes with --spec")
	}
	if len(args) == 0 && o.url == "" && o.dirs == "" {
		return errors.New("name what is to be compared: --git, --spec or --spec-dirs")
	}
	switch {
	case len(args) == 1:
		return nil
	case o.dirs != "":
		return fmt.Errorf("--spec-dirs BASE takes one argument, the folder of the head, not %d", len(args))
	}
	return fmt.Errorf("--git URL takes one argument, BASE..HEAD, not %d", len(args))
}

// snapshots reads the two trees.
func (o *revisionOptions) snapshots(ctx context.Context, args []string) (base, head *git.Snapshot, err error) {
	switch {
	case o.url != "":
		return o.revisions(ctx, args[0])
	case o.spec != "":
		return o.workingTree(ctx)
	}
	if base, err = git.Dir(ctx, o.dirs, 0); err == nil {
		head, err = git.Dir(ctx, args[0], 0)
	}
	return base, head, withCode(exitUnavailable, err)
}

// workingTree reads what stands in a folder, and what was committed of it.
func (o *revisionOptions) workingTree(ctx context.Context) (base, head *git.Snapshot, err error) {
	m, done, err := openRepository(ctx, o.spec, o.base)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (--spec is the root of a git work tree, as a specification is of its repository; --spec-dirs compares any two folders)", err)
	}
	defer done()
	if base, err = snapshot(ctx, m, o.base); err != nil {
		return nil, nil, err
	}
	head, err = git.Dir(ctx, o.spec, 0)
	return base, head, withCode(exitUnavailable, err)
}

func (o *revisionOptions) revisions(ctx context.Context, arg string) (base, head *git.Snapshot, err error) {
	from, to, ok := strings.Cut(arg, "..")
	to, forked := strings.CutPrefix(to, ".")
	if !ok || from == "" || to == "" {
		return nil, nil, fmt.Errorf("%q is not BASE..HEAD", arg)
	}
	m, done, err := openRepository(ctx, o.url, from, to)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if forked {
		if from, err = forkPoint(ctx, m, from, to); err != nil {
			return nil, nil, withCode(exitUnavailable, err)
		}
	}
	if base, err = snapshot(ctx, m, from); err == nil {
		head, err = snapshot(ctx, m, to)
	}
	return base, head, err
}

func forkPoint(ctx context.Context, m *git.Mirror, from, to string) (string, error) {
	a, err := m.Resolve(ctx, from)
	if err != nil {
		return "", err
	}
	b, err := m.Resolve(ctx, to)
	if err != nil {
		return "", err
	}
	point, err := m.MergeBase(ctx, a, b)
	if err == nil && point == "" {
		err = errors.New(from + " and " + to + " have no common ancestor")
	}
	return point, err
}
