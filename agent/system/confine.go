// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits confine a program beyond its time and its output: it is one that is only
// asked, and nothing of it may stay.
type Limits struct {
	// User is who it runs as. Nil: whoever runs the agent.
	User *User
	// CPU is the processor time that each of its processes may take. Zero: any.
	CPU time.Duration
	// Memory is how many bytes of its own each of its processes may have. Zero: any.
	Memory uint64
	// Processes is how many the user may have. The kernel does not hold the
	// administrator to it. Zero: any.
	Processes uint64
}

// User is somebody a program can run as, with no other groups.
type User struct{ UID, GID uint32 }

// ErrCPU is a program that took too much processor time.
var ErrCPU = errors.New("took too much processor time")

// gate sets limits and becomes the program: a program could start others before
// somebody else sets them. Shells differ in what they call processes, and say so where
// they cannot set a limit.
const gate = `umask 077
ulimit -c 0 || exit 125
[ "$1" = 0 ] || { ulimit -S -t "$1" && ulimit -H -t $(($1 + 1)); } || exit 125
[ "$2" = 0 ] || ulimit -d "$2" || exit 125
[ "$3" = 0 ] || ulimit -u "$3" 2>/dev/null || ulimit -p "$3" || exit 125
shift 3
exec "$@" </dev/null`

// ungated is how a gate ends that cannot set a limit.
const ungated = 125

// mark is the variable by which what a program leaves behind is known.
const mark = "BINDERY_CONFINED="

// confined runs a program whose whole family ends with it, even those that became
// daemons: they become the agent's children when their parents end, and have the
// mark in their environment, or a user of their own.
func confined(ctx context.Context, path string, c Command) (Result, error) {
	// The kernel kills the program with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return Result{}, err
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }()
	f := &family{limits: *c.Limits, mark: mark + rand.Text(), before: children()}
	cmd := exec.Command("/bin/sh", slices.Concat([]string{"-c", gate, "sh"}, c.Limits.words(), []string{path}, c.Args[1:])...)
	cmd.Env, cmd.Dir = append(slices.Clone(c.Env), f.mark), c.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if u := c.Limits.User; u != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
	}
	if c.Script != nil {
		cmd.ExtraFiles = []*os.File{c.Script}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := &capped{left: c.MaxOutput, full: func() { stop(ErrOutput) }}
	answer, err := f.start(cmd, out)
	if err != nil {
		return Result{}, err
	}
	ended := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err = cmd.Wait()
	ended()
	left := f.end()
	// Nobody is left who could write, but for what cannot be killed.
	_ = answer.pipe.SetReadDeadline(time.Now().Add(grace))
	unread := <-answer.done
	_ = answer.pipe.Close()
	if cause := context.Cause(ctx); cause != nil {
		return Result{}, cause
	}
	code, err := exit(err)
	switch {
	case err != nil:
	case code == 128+int(unix.SIGXCPU):
		err = ErrCPU
	case code == ungated:
		err = errors.New("its limits cannot be set, or it says so itself with status 125")
	}
	return Result{Exit: code, Stdout: out.data.Bytes()}, errors.Join(err, unread, left)
}

// answer is what a program says, while it is read.
type answer struct {
	pipe *os.File
	done chan error
}

// family is a program and all that it starts.
type family struct {
	limits Limits
	mark   string
	pid    int
	// before are the agent's children that are not of it.
	before []int
}

// start starts the program, and reads what it says.
func (f *family) start(cmd *exec.Cmd, out *capped) (answer, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return answer{}, err
	}
	cmd.Stdout = write
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return answer{}, err
	}
	f.pid = cmd.Process.Pid
	a := answer{pipe: read, done: make(chan error, 1)}
	go func() {
		_, err := io.Copy(out, read)
		a.done <- err
	}()
	return a, nil
}

// words are the limits as the gate takes them: seconds, kilobytes, processes.
func (l *Limits) words() []string {
	var out []string
	for _, n := range []uint64{uint64((l.CPU + time.Second - 1) / time.Second), l.Memory >> 10, l.Processes} {
		out = append(out, strconv.FormatUint(n, 10))
	}
	return out
}

// end kills all that is left of the family. Those that started others meanwhile are
// found in the next round.
func (f *family) end() error {
	_ = syscall.Kill(-f.pid, syscall.SIGKILL)
	known := map[int]bool{}
	for end := time.Now().Add(grace); ; time.Sleep(time.Millisecond) {
		left := 0
		for _, pid := range children() {
			if slices.Contains(f.before, pid) || !known[pid] && !f.has(pid) {
				continue
			}
			known[pid] = true // a dead one is not to be recognised by everything
			_ = syscall.Kill(pid, syscall.SIGKILL)
			if gone, _ := unix.Wait4(pid, nil, unix.WNOHANG, nil); gone != pid {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d of its processes cannot be ended", left)
		}
	}
}

// has tells whether a child of the agent is of the family: by its user, by its group
// or by the mark.
func (f *family) has(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid)
	if u := f.limits.User; u != nil && int(u.UID) != os.Geteuid() {
		var st unix.Stat_t
		if unix.Stat(dir, &st) == nil && st.Uid == u.UID {
			return true
		}
	}
	if group, err := unix.Getpgid(pid); err == nil && group == f.pid {
		return true
	}
	env, err := os.ReadFile(dir + "/environ")
	return err == nil && slices.Contains(strings.Split(string(env), "\x00"), f.mark)
}

// children are the processes that this one is the parent of.
func children() []int {
	lists, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil
	}
	var out []int
	for _, task := range lists {
		data, err := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		if err != nil {
			continue // the thread ended
		}
		for _, word := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(word); err == nil {
				out = append(out, pid)
			}
		}
	}
	return out
}
