// SPDX-License-Identifier: Apache-2.0

//go:build !portable

package system_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent/system"
)

// answering makes the kernel answer a call of this thread, and of what it starts, with an
// error.
func answering(call uint32, answer unix.Errno) error {
	const load, equal, give = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load},
		{Code: equal, Jf: 1, K: call},
		{Code: give, K: unix.SECCOMP_RET_ERRNO | uint32(answer)},
		{Code: give, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program))); err != 0 {
		return err
	}
	return nil
}

func openat2() error {
	fd, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC})
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}

// The successor of a file that cannot be asked for its access list is not made: without
// it others would lose their rights, and nobody be told.
func TestUnreadableAttributes(t *testing.T) {
	root := t.TempDir()
	name := filepath.Join(root, "f")
	require.NoError(t, os.WriteFile(name, []byte("old"), 0o600))
	tree, err := system.NewTree(system.TreeConfig{Root: root})
	require.NoError(t, err)
	defer tree.Close()
	write := func(name string) error {
		return tree.Change(system.Change{Op: system.Write, Name: name, Mode: 0o600, UID: system.Keep, GID: system.Keep, Content: []byte("new")})
	}
	for answer, made := range map[unix.Errno]bool{unix.EIO: false, unix.ENODATA: true, unix.EOPNOTSUPP: true} {
		require.NoError(t, os.WriteFile(name, []byte("old"), 0o600))
		var installed, err, other error
		done := make(chan struct{})
		go func() {
			defer close(done)
			// It is never unlocked, so the thread ends with this.
			runtime.LockOSThread()
			if installed = answering(unix.SYS_GETXATTR, answer); installed == nil {
				err, other = write("/f"), write("/new")
			}
		}()
		<-done
		require.NoError(t, installed)
		require.NoError(t, other, "what was not there has nothing to leave")
		require.NoError(t, os.Remove(root+"/new"))
		content, readErr := os.ReadFile(name)
		require.NoError(t, readErr)
		if made {
			require.NoError(t, err)
			require.Equal(t, "new", string(content))
			continue
		}
		require.ErrorIs(t, err, answer)
		require.Equal(t, "old", string(content))
		left, err := os.ReadDir(root)
		require.NoError(t, err)
		require.Len(t, left, 1, "what was half made is gone")
	}
}

// All that is said here of files holds for a kernel without openat2, too. Filters of
// containers say of calls that they do not know that they are missing, or forbidden.
func TestWithoutOpenat2(t *testing.T) {
	if openat2() != nil {
		return // then all tests are made without it
	}
	for _, answer := range []unix.Errno{unix.ENOSYS, unix.EPERM} {
		var installed, asked, err error
		var out []byte
		done := make(chan struct{})
		go func() {
			defer close(done)
			// It is never unlocked, so the thread ends with this.
			runtime.LockOSThread()
			if installed = answering(unix.SYS_OPENAT2, answer); installed != nil {
				return
			}
			asked = openat2()
			// TestMadeThingIsSwapped is left out: it is a race of many rounds.
			cmd := exec.Command(os.Args[0], "-test.v", "-test.timeout=2m", "-test.run=Suite|Root|Link|link|Protect|SwappedDirectory|Mounted|Faults|Killed|Attributes|Setuid|Lists|Disk")
			cmd.Dir = t.TempDir()
			out, err = cmd.CombinedOutput()
		}()
		<-done
		require.NoError(t, installed)
		require.ErrorIs(t, asked, answer)
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestMountedBelowStays")
	}
}
