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

// shown mounts directories a second time, in mounts of this process alone.
func shown(t *testing.T, root string, dirs map[string]string) {
	t.Helper()
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	for from, to := range dirs {
		require.NoError(t, os.MkdirAll(root+to, 0o755))
		require.NoError(t, unix.Mount(root+from, root+to, "", unix.MS_BIND, ""))
	}
}

// What must stay stays by its other names, too: below a directory that is mounted a second
// time, and of a hard link what is done to the file itself.
func TestProtectedByOtherNames(t *testing.T) {
	root := os.Getenv(mounting)
	if root == "" {
		if os.Geteuid() != 0 {
			return // only the administrator mounts
		}
		root = t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestProtectedByOtherNames$")
		cmd.Env = append(os.Environ(), mounting+"="+root)
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) {
			return // a container that may have no mounts of its own
		}
		require.NoError(t, err, "%s", out)
		return
	}
	for _, dir := range []string{"/etc", "/var/lib/agent/deep", "/var/other", "/opt"} {
		require.NoError(t, os.MkdirAll(root+dir, 0o755))
	}
	for _, file := range []string{"/etc/passwd", "/etc/own", "/etc/motd", "/var/lib/agent/deep/f"} {
		require.NoError(t, os.WriteFile(root+file, []byte("old"), 0o600))
	}
	require.NoError(t, os.Link(root+"/etc/own", root+"/opt/linked"))
	require.NoError(t, os.Link(root+"/etc/passwd", root+"/opt/people"))
	shown(t, root, map[string]string{"/etc": "/jail/etc", "/var": "/jail/var", "/var/lib/agent": "/jail/again"})
	tree := open(t, system.TreeConfig{Root: root, Protected: []string{"/var/lib/agent", "/etc/own"}, Vital: []string{"/etc/passwd"}, Filled: []string{"/etc/passwd"}})
	change := func(op system.Op, name, content string) error {
		return tree.Change(system.Change{Op: op, Name: name, Mode: 0o644, UID: system.Keep, GID: system.Keep, To: "/etc/motd", Content: []byte(content)})
	}
	for _, c := range []struct {
		op   system.Op
		name string
		want error
	}{
		{system.Write, "/jail/etc/own", system.ErrProtected},
		{system.Remove, "/jail/etc/own", system.ErrProtected},
		{system.Attributes, "/jail/etc/own", system.ErrProtected},
		{system.Write, "/opt/other", nil},
		{system.Attributes, "/opt/linked", system.ErrProtected},
		{system.Attributes, "/jail/again", system.ErrProtected},
		{system.Write, "/jail/again/new", system.ErrProtected},
		{system.Write, "/jail/var/lib/agent/deep/f", system.ErrProtected},
		{system.Write, "/jail/var/lib/agent/new", system.ErrProtected},
		{system.RemoveAll, "/jail/var/lib", system.ErrProtected},
		{system.RemoveAll, "/jail/var/lib/agent", system.ErrProtected},
		{system.Link, "/jail/var/lib", system.ErrProtected},
		{system.Remove, "/jail/etc/passwd", system.ErrVital},
		{system.Link, "/jail/etc/passwd", system.ErrVital},
		{system.Write, "/jail/etc/passwd", nil},
		{system.Write, "/jail/etc/motd", nil},
		{system.Write, "/jail/etc/own", system.ErrProtected},
		{system.Remove, "/jail/etc/motd", nil},
		{system.RemoveAll, "/jail/var/other", nil},
		{system.Remove, "/opt/people", nil},
		{system.Write, "/opt/linked", nil},
	} {
		err := change(c.op, c.name, "new")
		if c.want == nil {
			require.NoError(t, err, "%s %s", c.op, c.name)
		} else {
			require.ErrorIs(t, err, c.want, "%s %s", c.op, c.name)
		}
	}
	require.ErrorIs(t, change(system.Write, "/jail/etc/passwd", ""), system.ErrVital)
	for file, want := range map[string]string{"/etc/passwd": "new", "/etc/own": "old", "/var/lib/agent/deep/f": "old", "/opt/linked": "new"} {
		data, err := os.ReadFile(root + file)
		require.NoError(t, err)
		require.Equal(t, want, string(data), file)
	}
	info, err := os.Stat(root + "/etc/own")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

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
	shown(t, root, map[string]string{"/kept": "/gone/deep/mount"})
	tree := open(t, system.TreeConfig{Root: root})
	require.ErrorContains(t, tree.Change(system.Change{Op: system.RemoveAll, Name: "/gone"}), "mounted")
}
