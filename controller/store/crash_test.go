// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
)

// crashVariable makes the test binary a writer that never ends by itself.
const crashVariable = "BINDERY_STORE_CRASH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashVariable); path != "" {
		if err := writeForEver(context.Background(), path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if os.Getenv(openVariable) != "" {
		if err := openAll(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeForEver says "n" after the n-th transaction has been acknowledged.
func writeForEver(ctx context.Context, path string) error {
	s, err := store.New(ctx, store.Config{Path: path})
	if err != nil {
		return err
	}
	latest, err := s.LatestReleases(ctx)
	if err != nil {
		return err
	}
	for n := latest["h1"].Sequence + 1; ; n++ {
		batch := []store.Release{{HostID: "h1", Sequence: n}, {HostID: "h2", Sequence: n}}
		if err := s.PutReleases(ctx, batch); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func TestKilledWriterLosesNothingAndHalvesNothing(t *testing.T) {
	s, c, path := newStore(t)
	enrol(t.Context(), t, s, c, "web1", "h1")
	enrol(t.Context(), t, s, c, "web2", "h2")
	for round := range 5 {
		writer := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test itself
		writer.Env = append(os.Environ(), crashVariable+"="+path)
		out, err := writer.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, writer.Start())
		lines := bufio.NewScanner(out)
		var acknowledged int64
		for range 3 + 7*round {
			require.True(t, lines.Scan())
			_, err := fmt.Sscan(lines.Text(), &acknowledged)
			require.NoError(t, err)
		}
		require.NoError(t, writer.Process.Kill())
		require.Error(t, writer.Wait())
		latest, err := s.LatestReleases(t.Context())
		require.NoError(t, err)
		require.GreaterOrEqual(t, latest["h1"].Sequence, acknowledged)
		require.Equal(t, latest["h1"].Sequence, latest["h2"].Sequence)
	}
}

func TestTwoProcessesTakeTurns(t *testing.T) {
	first, c, path := newStore(t)
	second, err := store.New(t.Context(), store.Config{Path: path, Now: c.now})
	require.NoError(t, err)
	errs := make(chan error)
	for _, s := range []*store.Store{first, second} {
		go func() {
			var err error
			for range 50 {
				if err == nil {
					err = s.Audit(t.Context(), store.Record{Actor: "a", Action: "b"})
				}
			}
			errs <- err
		}()
	}
	require.NoError(t, <-errs)
	require.NoError(t, <-errs)
	trail, err := first.AuditTrail(t.Context(), 1000)
	require.NoError(t, err)
	require.Len(t, trail, 100)
	require.NoError(t, second.Close())
}

func TestBadFilesAreNamed(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"no path":   "",
		"no folder": filepath.Join(dir, "nothing", "state.db"),
		"a folder":  dir,
	} {
		_, err := store.New(t.Context(), store.Config{Path: path})
		require.ErrorContains(t, err, "store", name)
	}
	junk := filepath.Join(dir, "junk.db")
	require.NoError(t, os.WriteFile(junk, []byte("this is not a database, it is prose of more than a hundred bytes, so that a header is read and found to be wrong"), 0o600))
	_, err := store.New(t.Context(), store.Config{Path: junk})
	require.ErrorContains(t, err, junk)
}

func TestTokensEndWithTheirTime(t *testing.T) {
	s, c, _ := newStore(t)
	require.Error(t, s.AddToken(t.Context(), store.Token{ID: "x"}))
	require.NoError(t, s.AddToken(t.Context(), store.Token{ID: "x", Host: "web1", Verifier: []byte("v"), Expires: c.at.Add(time.Hour)}))
	c.at = c.at.Add(2 * time.Hour)
	open, err := s.Tokens(t.Context())
	require.NoError(t, err)
	require.Empty(t, open)
	kept, err := s.Token(t.Context(), "x")
	require.NoError(t, err)
	require.Equal(t, []byte("v"), kept.Verifier)
	require.NoError(t, s.Ready(t.Context()))
}
