// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

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
	spec string
}

func newPackagesUpdateCommand(s streams) *cobra.Command {
	var o packagesOptions
	cmd := &cobra.Command{
		Use:   "update --spec DIR",
		Short: "Fetch the indexes of all package sources into the specification",
		Long: `Update fetches what the sources of Packages/sources.xml have, and writes it into
the specification: the contents into ` + engine.PackageSnapshotDir + `, named by their SHA-256 sums,
and the list of addresses and sums into ` + engine.PackageSnapshotFile + `. Commit both: from then on a
build adds the packages that others need, and two builds of one commit agree for
ever. A build itself fetches nothing.

What cannot be fetched stays as it was recorded before, and the exit code is 3.
Signatures of package sources are not checked: prefer addresses with https.
` + exitHelp,
		Example: `  bindery packages update --spec .
  git add Packages && git commit -m "Record package sources"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPackagesUpdate(cmd.Context(), &o, s) },
	}
	o.AddFlags(cmd)
	cmd.Flags().StringVar(&o.spec, "spec", "", "specification in a `folder`")
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
	client, err := transport.New(transport.Config{Timeout: indexTimeout, MaxBytes: maxIndex})
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	dir := filepath.Join(o.spec, filepath.FromSlash(engine.PackageSnapshotDir))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return withCode(exitUnavailable, err)
	}
	old := recordedPackages(snap)
	list := engine.PackageSnapshot{Files: map[string]string{}}
	failed := op.spec.RecordPackages(func(address string) ([]byte, error) {
		data, err := fetchIndex(ctx, client, address)
		if err != nil {
			if sum, ok := old.Files[address]; ok {
				list.Files[address] = sum
			}
			return nil, fmt.Errorf("fetch %s: %w", transport.RedactURL(address), transport.Redact(err))
		}
		sum := sha256.Sum256(data)
		list.Files[address] = hex.EncodeToString(sum[:])
		return data, replaceFile(filepath.Join(dir, list.Files[address]), data)
	})
	data, err := marshal(list)
	if err == nil {
		err = replaceFile(filepath.Join(o.spec, filepath.FromSlash(engine.PackageSnapshotFile)), data)
	}
	if err == nil {
		err = forget(dir, list)
	}
	if err := errors.Join(failed, err); err != nil {
		return withCode(exitUnavailable, err)
	}
	fmt.Fprintf(s.Err, "bindery: %d files of package sources are recorded in %s; commit it, and %s\n", len(list.Files), engine.PackageSnapshotDir, engine.PackageSnapshotFile)
	return nil
}

// recordedPackages is what is recorded already; a list that cannot be read is empty.
func recordedPackages(fsys fs.FS) engine.PackageSnapshot {
	var list engine.PackageSnapshot
	data, err := fs.ReadFile(fsys, engine.PackageSnapshotFile)
	if err != nil || json.Unmarshal(data, &list) != nil {
		return engine.PackageSnapshot{}
	}
	return list
}

// forget removes contents that are not in the list.
func forget(dir string, list engine.PackageSnapshot) error {
	keep := map[string]bool{}
	for _, sum := range list.Files {
		keep[sum] = true
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

// fetchIndex gets a file of a package source, by network or from this machine.
func fetchIndex(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "file":
		return readIndex(u)
	case "http", "https":
	default:
		return nil, fmt.Errorf("%q is no kind of address that can be fetched", u.Scheme)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// readIndex reads a regular file of this machine.
func readIndex(u *url.URL) ([]byte, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, fmt.Errorf("a file on %s cannot be read from here", u.Host)
	}
	st, err := os.Stat(u.Path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxIndex {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", u.Path, maxIndex)
	}
	return os.ReadFile(u.Path)
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
