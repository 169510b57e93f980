// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"encoding/binary"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent/system"
)

const (
	attacking = "AGENT_TEST_ATTACK"
	// evil is a user that nothing else runs as.
	evil = 64998
	// private is what others may never read.
	private = "for the administrator alone"
)

// moves are what the attacker did, in memory that the test sees too.
type moves struct {
	// done are moves that worked, swapped those of them that put another directory in
	// the place of one.
	done, swapped atomic.Uint64
	// at is what the agent works on, by its place in wanted, counted from one: who waits
	// for the moment sees files come.
	at atomic.Uint64
	// looted says what the attacker could read or write that is not theirs, by its place
	// in wanted, counted from one.
	looted atomic.Uint64
	// repos tells that the agent works on checkouts.
	repos atomic.Bool
}

func shared(fd int) (*moves, error) {
	page, err := unix.Mmap(fd, 0, int(unsafe.Sizeof(moves{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*moves)(unsafe.Pointer(&page[0])), nil
}

// attacker is the user, as a process.
type attacker struct {
	*moves
	cmd *exec.Cmd
}

// invade starts the attacker in a directory.
func invade(t *testing.T, dir string) *attacker {
	t.Helper()
	fd, err := unix.MemfdCreate("moves", unix.MFD_CLOEXEC)
	require.NoError(t, err)
	f := os.NewFile(uintptr(fd), "moves")
	defer f.Close()
	require.NoError(t, f.Truncate(int64(unsafe.Sizeof(moves{}))))
	m, err := shared(fd)
	require.NoError(t, err)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{attacking + "=" + dir}
	cmd.ExtraFiles = []*os.File{f}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: evil, Gid: evil}}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &attacker{moves: m, cmd: cmd}
}

// await waits until the attacker has done some more, and tells whether it did.
func (m *moves) await(more uint64) bool {
	until := m.done.Load() + more
	for deadline := time.Now().Add(time.Minute); m.done.Load() < until; time.Sleep(20 * time.Microsecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// attack is what a user does who may write to one directory, and wants to be given
// what is not theirs: links take the place of directories and files while the agent
// works there, and all that it cleans up comes again.
func attack(dir string) {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0)
	m, err := shared(3)
	if err != nil || os.Chdir(dir) != nil {
		return
	}
	unix.Umask(0)
	steps, sown, names := m.steps(), m.sown(), make([][]func() error, len(wanted()))
	for i, name := range wanted() {
		names[i] = m.replace(name)
	}
	for {
		choice := names[rand.N(len(names))]
		switch at := int(m.at.Load()); {
		case m.repos.Load() && rand.N(4) > 0:
			choice = sown
		case rand.N(2) == 0:
			choice = steps
		case at > 0:
			choice = names[at-1]
		}
		if choice[rand.N(len(choice))]() == nil {
			m.done.Add(1)
		}
		if rand.N(16) == 0 {
			time.Sleep(time.Duration(rand.N(200)) * time.Microsecond) // all speeds meet all moments
		}
	}
}

func (m *moves) swap(a, b string) func() error {
	return func() error {
		err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
		if err == nil {
			m.swapped.Add(1)
		}
		return err
	}
}

// wanted are names that the agent works on.
func wanted() []string {
	return []string{"d/file", "d/pipe", "d/null", "d/linked", "d/tool", "d/perm/hard", "d/perm/in/hard", "d/acl", "d/listed/hard", "d/secret"}
}

// steps are moves of directories, and what brings again what the agent cleared.
func (m *moves) steps() []func() error {
	return []func() error{
		m.swap("d", "relative"), m.swap("d", "absolute"), m.fresh,
		m.swap("d/pruned", "deep"), m.swap("d/gone", "deep"), m.swap("d/perm", "deep"), m.swap("d/perm/in", "deep"), m.swap("d/listed", "deep"),
		fill("d/gone/in"), fill("d/pruned/in"), fill("d/perm/in"), fill("d/listed/in"),
		func() error { _ = os.Remove("deep"); return os.Symlink("../victim", "deep") },
		func() error { return os.Rename("d/pruned/in", "d/gone/moved") },
		func() error { _ = os.Remove("d/link"); return os.Symlink("../../victim", "d/link") },
		func() error { _ = os.Remove("d/one"); return os.Link("../victim/open", "d/one") },
		func() error { return os.Rename("d/secret", wanted()[rand.N(len(wanted()))]) }, // its rights are less than theirs
		m.loot,
	}
}

// replace has a name that the agent works on, or that of its successor, become a link
// to what belongs to others, or a file that is as it should be but for who can still
// write to it.
func (m *moves) replace(name string) (steps []func() error) {
	half := system.TempName("/" + name)[1:]
	for _, name := range []string{name, half} {
		steps = append(
			steps,
			func() error { _ = os.Remove(name); return os.Symlink("../../victim/file", name) },
			func() error { _ = os.Remove(name); return os.Link("../victim/open", name) },
			func() error { _ = os.Remove(name); return os.Link("../victim/secret", name) }, // old kernels let everybody
			func() error { return os.Remove(name) },
			own(name, 0o644), own(name, 0o777),
		)
	}
	return append(steps, m.swap(name, half))
}

// fill brings a directory again that the agent cleared, for everybody.
func fill(name string) func() error {
	return func() error {
		if err := os.MkdirAll(name, 0o777); err != nil {
			return err
		}
		return os.WriteFile(name+"/keep", nil, 0o644)
	}
}

// own puts a file of the attacker in the place of a name.
func own(name string, mode fs.FileMode) func() error {
	return func() error {
		_ = os.Remove(name)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.WriteString("new"); err != nil {
			return err
		}
		return f.Chmod(mode | fs.ModeSetuid | fs.ModeSetgid)
	}
}

// fresh takes the directory away in which much is not the attacker's any more, and
// makes a new one that gives the attacker a right to whatever is made in it. Few of
// the old ones are kept.
func (m *moves) fresh() error {
	old := "old-" + string(rune('a'+rand.N(8)))
	_ = clear(old)
	if err := os.Rename("d", old); err != nil {
		_ = os.Mkdir("d", 0o755) // the last one was put away and none was made
		return err
	}
	m.swapped.Add(1)
	if err := os.Mkdir("d", 0o755); err != nil {
		return err
	}
	_ = unix.Setxattr("d", "system.posix_acl_default", inherited(), 0)
	for _, name := range []string{"d/perm/in", "d/pruned/in", "d/listed/in"} {
		_ = os.MkdirAll(name, 0o777)
	}
	return nil
}

// clear takes away what a user can: directories of the administrator are emptied by
// nobody else, but can be taken out of the way of a name.
func clear(name string) error {
	if err := os.RemoveAll(name); err == nil {
		return nil
	}
	return os.Rename(name, "left")
}

// inherited is an access list by which the attacker may do all with what is made.
func inherited() []byte {
	out := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{{0x01, 7, 0xffffffff}, {0x02, 7, evil}, {0x04, 7, 0xffffffff}, {0x10, 7, 0xffffffff}, {0x20, 0, 0xffffffff}} {
		out = binary.LittleEndian.AppendUint16(out, uint16(e[0]))
		out = binary.LittleEndian.AppendUint16(out, uint16(e[1]))
		out = binary.LittleEndian.AppendUint32(out, e[2])
	}
	return out
}

// loot tries to read and to write what is not the attacker's. What was theirs when it
// was opened may be the administrator's by now: it is opened again, by no name.
func (m *moves) loot() error {
	for i, name := range append(wanted(), "../victim/secret", system.TempName("/d/secret")[1:]) {
		for _, flags := range []int{unix.O_RDONLY, unix.O_WRONLY} {
			fd, err := unix.Open(name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
			if err != nil {
				continue
			}
			if again := "/proc/self/fd/" + strconv.Itoa(fd); foreign(fd, flags) && loots(again, flags) {
				m.looted.Store(uint64(1 + i))
			}
			_ = unix.Close(fd)
		}
	}
	return nil
}

// foreign tells whether an open file is the administrator's, and not meant to be written
// by everybody.
func foreign(fd, flags int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Uid == 0 && (flags == unix.O_RDONLY || st.Mode&0o002 == 0)
}

func loots(name string, flags int) bool {
	fd, err := unix.Open(name, flags|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	data := make([]byte, 2*len(private))
	n, _ := unix.Read(fd, data)
	return flags == unix.O_WRONLY || n > 0 && strings.Contains(string(data[:n]), private)
}
