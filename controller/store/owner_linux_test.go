// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
)

// nobody is the number of a user who owns nothing else.
const nobody = 65534

// Whoever administers a controller is root, and says the first thing to a database that
// the controller's own user is to open later.
func TestTheDatabaseIsTheOwnersOfItsFolder(t *testing.T) {
	dir, err := os.MkdirTemp("", "owner") // t.TempDir is below a folder that is closed to others
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	owner := os.Geteuid()
	if owner == 0 {
		owner = nobody
		require.NoError(t, os.Chown(dir, nobody, nobody))
	}
	path := filepath.Join(dir, "state.db")
	s, err := store.New(t.Context(), store.Config{Path: path})
	require.NoError(t, err)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		require.Equal(t, owner, ownerOf(t, path+suffix), suffix)
	}
	require.NoError(t, s.Close())
	if owner != nobody {
		return // nobody but root can give a file away
	}
	require.Equal(t, "<nil>", openAs(t, nobody, path))

	require.NoError(t, os.Chown(path, 0, 0))
	told := openAs(t, nobody, path)
	require.Contains(t, told, "open store: "+path+" belongs to root, and this runs as nobody")
	require.Contains(t, told, "`chown nobody: "+path+"*`")
	require.NoError(t, os.Chown(path, nobody, nobody))
	require.Equal(t, "<nil>", openAs(t, nobody, path))

	// What the owner of the folder puts there is not followed by root.
	other := filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.WriteFile(other, nil, 0o644))
	require.NoError(t, os.Symlink(other, filepath.Join(dir, "link.db")))
	_, err = store.New(t.Context(), store.Config{Path: filepath.Join(dir, "link.db")})
	require.ErrorContains(t, err, "link.db is no regular file")
	info, err := os.Stat(other)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm())
}

func ownerOf(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// openAs opens a database as another user, and gives what came of it.
func openAs(t *testing.T, id uint32, path string) string {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "/proc/self/exe") // the test itself, wherever it is
	cmd.Env = []string{openVariable + "=1"}
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(path + "\n")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
	out, err := cmd.Output()
	require.NoError(t, err)
	var told string
	_, err = fmt.Sscanf(string(out), "%q", &told)
	require.NoError(t, err)
	return told
}
