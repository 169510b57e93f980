// SPDX-License-Identifier: Apache-2.0

//go:build !linux || portable

package system

import (
	"context"
	"crypto/rand"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// family is a program and all that it starts: what is in its group, what descends
// from one of them that lives, and what has the mark in its environment. One that
// left the group, lost its parent and forgot the mark is not found.
type family struct {
	mark string
	pid  int
}

func gather(*Limits) (*family, error) { return &family{mark: mark + rand.Text()}, nil }

func (f *family) scatter() {}

// looks is how often in a row nothing must be found: a process that becomes another
// program has no environment at that moment.
const looks = 3

// maxList bounds what is read of the list of processes.
const maxList = 4 << 20

// end kills all that is left of the family. They are stopped first, so that they
// start no others while they are looked for.
func (f *family) end() error {
	_ = syscall.Kill(-f.pid, syscall.SIGKILL)
	stopped, clear := map[int]bool{}, 0
	for end := time.Now().Add(grace); ; time.Sleep(5 * time.Millisecond) {
		left, err := f.left()
		if err != nil {
			return fmt.Errorf("find what it left behind: %w", err)
		}
		if len(left) == 0 {
			if clear++; clear == looks {
				return nil
			}
			continue
		}
		clear = 0
		signal, late := syscall.SIGKILL, time.Now().After(end)
		for _, pid := range left {
			if !stopped[pid] && !late {
				signal = syscall.SIGSTOP
			}
		}
		for _, pid := range left {
			stopped[pid] = true
			_ = syscall.Kill(pid, signal)
		}
		if late {
			return fmt.Errorf("%d of its processes cannot be ended", len(left))
		}
	}
}

// left lists those of the family that live.
func (f *family) left() ([]int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "pgid=", "-o", "stat=")
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	list := &capped{left: maxList, full: cancel}
	cmd.Stdout = list
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	var out []int
	parents := map[int]int{}
	for line := range strings.Lines(list.data.String()) {
		words := strings.Fields(line)
		if len(words) != 4 || strings.HasPrefix(words[3], "Z") {
			continue
		}
		pid, err := strconv.Atoi(words[0])
		if err != nil {
			continue
		}
		if parents[pid], err = strconv.Atoi(words[1]); err != nil {
			continue
		}
		if words[2] == strconv.Itoa(f.pid) || slices.Contains(strings.Split(environment(pid), "\x00"), f.mark) {
			out = append(out, pid)
		}
	}
	for i := 0; i < len(out); i++ {
		for pid, parent := range parents {
			if parent == out[i] && !slices.Contains(out, pid) {
				out = append(out, pid)
			}
		}
	}
	return out, nil
}
