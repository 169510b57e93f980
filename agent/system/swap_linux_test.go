// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent/system"
)

// Somebody flips a directory and a link while we write: nothing lands behind the
// link.
func TestSwappedDirectory(t *testing.T) {
	root, victim := t.TempDir(), t.TempDir()
	require.NoError(t, os.Mkdir(root+"/d", 0o755))
	require.NoError(t, os.Symlink(victim, root+"/other"))
	tree := open(t, system.TreeConfig{Root: root})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, root+"/d", unix.AT_FDCWD, root+"/other", unix.RENAME_EXCHANGE)
			}
		}
	}()
	for range 300 {
		_ = tree.Change(write("/d/x", "data"))
	}
	close(stop)
	<-stopped
	left, err := os.ReadDir(victim)
	require.NoError(t, err)
	require.Empty(t, left)
}
