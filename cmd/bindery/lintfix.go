// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
)

// fixSpec rewrites what has one meaning, and gives the folder as it is then; nil where
// it only showed what it would do.
func fixSpec(ctx context.Context, o *lintOptions, s streams, snap *git.Snapshot) (*git.Snapshot, error) {
	opts, err := o.engineOptions()
	if err != nil {
		return nil, err
	}
	fixes, err := engine.Fixes(ctx, snap, opts)
	if err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	// What programs read on the standard output is the findings alone.
	out := s.Err
	if o.dryRun {
		out = s.Out
	}
	for i := range fixes {
		if err := o.fixFile(out, &fixes[i]); err != nil {
			return nil, withCode(exitUnavailable, err)
		}
	}
	if len(fixes) == 0 {
		fmt.Fprintln(out, "nothing to rewrite")
	}
	if o.dryRun {
		return nil, nil
	}
	return o.source.open(ctx)
}

func (o *lintOptions) fixFile(out io.Writer, f *engine.Fix) error {
	switch {
	case f.Changes:
		_, err := fmt.Fprintf(out, "%s: left alone: rewritten, it would change what hosts are given\n", f.File)
		return err
	case f.Left != "":
		_, err := fmt.Fprintf(out, "%s: left alone: %s; save it as UTF-8, without a byte order mark, and run this again\n", f.File, f.Left)
		return err
	case o.dryRun:
		_, err := fmt.Fprint(out, f.Diff)
		return err
	}
	if err := rewrite(filepath.Join(o.source.spec, filepath.FromSlash(f.File)), f.Before, f.After); err != nil {
		return err
	}
	for _, e := range f.Edits {
		if _, err := fmt.Fprintf(out, "%s:%d: %s [%s]\n", f.File, e.Line, e.What, e.Code); err != nil {
			return err
		}
	}
	return nil
}

// rewrite replaces a file whole or not at all, and keeps its mode. One that is a link,
// or that changed since it was read, is refused.
func rewrite(name string, before, after []byte) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	now, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || !bytes.Equal(now, before) {
		return fmt.Errorf("%s is a link, or changed meanwhile: it was not rewritten", name)
	}
	if err := replaceFile(name, after); err != nil {
		return fmt.Errorf("rewrite %s: %w", name, err)
	}
	return os.Chmod(name, info.Mode().Perm())
}
