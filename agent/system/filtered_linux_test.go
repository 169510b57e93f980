// SPDX-License-Identifier: Apache-2.0

//go:build !portable

package system_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// unknown makes the kernel answer this thread, and what it starts, that it does not
// know openat2: as it is before Linux 5.6.
func unknown(answer unix.Errno) error {
	const load, equal, give = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load},
		{Code: equal, Jf: 1, K: unix.SYS_OPENAT2},
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
			if installed = unknown(answer); installed != nil {
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
