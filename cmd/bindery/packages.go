// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/cmd/bindery/internal/keyring"
	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/internal/transport"
)

func newPackagesCommand(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "packages",
		Short: "Record what package sources have",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newPackagesUpdateCommand(s))
	return cmd
}

type packagesOptions struct {
	specOptions
	spec     string
	keyrings []string
	signed   bool
}

func newPackagesUpdateCommand(s streams) *cobra.Command {
	var o packagesOptions
	cmd := &cobra.Command{
		Use:   "update --spec DIR",
		Short: "Fetch the indexes of all package sources into the specification",
		Long: `Update fetches what the sources of Packages/sources.xml have (APT, YUM, Pac and
PkgNG), and writes what counts of it into the specification: the contents into
` + engine.PackageSnapshotDir + `, named by their SHA-256 sums, and the list of addresses and sums
into ` + engine.PackageSnapshotFile + `. Commit both: from then on a build adds the packages that
others need, and two builds of one commit agree for ever. A build itself fetches
nothing.

An index must have the sum that Release or repomd.xml says. Their OpenPGP
signatures must be by a GPGKey of the source, or by a key of --keyring; where there
is neither key, or a repository of YUM, Pac or PkgNG has no signature, there is a
warning, and --require-signatures refuses. What was checked is in the list, so that
it can be reviewed. A source that was signed before must stay so.

What cannot be fetched or is refused stays as it was recorded before, and the exit
code is 3, or 4 where something was refused.
` + exitHelp,
		Example: `  bindery packages update --spec .
  git add Packages && git commit -m "Record package sources"
  bindery packages update --spec . --require-signatures --keyring /usr/share/keyrings/debian-archive-keyring.gpg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPackagesUpdate(cmd.Context(), &o, s) },
	}
	o.AddFlags(cmd)
	cmd.Flags().StringVar(&o.spec, "spec", "", "specification in a `folder`")
	cmd.Flags().StringArrayVar(&o.keyrings, "keyring", nil, "`file` of OpenPGP public keys that may sign any source (may be repeated)")
	cmd.Flags().BoolVar(&o.signed, "require-signatures", false, "refuse a source of which no signature can be checked")
	_ = cmd.MarkFlagRequired("spec")
	return cmd
}

// maxIndex and indexTimeout bound one file of a package source.
const (
	maxIndex     = 256 << 20
	indexTimeout = 10 * time.Minute
)

func runPackagesUpdate(ctx context.Context, o *packagesOptions, s streams) error {
	snap, err := git.Dir(ctx, o.spec, 0)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	op, err := openSpec(ctx, snap, &o.specOptions)
	if err != nil {
		return err
	}
	trusted, err := readKeyrings(o.keyrings, time.Now)
	if err != nil {
		return withCode(exitUsage, err)
	}
	client, err := transport.New(transport.Config{Timeout: indexTimeout, MaxBytes: maxIndex})
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	rec := &recorder{
		client: client, dir: filepath.Join(o.spec, filepath.FromSlash(engine.PackageSnapshotDir)),
		trusted: trusted, keys: map[string]*keyring.Ring{}, signed: o.signed, now: time.Now,
		old: recordedPackages(snap), list: engine.PackageSnapshot{Indexes: map[string]engine.RecordedPackages{}},
	}
	if _, err := fs.Stat(snap, "Packages/sources.xml"); errors.Is(err, fs.ErrNotExist) {
		return withCode(exitUsage, errors.New("there is no Packages/sources.xml, so there are no sources to record"))
	}
	if err := os.MkdirAll(rec.dir, 0o755); err != nil {
		return withCode(exitUnavailable, err)
	}
	failed := op.spec.RecordPackages(ctx, rec)
	rec.warn(s.Err)
	rec.stay(failed != nil)
	data, err := marshal(rec.list)
	if err == nil {
		err = replaceFile(filepath.Join(o.spec, filepath.FromSlash(engine.PackageSnapshotFile)), data)
	}
	if err == nil {
		err = forget(rec.dir, rec.list)
	}
	if err := errors.Join(failed, err); err != nil {
		code := exitUnavailable
		if errors.Is(err, engine.ErrUntrustedPackages) {
			code = exitUntrusted
		}
		return withCode(code, err)
	}
	fmt.Fprintf(s.Err, "bindery: %s recorded in %s; commit it, and %s\n", counted(len(rec.list.Indexes), "index of a package source is", "indexes of package sources are"), engine.PackageSnapshotDir, engine.PackageSnapshotFile)
	return nil
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// recordedPackages is what is recorded already; a list that cannot be read is empty.
func recordedPackages(fsys fs.FS) engine.PackageSnapshot {
	data, err := fs.ReadFile(fsys, engine.PackageSnapshotFile)
	if err != nil {
		return engine.PackageSnapshot{}
	}
	list, err := engine.ParsePackageSnapshot(data)
	if err != nil {
		return engine.PackageSnapshot{}
	}
	return list
}

// forget removes contents that are not in the list.
func forget(dir string, list engine.PackageSnapshot) error {
	keep := map[string]bool{}
	for _, r := range list.Indexes {
		keep[r.Content] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !keep[e.Name()] {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceFile puts a file in place, whole or not at all.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".bindery-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
