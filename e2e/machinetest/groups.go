// SPDX-License-Identifier: Apache-2.0

package machinetest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// groups are control groups of a machine's own, in each hierarchy that systemd uses:
// two machines in one would end each other's services.
type groups struct {
	testing.TB
	dirs       []string
	undertaker *exec.Cmd
	hold       io.Closer
	problems   strings.Builder
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
	g.watch()
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

// undertaker waits until whoever started it closes its standard input or is gone, by
// whatever: then it ends all that is in the groups, and takes them away.
const undertaker = `cat >/dev/null
for top; do
	for n in $(seq 600); do
		find "$top" -name cgroup.procs -exec cat {} + 2>/dev/null | xargs -r kill -9 2>/dev/null
		find "$top" -depth -type d -exec rmdir {} + 2>/dev/null
		[ -e "$top" ] || continue 2
		sleep 0.1
	done
	echo "$top stays" >&2
	exit 1
done`

// watch starts the undertaker, out of reach of what interrupts a test.
func (g *groups) watch() {
	g.Helper()
	g.undertaker = exec.Command("sh", append([]string{"-c", undertaker, "sh"}, g.dirs...)...)
	g.undertaker.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	g.undertaker.Stderr = &g.problems
	var err error
	g.hold, err = g.undertaker.StdinPipe()
	require.NoError(g, err)
	require.NoError(g, g.undertaker.Start())
}

// remove ends what is in the groups, and takes them away.
func (g *groups) remove() {
	g.Helper()
	require.NoError(g, g.hold.Close())
	require.NoError(g, g.undertaker.Wait(), g.problems.String())
}
