// SPDX-License-Identifier: Apache-2.0

package machinetest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// groups are control groups of a machine's own, in each hierarchy that systemd uses:
// two machines in one would end each other's services.
type groups struct {
	testing.TB
	dirs []string
}

func newGroups(t testing.TB) *groups {
	t.Helper()
	data, err := os.ReadFile("/proc/self/cgroup")
	require.NoError(t, err)
	g := &groups{TB: t}
	name := fmt.Sprintf("e2e-%d-%d", os.Getpid(), time.Now().UnixNano())
	for line := range strings.Lines(string(data)) {
		words := strings.SplitN(strings.TrimSpace(line), ":", 3)
		require.Len(t, words, 3, line)
		roots := []string{}
		switch words[1] {
		case "":
			roots = []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}
		case "name=systemd":
			roots = []string{"/sys/fs/cgroup/systemd"}
		}
		for _, root := range roots {
			if _, err := os.Stat(root + "/cgroup.procs"); err != nil {
				continue
			}
			dir := filepath.Join(root, words[2], name)
			require.NoError(t, os.Mkdir(dir, 0o755))
			g.dirs = append(g.dirs, dir)
			break
		}
	}
	return g
}

// join is shell that moves the shell itself into the groups.
func (g *groups) join() string {
	var out strings.Builder
	for _, dir := range g.dirs {
		fmt.Fprintf(&out, "echo $$ > '%s/cgroup.procs' && ", dir)
	}
	return out.String()
}

// remove takes the groups away, once nothing is in them any more.
func (g *groups) remove() {
	for _, top := range g.dirs {
		var dirs []string
		_ = filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, name)
			}
			return nil
		})
		for i := len(dirs) - 1; i >= 0; i-- {
			var err error
			for end := time.Now().Add(bootTime); time.Now().Before(end); time.Sleep(look) {
				if err = os.Remove(dirs[i]); err == nil || os.IsNotExist(err) {
					err = nil
					break
				}
			}
			require.NoError(g, err)
		}
	}
}
