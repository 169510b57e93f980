// SPDX-License-Identifier: Apache-2.0

package filelock_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/filelock"
)

// A folder can be locked like a file; who waits gets it when it is free, or gives up
// with its context and leaves nothing open.
func TestWait(t *testing.T) {
	dir := t.TempDir()
	open := func() *os.File {
		t.Helper()
		f, err := os.Open(dir)
		require.NoError(t, err)
		return f
	}
	unlock, err := filelock.Wait(t.Context(), open())
	require.NoError(t, err)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	given := open()
	_, err = filelock.Wait(ended, given)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, dir)
	require.ErrorIs(t, given.Close(), os.ErrClosed)

	next := make(chan error)
	f := open()
	go func() {
		free, err := filelock.Wait(t.Context(), f)
		if err == nil {
			free()
		}
		next <- err
	}()
	unlock()
	require.NoError(t, <-next)
}

func TestClosedFileIsAnError(t *testing.T) {
	f, err := os.Open(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = filelock.Wait(t.Context(), f)
	require.Error(t, err)
}
