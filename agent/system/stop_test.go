// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// What changes something comes to its end where the agent is stopped, within its time;
// what is only asked ends at once, and nothing is begun any more.
func TestAStopLetsWorkComeToItsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	command := func(asks bool, script string) system.Command {
		return system.Command{Args: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: dir, Timeout: time.Minute, Asks: asks}
	}
	stopped := func(c system.Command) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for ctx.Err() == nil {
				if os.Remove(filepath.Join(dir, "begun")) == nil {
					cancel()
				}
			}
		}()
		_, err := system.Host{}.Run(ctx, c)
		require.Error(t, ctx.Err())
		return err
	}
	// It goes on only once the stop has come: the file is gone then.
	work := "touch begun; while [ -e begun ]; do sleep 0.1; done; touch ended"
	require.NoError(t, stopped(command(false, work)))
	require.FileExists(t, filepath.Join(dir, "ended"))
	require.ErrorIs(t, stopped(command(true, "touch begun; sleep 60")), context.Canceled)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := system.Host{}.Run(ctx, command(false, "touch late"))
	require.ErrorIs(t, err, context.Canceled)
	require.NoFileExists(t, filepath.Join(dir, "late"))
	ctx, cancel = context.WithTimeoutCause(t.Context(), 50*time.Millisecond, system.ErrTimeout)
	defer cancel()
	_, err = system.Host{}.Run(ctx, command(false, "sleep 60"))
	require.ErrorIs(t, err, system.ErrTimeout)
}
