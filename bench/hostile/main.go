// SPDX-License-Identifier: Apache-2.0

// Command hostile builds specifications that mean harm, each by a process of its
// own, and sees that the build ends in time, with little memory and with a problem
// at the line. It must not know the engine: it sees what a user would.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/bindery/bindery/fixtures/hostile"
)

// What one build may take. Processor time is what counts: a busy machine makes
// everything slow.
const (
	mostTime   = 2 * time.Second
	mostMemory = 200 << 20
)

// cost is what a build took.
type cost struct {
	wall, cpu time.Duration
	memory    int64
}

// found is a problem as the build writes it.
type found struct {
	Error string
	Pos   struct {
		File string
		Line int
	}
}

func main() {
	if err := run("bin/bindery"); err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

// run builds every case and fails where one broke out.
func run(program string) error {
	bad := 0
	for _, c := range hostile.Cases() {
		took, problems, err := build(program, c)
		if err != nil {
			return fmt.Errorf("build %s: %w", c.Name, err)
		}
		verdict := judge(c, took, problems)
		if verdict != "" {
			bad++
		}
		fmt.Printf("%-28s %5.2f s %5.2f CPU s %4d MB  %s\n", c.Name, took.wall.Seconds(), took.cpu.Seconds(), took.memory>>20, verdict)
	}
	if bad > 0 {
		return fmt.Errorf("%d cases broke out", bad)
	}
	return nil
}

// judge tells what is wrong with a build, nothing if it is as it must be.
func judge(c hostile.Case, took cost, problems []found) string {
	switch {
	case took.cpu > mostTime:
		return fmt.Sprintf("too long: at most %v", mostTime)
	case took.memory > mostMemory:
		return fmt.Sprintf("too much memory: at most %d MB", mostMemory>>20)
	case c.Line == 0 && len(problems) > 0:
		return "it should answer: " + problems[0].Error
	case c.Line == 0:
		return ""
	case len(problems) == 0:
		return "no problem is told"
	case problems[0].Pos.Line > c.Line || problems[0].Pos.Line < min(2, c.Line):
		return fmt.Sprintf("the problem is at %s:%d, not in line %d: %s", problems[0].Pos.File, problems[0].Pos.Line, c.Line, problems[0].Error)
	case len(problems[0].Error) > 3000:
		return "the problem is too long to be read"
	}
	return ""
}

// build runs one build and reads its problems.
func build(program string, c hostile.Case) (took cost, problems []found, err error) {
	dir, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		return took, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for name, data := range c.Tree() {
		to := filepath.Join(dir, "spec", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return took, nil, err
		}
		if err := os.WriteFile(to, []byte(data), 0o644); err != nil {
			return took, nil, err
		}
	}
	out := filepath.Join(dir, "out")
	cmd := exec.Command(program, "build", "--spec", filepath.Join(dir, "spec"), "--all", "--out", out)
	begin := time.Now()
	text, err := cmd.CombinedOutput()
	took.wall = time.Since(begin)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return took, nil, err
	}
	took.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		took.memory = r.Maxrss * 1024
	}
	data, err := os.ReadFile(filepath.Join(out, "problems.json"))
	if errors.Is(err, os.ErrNotExist) {
		return took, nil, fmt.Errorf("%s", text)
	}
	if err != nil {
		return took, nil, err
	}
	return took, problems, json.Unmarshal(data, &problems)
}
