// SPDX-License-Identifier: Apache-2.0

//go:build !portable

package system

import (
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// family is a program and all that it starts. They become the agent's children when
// their parents end, and have the mark in their environment, or a user of their own.
type family struct {
	limits Limits
	mark   string
	pid    int
	// before are the agent's children that are not of it.
	before []int
}

// gather makes the agent the parent of all who lose theirs.
func gather(l *Limits) (*family, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become the parent of what it leaves behind: %w", err)
	}
	return &family{limits: *l, mark: mark + rand.Text(), before: children()}, nil
}

func (f *family) scatter() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }

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
