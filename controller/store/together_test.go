// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/internal/filelock"
)

// openVariable makes the test binary a process that opens what its input names.
const openVariable = "BINDERY_STORE_OPEN"

// openAll opens each database that in names, twice at once, and says what came of it.
func openAll(ctx context.Context, in io.Reader, out io.Writer) error {
	paths := bufio.NewScanner(in)
	for paths.Scan() {
		var both errgroup.Group
		for range 2 {
			both.Go(func() error {
				s, err := store.New(ctx, store.Config{Path: paths.Text()})
				if err != nil {
					return err
				}
				_, err = s.Hosts(ctx)
				return errors.Join(err, s.Close())
			})
		}
		if _, err := fmt.Fprintf(out, "%q\n", fmt.Sprint(both.Wait())); err != nil {
			return err
		}
	}
	return paths.Err()
}

// A controller starts for the first time while somebody asks for its hosts: one of them
// makes the database, and the others find it made.
func TestManyMakeOneDatabase(t *testing.T) {
	type process struct {
		in  io.WriteCloser
		out *bufio.Scanner
	}
	var all []process
	for range 2 {
		// It ends with its input, which is after the test's context.
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0]) //nolint:gosec // this test itself
		cmd.Env = append(os.Environ(), openVariable+"=1")
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		all = append(all, process{in, bufio.NewScanner(out)})
		t.Cleanup(func() {
			require.NoError(t, in.Close())
			require.NoError(t, cmd.Wait())
		})
	}
	dir := t.TempDir()
	for round := range 20 {
		for _, p := range all {
			_, err := fmt.Fprintln(p.in, filepath.Join(dir, fmt.Sprint(round, ".db")))
			require.NoError(t, err)
		}
		for _, p := range all {
			require.True(t, p.out.Scan())
			require.Equal(t, `"<nil>"`, p.out.Text(), "round %d", round)
		}
	}
}

// Who waits for its turn in vain says for what, and has touched nothing.
func TestTurnsAreWaitedForWithinBounds(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Open(dir)
	require.NoError(t, err)
	unlock, err := filelock.Wait(t.Context(), f)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	path := filepath.Join(dir, "state.db")
	_, err = store.New(ctx, store.Config{Path: path})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, "another process")
	require.NoFileExists(t, path)

	unlock()
	s, err := store.New(t.Context(), store.Config{Path: path})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestWhoOnlyAsksMakesNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	_, err := store.New(t.Context(), store.Config{Path: path, Existing: true})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoFileExists(t, path)

	s, _, path := newStore(t)
	asking, err := store.New(t.Context(), store.Config{Path: path, Existing: true})
	require.NoError(t, err)
	require.NoError(t, asking.Ready(t.Context()))
	require.NoError(t, asking.Close())
	require.NoError(t, s.Ready(t.Context()))
}
