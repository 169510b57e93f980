// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
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
` + memoryGate + `
[ "$3" = 0 ] || ulimit -u "$3" 2>/dev/null || ulimit -p "$3" || exit 125
shift 3
exec "$@" </dev/null`

// ungated is how a gate ends that cannot set a limit.
const ungated = 125

// mark is the variable by which what a program leaves behind is known.
const mark = "BINDERY_CONFINED="

// confined runs a program whose whole family ends with it, even those that became
// daemons.
func confined(ctx context.Context, path string, c Command) (Result, error) {
	if c.Limits.Memory > 0 && !LimitsMemory {
		return Result{}, fmt.Errorf("%w: this system holds no program to a limit of memory", errors.ErrUnsupported)
	}
	// A kernel that kills the program with who started it means the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f, err := gather(c.Limits)
	if err != nil {
		return Result{}, err
	}
	defer f.scatter()
	cmd := exec.Command("/bin/sh", slices.Concat([]string{"-c", gate, "sh"}, c.Limits.words(), []string{path}, c.Args[1:])...)
	cmd.Env, cmd.Dir = append(slices.Clone(c.Env), f.mark), c.Dir
	cmd.SysProcAttr = apart()
	if u := c.Limits.User; u != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
	}
	if c.Script != nil {
		// FreeBSD has it only with fdescfs.
		if _, err := os.Stat("/dev/fd/" + strconv.Itoa(int(c.Script.Fd()))); err != nil {
			return Result{}, fmt.Errorf("a script is handed over by /dev/fd, which this system does not have: mount it: %w", err)
		}
		cmd.ExtraFiles = []*os.File{c.Script}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := &capped{left: c.MaxOutput, full: func() { stop(ErrOutput) }}
	answer, err := start(cmd, out)
	if err != nil {
		return Result{}, err
	}
	f.pid = cmd.Process.Pid
	ended := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err = cmd.Wait()
	ended()
	left := f.end()
	// Nobody is left who could write, but for what cannot be killed.
	_ = answer.pipe.SetReadDeadline(time.Now().Add(grace))
	unread := <-answer.done
	if errors.Is(unread, os.ErrDeadlineExceeded) {
		unread = errors.New("something that it started holds its output and was not ended")
	}
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

// start starts the program, and reads what it says.
func start(cmd *exec.Cmd, out *capped) (answer, error) {
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
