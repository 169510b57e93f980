// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
)

func open(t *testing.T, c system.TreeConfig) *system.Tree {
	t.Helper()
	tree, err := system.NewTree(c)
	require.NoError(t, err)
	t.Cleanup(tree.Close)
	return tree
}

func write(name, content string) system.Change {
	return system.Change{Op: system.Write, Name: name, Mode: 0o644, UID: system.Keep, GID: system.Keep, Content: []byte(content)}
}

func TestSuite(t *testing.T) {
	t.Run("disk", func(t *testing.T) {
		systemtest.TestFiles(t, func(t *testing.T) system.Files { return open(t, system.TreeConfig{Root: t.TempDir()}) })
	})
	t.Run("memory", func(t *testing.T) {
		systemtest.TestFiles(t, func(*testing.T) system.Files { return systemtest.NewFiles() })
	})
}

// A link that leads out of the root leads to the same place inside it.
func TestRootIsNotLeft(t *testing.T) {
	outside, root := t.TempDir(), t.TempDir()
	tree := open(t, system.TreeConfig{Root: root})
	for _, base := range []string{"..", ".", "", "../" + filepath.Base(outside), "/etc"} {
		_, err := tree.List("/", base)
		require.ErrorIs(t, err, system.ErrName, base)
	}
	for i, target := range []string{outside, "../../../../../../.." + outside, "/../.." + outside} {
		name := "/link" + strconv.Itoa(i)
		require.NoError(t, os.Symlink(target, root+name))
		require.ErrorIs(t, tree.Change(write(name+"/x", "escaped")), fs.ErrNotExist)
	}
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestForeignLinkIsNotFollowed(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(root+"/secret", 0o755))
	require.NoError(t, os.Mkdir(root+"/open", 0o755))
	require.NoError(t, os.Symlink("/secret", root+"/open/link"))
	tree := open(t, system.TreeConfig{Root: root})
	require.NoError(t, tree.Change(write("/open/link/x", "fine")))

	require.NoError(t, os.Chmod(root+"/open", 0o777))
	err := tree.Change(write("/open/link/y", "attack"))
	require.ErrorIs(t, err, system.ErrUntrusted)
	require.ErrorContains(t, err, "/open/link")
	_, err = tree.Look("/open/link/x")
	require.ErrorIs(t, err, system.ErrUntrusted)

	if os.Geteuid() == 0 {
		require.NoError(t, os.Chmod(root+"/open", 0o755))
		require.NoError(t, os.Lchown(root+"/open/link", 12345, 12345))
		require.ErrorIs(t, tree.Change(write("/open/link/y", "attack")), system.ErrUntrusted)
	}
	require.NoFileExists(t, root+"/secret/y")
}

// A link in the last part is replaced, never written through.
func TestLastLinkIsReplaced(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(root+"/victim", []byte("safe"), 0o600))
	require.NoError(t, os.Symlink("victim", root+"/name"))
	tree := open(t, system.TreeConfig{Root: root})
	require.NoError(t, tree.Change(write("/name", "new")))
	got, err := os.ReadFile(root + "/victim")
	require.NoError(t, err)
	require.Equal(t, "safe", string(got))
	require.NoError(t, os.Remove(root+"/name"))
	require.NoError(t, os.Symlink("victim", root+"/name"))
	require.NoError(t, tree.Change(system.Change{Op: system.Attributes, Name: "/name", Mode: 0o777, UID: system.Keep, GID: system.Keep}))
	info, err := os.Stat(root + "/victim")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

func TestHardlinkedFileOfOthers(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(root+"/shadow", nil, 0o600))
	require.NoError(t, os.Mkdir(root+"/home", 0o755))
	require.NoError(t, os.Chmod(root+"/home", 0o777))
	require.NoError(t, os.Link(root+"/shadow", root+"/home/mine"))
	tree := open(t, system.TreeConfig{Root: root})
	err := tree.Change(system.Change{Op: system.Attributes, Name: "/home/mine", Mode: 0o666, UID: system.Keep, GID: system.Keep})
	require.ErrorContains(t, err, "several names")
	err = tree.Change(system.Change{Op: system.Hardlink, Name: "/ours", To: "/home/mine"})
	require.ErrorContains(t, err, "several names")
	require.NoFileExists(t, root+"/ours")

	// The directory is the administrator's now, and was not when the link was made.
	require.NoError(t, os.Chmod(root+"/home", 0o755))
	mine := system.Change{Op: system.Attributes, Name: "/home/mine", Mode: 0o666, UID: system.Keep, GID: system.Keep, Sole: true}
	require.ErrorContains(t, tree.Change(mine), "several names")
	// One of the directories above it is somebody else's: they can move it.
	mine.Sole = false
	require.NoError(t, os.Chmod(root, 0o777))
	require.ErrorContains(t, tree.Change(mine), "several names")
	require.NoError(t, os.Remove(root+"/home/mine"))
	require.NoError(t, os.WriteFile(root+"/home/mine", nil, 0o644))
	require.NoError(t, tree.Change(mine))
	mine.Mode = 0o4755
	require.ErrorContains(t, tree.Change(mine), "setuid", "its content may be anybody's")
	require.NoError(t, os.Chmod(root, 0o755))
	require.ErrorContains(t, tree.Change(mine), "until now", "it was everybody's to write to")
	require.NoError(t, os.Chmod(root+"/home/mine", 0o644))
	require.NoError(t, tree.Change(mine))
}

func TestProtected(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(root+"/var/lib/bindery", 0o755))
	require.NoError(t, os.WriteFile(root+"/var/lib/bindery/identity", []byte("key"), 0o600))
	require.NoError(t, os.Symlink("var/lib", root+"/alias"))
	require.NoError(t, os.Symlink("/var/lib/bindery", root+"/direct"))
	tree := open(t, system.TreeConfig{Root: root, Protected: []string{"/var/lib/bindery"}})
	for _, c := range []system.Change{
		write("/var/lib/bindery/identity", "x"),
		write("/alias/bindery/identity", "x"),
		write("/direct/identity", "x"),
		{Op: system.RemoveAll, Name: "/var"},
		{Op: system.RemoveAll, Name: "/alias/bindery"},
		{Op: system.Link, Name: "/var/lib", To: "/tmp"},
		{Op: system.Attributes, Name: "/var/lib/bindery/identity", Mode: 0o644, UID: system.Keep, GID: system.Keep},
		{Op: system.Hardlink, Name: "/stolen", To: "/var/lib/bindery/identity"},
		{Op: system.RemoveAll, Name: "/"},
	} {
		require.ErrorIs(t, tree.Change(c), system.ErrProtected, "%s %s", c.Op, c.Name)
	}
	bare := open(t, system.TreeConfig{Root: t.TempDir(), Protected: []string{"/var/lib/bindery"}})
	require.NoError(t, bare.Change(system.Change{Op: system.Mkdir, Name: "/var", Mode: 0o755, UID: system.Keep, GID: system.Keep}))
	info, err := tree.Look("/direct/identity")
	require.NoError(t, err)
	require.True(t, info.Protected)
	got, err := os.ReadFile(root + "/var/lib/bindery/identity")
	require.NoError(t, err)
	require.Equal(t, "key", string(got))
}

func TestFaultsLeaveTheOldFile(t *testing.T) {
	root := t.TempDir()
	fault, at, n := errors.New("no space left on device"), 0, 0
	tree := open(t, system.TreeConfig{Root: root, Before: func(string, string) error {
		if n++; n == at {
			return fault
		}
		return nil
	}})
	require.NoError(t, tree.Change(write("/f", "old")))
	for at = 1; ; at++ {
		n = 0
		err := tree.Change(write("/f", "new"))
		got, readErr := os.ReadFile(root + "/f")
		require.NoError(t, readErr)
		if err == nil {
			require.Equal(t, "new", string(got))
			break
		}
		require.ErrorIs(t, err, fault)
		require.ErrorContains(t, err, `write "/f"`)
		list, listErr := os.ReadDir(root)
		require.NoError(t, listErr)
		require.Len(t, list, 1, "half-made files are taken away")
	}
	require.Greater(t, at, 5)
}

const crashAt = "SYSTEM_TEST_CRASH_AT"

// TestMain is also the process that is killed: it replaces a file, a directory by
// a link, and makes a directory, and kills itself before the given step.
func TestMain(m *testing.M) {
	root, at, ok := strings.Cut(os.Getenv(crashAt), ":")
	if !ok {
		os.Exit(m.Run())
	}
	left, _ := strconv.Atoi(at)
	tree, err := system.NewTree(system.TreeConfig{Root: root, Before: func(string, string) error {
		if left--; left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}})
	if err == nil {
		err = errors.Join(
			tree.Change(write("/file", "new")),
			tree.Change(system.Change{Op: system.Link, Name: "/dir", To: "file"}),
			tree.Change(system.Change{Op: system.Mkdir, Name: "/made", Mode: 0o750, UID: system.Keep, GID: system.Keep}),
		)
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func TestKilledAtEveryStep(t *testing.T) {
	root := t.TempDir()
	prepare := func() {
		require.NoError(t, os.RemoveAll(root+"/made"))
		require.NoError(t, os.RemoveAll(root+"/dir"))
		require.NoError(t, os.Mkdir(root+"/dir", 0o755))
		require.NoError(t, os.WriteFile(root+"/dir/f", []byte("x"), 0o644))
		require.NoError(t, os.WriteFile(root+"/file", []byte("old"), 0o644))
	}
	child := func(at int) error {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashAt+"="+root+":"+strconv.Itoa(at))
		return cmd.Run()
	}
	kills, without := 0, 0
	for at := 1; ; at++ {
		prepare()
		err := child(at)
		got, readErr := os.ReadFile(root + "/file")
		require.NoError(t, readErr)
		require.Contains(t, []string{"old", "new"}, string(got))
		info, statErr := os.Lstat(root + "/dir")
		if errors.Is(statErr, fs.ErrNotExist) {
			without++
			info, statErr = os.Lstat(root + system.Leftovers("/dir")[1])
		}
		require.NoError(t, statErr, "there is something at the name, or it was put aside")
		require.True(t, info.IsDir() || info.Mode()&fs.ModeSymlink != 0)
		if made, err := os.Lstat(root + "/made"); err == nil {
			require.Equal(t, fs.FileMode(0o750), made.Mode().Perm(), "the mode is there with the name")
		}
		if err == nil {
			break
		}
		kills++
	}
	require.Greater(t, kills, 12)
	require.Equal(t, stepsWithoutName, without)
	prepare()
	require.NoError(t, child(0))
	list, err := filepath.Glob(root + "/" + system.TempPrefix + "*")
	require.NoError(t, err)
	require.Empty(t, list, "the next run clears what killed ones left")
}

func TestReadOnlyDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		root := t.TempDir()
		require.NoError(t, os.Chmod(root, 0o555))
		require.ErrorIs(t, open(t, system.TreeConfig{Root: root}).Change(write("/f", "x")), fs.ErrPermission)
		return
	}
	// Root writes anywhere but to what the kernel itself keeps read-only.
	require.Error(t, open(t, system.TreeConfig{Root: "/proc/sys/kernel"}).Change(write("/f", "x")))
}

func TestProcesses(t *testing.T) {
	env := []string{"PATH=/usr/bin:/bin", "X=1"}
	run := func(limit int, script string) (system.Result, error) {
		return system.Host{}.Run(t.Context(), system.Command{
			Args: []string{"sh", "-c", script}, Env: env, Dir: "/", Timeout: time.Minute, MaxOutput: limit,
		})
	}
	r, err := run(100, "echo $X; exit 3")
	require.NoError(t, err)
	require.Equal(t, system.Result{Exit: 3, Stdout: []byte("1\n")}, r)
	_, err = run(100, "while :; do echo y; done")
	require.ErrorIs(t, err, system.ErrOutput)
	_, err = run(100, "head -c 1000 /dev/zero")
	require.ErrorIs(t, err, system.ErrOutput)
	r, err = run(0, "echo thrown away")
	require.NoError(t, err)
	require.Empty(t, r.Stdout)
	r, err = run(10, "kill -9 $$")
	require.NoError(t, err)
	require.Equal(t, 137, r.Exit)

	// What was asked for its output leaves nobody behind, not even one that let go of
	// the output.
	r, err = run(100, "sleep 1000 >/dev/null 2>&1 & echo $!")
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(r.Stdout)))
	require.NoError(t, err)
	for alive := true; alive; {
		// A dead one may still wait to be buried by init.
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		alive = err == nil && !strings.Contains(string(stat), ") Z ")
	}

	_, err = system.Host{}.Run(t.Context(), system.Command{Args: []string{"sleep", "1000"}, Env: env, Timeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, system.ErrTimeout)
	_, err = system.Host{}.Run(t.Context(), system.Command{Args: []string{"no-such-program"}, Env: env, Timeout: time.Second})
	require.ErrorIs(t, err, exec.ErrNotFound)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = system.Host{}.Run(ctx, system.Command{Args: []string{"sleep", "1000"}, Env: env, Timeout: time.Minute})
	require.ErrorIs(t, err, context.Canceled)
}

func TestLargeContent(t *testing.T) {
	root := t.TempDir()
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	c := write("/big", "")
	c.Content = data
	require.NoError(t, open(t, system.TreeConfig{Root: root}).Change(c))
	got, err := os.ReadFile(root + "/big")
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
}
