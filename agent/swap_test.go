// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

const (
	attacking = "AGENT_TEST_ATTACK"
	// evil is a user that nothing else runs as.
	evil = 64998
	// rounds is how often a run meets the attacker, unless BINDERY_ATTACK says more.
	rounds = 60
)

// attack is what a user does who may write to one directory, and wants to be given
// what is not theirs: links take the place of directories and files while the agent
// works there, and all that it cleans up comes again.
func attack(dir string) {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0)
	if err := os.Chdir(dir); err != nil {
		return
	}
	swap := func(a, b string) {
		_ = unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	}
	steps := []func(){
		func() { swap("d", "relative") }, func() { swap("d", "absolute") },
		func() { swap("d/pruned", "deep") }, func() { swap("d/gone", "deep") }, func() { swap("d/perm", "deep") }, func() { swap("d/perm/in", "deep") },
		func() { _ = os.MkdirAll("d/gone/in", 0o755); _ = os.WriteFile("d/gone/in/keep", nil, 0o644) },
		func() { _ = os.MkdirAll("d/pruned/in", 0o777); _ = os.WriteFile("d/pruned/in/keep", nil, 0o644) },
		func() { _ = os.MkdirAll("d/perm/in", 0o777); _ = os.WriteFile("d/perm/in/keep", nil, 0o644) },
		func() { _ = os.Remove("d/file"); _ = os.Symlink("../../victim/file", "d/file") },
		func() { _ = os.Remove("d/file"); _ = os.Link("../victim/open", "d/file"); _ = os.Remove("d/file") },
		func() { _ = os.Remove("d/perm/hard"); _ = os.Link("../victim/open", "d/perm/hard") },
		func() { _ = os.Link("../victim/open", "d/perm/one"); _ = os.Remove("d/perm/one") },
		func() { _ = os.Remove("d/link"); _ = os.Symlink("../../victim", "d/link") },
		func() { _ = os.Rename("d/pruned/in", "d/gone/moved") },
		func() {
			// What the agent made is not the attacker's any more: a fresh one is.
			_ = os.Rename("d", "old-"+strconv.FormatUint(rand.Uint64(), 36))
			_ = os.Mkdir("d", 0o755)
			_ = os.MkdirAll("d/perm/in", 0o777)
			_ = os.MkdirAll("d/pruned/in", 0o777)
		},
		func() { _ = os.Remove("deep"); _ = os.Symlink("../victim", "deep") },
	}
	for {
		steps[rand.N(len(steps))]()
		time.Sleep(time.Duration(rand.N(200)) * time.Microsecond) // all speeds meet all moments
	}
}

// battlefield is what the attacker has, and what belongs to others.
func battlefield(t *testing.T, root string) (victim string) {
	t.Helper()
	victim = root + "/victim"
	for _, dir := range []string{"/in", "/pruned/in", "/gone/in", "/perm/in", "/d"} {
		require.NoError(t, os.MkdirAll(victim+dir, 0o755))
	}
	for _, f := range []string{"/file", "/keep", "/in/keep", "/pruned/in/keep", "/gone/in/keep", "/perm/in/keep", "/perm/keep", "/d/file", "/open"} {
		require.NoError(t, os.WriteFile(victim+f, []byte("of others"), 0o644))
	}
	require.NoError(t, os.Chmod(victim+"/open", 0o666)) // the kernel lets everybody link it
	home := root + "/home"
	require.NoError(t, os.MkdirAll(home+"/d/perm", 0o755))
	require.NoError(t, os.Symlink("../victim", home+"/relative"))
	require.NoError(t, os.Symlink(victim, home+"/absolute"))
	require.NoError(t, os.Symlink("../victim", home+"/deep"))
	require.NoError(t, filepath.WalkDir(home, func(name string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		return os.Lchown(name, evil, evil)
	}))
	for dir := root; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755)) // so that the attacker gets there
	}
	return victim
}

// belongs lists what is in a directory with everything that an attack could change.
func belongs(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := stands(t, dir)
	for name := range out {
		var st unix.Stat_t
		require.NoError(t, unix.Lstat(name, &st))
		out[name] += fmt.Sprintf(" %d:%d inode %d", st.Uid, st.Gid, st.Ino)
	}
	return out
}

// A user swaps directories and links under runs and under undo. Nothing of others
// changes: no byte, owner or mode, and nothing comes or goes. What is elsewhere is
// made right in every run.
func TestHostileUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // there is no second user to be
	}
	most := rounds
	if n, err := strconv.Atoi(os.Getenv("BINDERY_ATTACK")); err == nil {
		most = n
	}
	n := newNode(t, newSite(t), nil)
	victim := battlefield(t, n.root)
	n.Publish(n.hostID, agenttest.Release{Policy: release.Policy{RemovalMax: -1}, Entries: []config.Entry{
		agenttest.File("/own/file", "ours"),
		agenttest.Entry("Path", "new", "type=file", "name=/home/d/file", "owner=root", "group=root", "mode=0600"),
		path("/home/d/pruned", "directory", "mode=0755", "prune=true"), path("/home/d/gone", "nonexistent", "recursive=true"),
		path("/home/d/link", "symlink", "to=target"), path("/home/d/perm", "permissions", "mode=0640", "recursive=true"),
		path("/home/d/deep/er/dir", "directory", "mode=0750"), path("/home/d/hard", "hardlink", "to=/own/file", "mode=0644"),
	}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.NoError(t, os.WriteFile(n.root+"/own/file", []byte("ours"), 0o644))
	before := belongs(t, victim)

	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{attacking + "=" + n.root + "/home"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: evil, Gid: evil}}
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	changed, undone := 0, 0
	for i := range most {
		require.NoError(t, os.WriteFile(n.root+"/own/file", []byte("drift"), 0o600))
		r, err := n.agent.Run(t.Context(), agent.Options{Offline: true})
		require.NoError(t, err)
		require.Equal(t, "ours", read(t, n.root+"/own/file"), "round %d", i)
		changed += len(r.Report.Modified)
		if i%10 == 9 {
			u, err := n.agent.Undo(t.Context(), agent.UndoOptions{})
			require.NoError(t, err)
			undone += len(u.Done)
			require.Equal(t, "drift", read(t, n.root+"/own/file"), "round %d: %+v", i, u)
			_, err = n.agent.Resume()
			require.NoError(t, err)
		}
		require.Equal(t, before, belongs(t, victim), "round %d", i)
	}
	require.NoError(t, cmd.Process.Signal(syscall.Signal(0)), "the attacker was there all the time")
	require.Greater(t, changed, most, "runs did something where the attacker is, too")
	t.Logf("%d rounds: %d things changed, %d brought back", most, changed, undone)
}
