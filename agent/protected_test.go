// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// Each system has files of its own without which nobody logs in, and places of its own
// for what starts the agent.
func TestWhatEachSystemLivesOn(t *testing.T) {
	for goos, its := range map[string]struct{ vital, filled, own []string }{
		"linux":   {[]string{"/etc/shadow", "/var/lib/dpkg"}, []string{"/etc/shadow"}, []string{"/etc/systemd/system/bindery-agent.service"}},
		"freebsd": {[]string{"/rescue", "/etc/master.passwd"}, []string{"/etc/master.passwd", "/etc/pwd.db", "/etc/spwd.db"}, []string{"/usr/local/etc/rc.d/bindery_agent"}},
		"darwin":  {[]string{"/System", "/var/db/dslocal"}, []string{"/etc/master.passwd"}, []string{"/Library/LaunchDaemons/bindery-agent.plist"}},
	} {
		root := t.TempDir()
		own, lives, full := ownFiles(goos), vital(goos), filled(goos)
		require.Subset(t, lives, full, goos)
		for _, files := range [][]string{full, its.vital, its.own} {
			for _, name := range files {
				require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755))
				if slices.Contains(its.filled, name) || slices.Contains(its.own, name) {
					require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte("old"), 0o600))
				} else {
					require.NoError(t, os.MkdirAll(filepath.Join(root, name), 0o755))
				}
			}
		}
		tree, err := system.NewTree(system.TreeConfig{Root: root, Protected: own, Vital: lives, Filled: full})
		require.NoError(t, err)
		t.Cleanup(tree.Close)
		for _, name := range its.vital {
			require.Error(t, tree.Change(system.Change{Op: system.RemoveAll, Name: name}), "%s: %s", goos, name)
		}
		write := system.Change{Op: system.Write, Mode: 0o600, UID: system.Keep, GID: system.Keep}
		for _, name := range its.filled {
			write.Name, write.Content = name, nil
			require.Error(t, tree.Change(write), "%s: %s", goos, name)
			write.Content = []byte("new")
			require.NoError(t, tree.Change(write), "%s: %s", goos, name)
		}
		for _, name := range its.own {
			write.Name, write.Content = name, []byte("theirs")
			require.ErrorIs(t, tree.Change(write), system.ErrProtected, "%s: %s", goos, name)
		}
		for _, name := range slices.Concat(its.vital, its.own) {
			_, err := os.Stat(filepath.Join(root, name))
			require.NoError(t, err, goos)
		}
	}
}
