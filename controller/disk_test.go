// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
)

// diskVariable names a disk of one megabyte that only this process sees.
const diskVariable = "BINDERY_TEST_DISK"

// onSmallDisk runs a test again in a process with a small disk of its own, and gives
// its path there; "" in the process that waits for the other.
func onSmallDisk(t *testing.T) string {
	t.Helper()
	if disk := os.Getenv(diskVariable); disk != "" {
		return disk
	}
	t.Parallel()
	disk := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "--map-root-user", "sh", "-c",
		`mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -test.run="^$3\$" -test.v`, "sh", disk, os.Args[0], t.Name())
	cmd.Env = append(os.Environ(), diskVariable+"="+disk)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return ""
}

func run(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
	require.NoError(t, err, "%v: %s", args, out)
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	for _, size := range []int{64 << 10, 4 << 10, 1} {
		for err = error(nil); err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	f.Close()
}

func TestAFullDiskIsNamedAndTheLastGoodReleaseIsServed(t *testing.T) {
	disk := onSmallDisk(t)
	if disk == "" {
		return
	}
	w := newWorld(t, plain(nil))
	require.NoError(t, os.Symlink(disk, filepath.Join(w.dir, "state")))
	st, web, db := w.served()
	fill(t, filepath.Join(disk, "filler"))
	tip := w.direct("more", louder)
	w.untilWoken("the cause is named", func() bool { return linesWith(w.log.String(), "no space left on device") != nil })
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))
	require.Equal(t, "hello\n", text(db.fetch(), "/etc/motd"))
	resp, err := http.Get(w.url("/healthz"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)

	require.NoError(t, os.Remove(filepath.Join(disk, "filler")))
	w.untilSettled(st, tip, "published")
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
	require.Equal(t, "HELLO\n", text(db.fetch(), "/etc/motd"))
}

func TestAReadOnlyDiskIsNamedAndTheLastGoodReleaseIsServed(t *testing.T) {
	disk := onSmallDisk(t)
	if disk == "" {
		return
	}
	w := newWorld(t, plain(nil))
	require.NoError(t, os.Mkdir(filepath.Join(w.dir, "state"), 0o700))
	require.NoError(t, os.Symlink(disk, filepath.Join(w.dir, "state", "published")))
	st, web, _ := w.served()
	run(t, "mount", "-o", "remount,ro", disk)
	tip := w.direct("more", louder)
	w.untilWoken("the cause is named", func() bool { return linesWith(w.log.String(), "read-only file system") != nil })
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))
	run(t, "mount", "-o", "remount,rw", disk)
	w.untilSettled(st, tip, "published")
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
}

func TestAStateThatCannotBeWrittenIsAnErrorAtOnce(t *testing.T) {
	disk := onSmallDisk(t)
	if disk == "" {
		return
	}
	w := newWorld(t, plain(nil))
	require.NoError(t, os.Symlink(disk, filepath.Join(w.dir, "state")))
	run(t, "mount", "-o", "remount,ro", disk)
	err := w.tryStart(controller.New)
	require.ErrorContains(t, err, "read-only file system")
	require.ErrorContains(t, err, "open store")
	run(t, "mount", "-o", "remount,rw", disk)
	w.served()
}
