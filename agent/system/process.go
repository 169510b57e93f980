// SPDX-License-Identifier: Apache-2.0

package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Host runs programs on the machine that the agent itself runs on.
type Host struct{}

// grace is how long a program's heirs may hold its output open after its end.
const grace = 2 * time.Second

// Run implements Processes. The program gets a session of its own, which is a process
// group too, so that what it started ends with it when it runs too long or was asked for
// its output. It has no terminal: who asks there gets an error at once.
func (Host) Run(ctx context.Context, c Command) (Result, error) {
	if len(c.Args) == 0 {
		return Result{}, errors.New("run: empty command")
	}
	if c.Timeout <= 0 {
		return Result{}, errors.New("run: no time limit")
	}
	if err := context.Cause(ctx); err != nil {
		return Result{}, fmt.Errorf("run %q: %w", c.Args[0], err)
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	path, err := search(c.Args[0], c.Env)
	if err != nil {
		return Result{}, fmt.Errorf("run %q: %w", c.Args[0], err)
	}
	if c.Limits != nil {
		r, err := confined(ctx, path, c)
		return r, wrap(fmt.Sprintf("run %q", c.Args[0]), err)
	}
	cmd := exec.CommandContext(ctx, path, c.Args[1:]...)
	cmd.Args[0] = c.Args[0]
	cmd.Env, cmd.Dir = c.Env, c.Dir
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	out := &capped{left: c.MaxOutput, full: func() { stop(ErrOutput) }}
	last := &tail{max: c.MaxTail}
	if c.MaxOutput > 0 {
		cmd.Stdout = out
	}
	if c.MaxTail > 0 {
		cmd.Stderr = last
		if cmd.Stdout == nil {
			cmd.Stdout = last
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = grace
	err = cmd.Run()
	if c.MaxOutput > 0 && cmd.Process != nil {
		// What was asked has answered; nothing that it left behind may go on, run
		// after run. A program that is run for its effect may leave a service.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if cause := context.Cause(ctx); cause != nil {
		return Result{}, fmt.Errorf("run %q: %w", c.Args[0], cause)
	}
	if errors.Is(err, exec.ErrWaitDelay) && c.MaxOutput == 0 {
		err = nil // it ended well; a service that it started keeps its output open
	}
	code, err := exit(err)
	if err != nil {
		return Result{}, fmt.Errorf("run %q: %w", c.Args[0], err)
	}
	return Result{Exit: code, Stdout: out.data.Bytes(), Tail: last.kept()}, nil
}

// within limits a context to the program's time. Who stops the agent, or the machine, does
// not want half a package: what changes something comes to its end all the same, in its
// time and its caller's, and the run stops then.
func (c *Command) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Asks || c.Limits != nil {
		return context.WithTimeoutCause(ctx, c.Timeout, ErrTimeout)
	}
	end := time.Now().Add(c.Timeout)
	if at, limited := ctx.Deadline(); limited && at.Before(end) {
		end = at
	}
	return context.WithDeadlineCause(context.WithoutCancel(ctx), end, ErrTimeout)
}

// exit tells how a program ended, as a shell would.
func exit(err error) (int, error) {
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, err
	}
	if ws, ok := ended.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return ended.ExitCode(), nil
}

// search finds a program in the PATH of the environment that it will get, not in
// the agent's own.
func search(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, kv := range env {
		dirs, ok := strings.CutPrefix(kv, "PATH=")
		if !ok {
			continue
		}
		for dir := range strings.SplitSeq(dirs, ":") {
			if !strings.HasPrefix(dir, "/") {
				continue
			}
			if path, err := exec.LookPath(dir + "/" + name); err == nil {
				return path, nil
			}
		}
	}
	return "", exec.ErrNotFound
}

// capped keeps what a program writes, up to a bound. The buffer is not embedded:
// its ReadFrom would pass by the bound.
type capped struct {
	data bytes.Buffer
	left int
	full func()
}

func (c *capped) Write(b []byte) (int, error) {
	if len(b) > c.left {
		c.full()
		return 0, ErrOutput
	}
	c.left -= len(b)
	return c.data.Write(b)
}

// tail keeps the end of what a program writes. Both of the program's outputs may
// be written at once only where they are different writers, which exec takes care
// of.
type tail struct {
	data []byte
	max  int
}

func (t *tail) Write(b []byte) (int, error) {
	t.data = append(t.data, b...)
	if len(t.data) > 2*t.max {
		t.data = append(t.data[:0], t.data[len(t.data)-t.max:]...)
	}
	return len(b), nil
}

func (t *tail) kept() []byte { return t.data[max(0, len(t.data)-t.max):] }

var _ Processes = Host{}
