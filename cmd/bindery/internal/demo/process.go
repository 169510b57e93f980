// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Limits of what the demo waits for.
const (
	// commandTime is for one command.
	commandTime = time.Minute
	// waitTime is for something to come true.
	waitTime = 2 * time.Minute
	// endTime is how long a process may take to end once it is told to.
	endTime = 5 * time.Second
	// look is the pause between two looks.
	look = 100 * time.Millisecond
)

// process is a program that runs beside the demo.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string // file
	done chan struct{}
	err  error // why it ended; read it after done
}

// start runs a program until the demo ends or stop is called. What it writes goes
// into logs/NAME.log.
func (d *Demo) start(ctx context.Context, name string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(d.c.Dir, "logs", name+".log"), done: make(chan struct{})}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.cmd = d.command(ctx, args)
	p.cmd.Stdout, p.cmd.Stderr = file, file
	err = p.cmd.Start()
	_ = file.Close() // the process has its own
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	d.processes = append(d.processes, p)
	return p, nil
}

// command prepares a program of the demo: below its folder, alone in its process
// group, told to end when the context ends, and killed should the demo be.
func (d *Demo) command(ctx context.Context, args []string) *exec.Cmd {
	program := args[0]
	switch program {
	case "bindery":
		program = d.c.Program
	case "bindery-agent":
		program = d.c.Agent
	}
	cmd := exec.CommandContext(ctx, program, args[1:]...)
	cmd.Dir, cmd.Env = d.c.Dir, d.environment()
	cmd.SysProcAttr = guarded()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endTime
	return cmd
}

// environment keeps what people have set for themselves out of the demo.
func (d *Demo) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + d.c.Dir, "TMPDIR=" + filepath.Join(d.c.Dir, "tmp"), "LC_ALL=C.UTF-8",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
	}
}

// stop ends a process and waits for it.
func (p *process) stop() {
	select {
	case <-p.done:
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(endTime):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// dead says why a process is gone, nil while it runs.
func (p *process) dead() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended by itself (%v): its last words are in %s:\n%s", p.name, p.err, p.log, tail(p.log)) //nolint:errorlint // none where it ended well
	default:
		return nil
	}
}

// run runs one command to its end and gives what it wrote to both streams. Only
// the given exit codes are right; none means 0.
func (d *Demo) run(ctx context.Context, stdin string, codes []int, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := d.command(ctx, args)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &out
	err := cmd.Run()
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		return out.String(), fmt.Errorf("%s: %w", words(args), err)
	}
	if ctx.Err() != nil {
		return out.String(), fmt.Errorf("%s: %w", words(args), context.Cause(ctx))
	}
	if len(codes) == 0 {
		codes = []int{0}
	}
	if slices.Contains(codes, code) {
		return out.String(), nil
	}
	return out.String(), fmt.Errorf("%s ended with %d:\n%s", words(args), code, out.String())
}

// until waits for something to come true, as long as all processes live.
func (d *Demo) until(ctx context.Context, what string, check func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, waitTime, fmt.Errorf("it did not come true within %s", waitTime))
	defer cancel()
	for {
		ok, err := check(ctx)
		if ok {
			return nil
		}
		for _, p := range d.processes {
			if gone := p.dead(); gone != nil {
				return fmt.Errorf("wait until %s: %w", what, gone)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, errors.Join(context.Cause(ctx), err))
		case <-time.After(look):
		}
	}
}

// freePorts finds ports of loopback that nobody uses, below those that the kernel
// gives to outgoing connections, so that none of those takes one before it is used.
func freePorts(ctx context.Context, n int) ([]string, error) {
	const from, to = 20000, 32000
	var out []string
	var lc net.ListenConfig
	// Demos that run at the same time begin at different places.
	first := os.Getpid() * n
	for i := range 200 {
		address := fmt.Sprintf("127.0.0.1:%d", from+(first+i)%(to-from))
		l, err := lc.Listen(ctx, "tcp", address)
		if err != nil {
			continue
		}
		defer l.Close() // only once all are found: no port is found twice
		if out = append(out, address); len(out) == n {
			return out, nil
		}
	}
	return nil, errors.New("no free port on 127.0.0.1")
}

// tail is the end of a file.
func tail(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	const most = 2000
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	data, _ := io.ReadAll(io.LimitReader(f, most))
	return strings.TrimRight(string(data), "\n")
}
