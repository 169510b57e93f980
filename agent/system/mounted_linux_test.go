// SPDX-License-Identifier: Apache-2.0

//go:build !portable

package system_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent/system"
)

const mounting = "SYSTEM_TEST_MOUNT"

// A directory that is mounted below one that goes stays, be it of the same file
// system.
func TestMountedBelowStays(t *testing.T) {
	root := os.Getenv(mounting)
	if root == "" {
		if os.Geteuid() != 0 {
			return // only the administrator mounts
		}
		root = t.TempDir()
		require.NoError(t, os.MkdirAll(root+"/gone/deep/mount", 0o755))
		require.NoError(t, os.MkdirAll(root+"/kept", 0o755))
		for _, name := range []string{"/kept/f", "/gone/a", "/gone/deep/b", "/gone/z"} {
			require.NoError(t, os.WriteFile(root+name, nil, 0o644))
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestMountedBelowStays$")
		cmd.Env = append(os.Environ(), mounting+"="+root)
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) {
			return // a container that may have no mounts of its own
		}
		require.NoError(t, err, "%s", out)
		require.FileExists(t, root+"/kept/f")
		for _, name := range []string{"/gone/a", "/gone/deep/b", "/gone/z"} {
			require.FileExists(t, root+name, "what cannot go as a whole stays as a whole")
		}
		return
	}
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	require.NoError(t, unix.Mount(root+"/kept", root+"/gone/deep/mount", "", unix.MS_BIND, ""))
	tree := open(t, system.TreeConfig{Root: root})
	require.ErrorContains(t, tree.Change(system.Change{Op: system.RemoveAll, Name: "/gone"}), "mounted")
}
