// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// quietRuns is how many runs without a change are measured.
	quietRuns = 15
	// rest is how long after its second poll an agent's memory is looked at.
	rest = 30 * time.Second
)

// quiet measures a run that changes nothing: an agent's process from start to end,
// and what it says to its controller.
func quiet(ctx context.Context, _ int) (record, error) {
	s, err := newSite(ctx)
	if err != nil {
		return record{}, err
	}
	defer s.close()
	before, err := s.wire.settled(ctx)
	if err != nil {
		return record{}, err
	}
	var cpus []float64
	var most int64
	start := time.Now()
	for range quietRuns {
		cmd := s.onHost(ctx, "run", "--once")
		held, err := watched(cmd)
		if err != nil {
			return record{}, fmt.Errorf("run agent: %w", err)
		}
		p := cmd.ProcessState
		cpus = append(cpus, (p.UserTime() + p.SystemTime()).Seconds())
		most = max(most, held)
	}
	wall := time.Since(start).Seconds()
	after, err := s.wire.settled(ctx)
	if err != nil {
		return record{}, err
	}
	slices.Sort(cpus)
	c, err := s.control()
	if err != nil {
		return record{}, err
	}
	per := func(a, b int64) float64 { return float64(b-a) / quietRuns }
	return record{Wall: wall / quietRuns, CPU: cpus[quietRuns/2], Peak: most, Control: c, Figures: []figure{
		{"CPU per run", cpus[quietRuns/2] * 1000, "ms"},
		{"slowest", cpus[quietRuns-1] * 1000, "ms"},
		{"entries", siteEntries, ""},
		{"requests", per(before.requests, after.requests), ""},
		{"sent", per(before.sent, after.sent), "B"},
		{"received", per(before.received, after.received), "B"},
		{"both ways", per(before.sent+before.received, after.sent+after.received), "B"},
	}}, nil
}

// watched runs a program and tells the most memory that it held. What wait4 tells of
// that is no less than what its parent held.
func watched(cmd *exec.Cmd) (most int64, err error) {
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		if m, err := memoryOf(cmd.Process.Pid); err == nil {
			most = max(most, m["VmHWM"])
		}
		select {
		case err := <-done:
			return most, err
		case <-time.After(time.Millisecond):
		}
	}
}

// counted is a moment of a wire's traffic.
type counted struct{ requests, sent, received int64 }

// settled waits until every connection's bytes are counted.
func (w *wire) settled(ctx context.Context) (counted, error) {
	var last counted
	for still := 0; still < 5; {
		now := counted{w.counts.requests.Load(), w.counts.sent.Load(), w.counts.received.Load()}
		if still++; now != last {
			still, last = 0, now
		}
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return last, nil
}

// control reads the host's files and copies them: what their bytes alone cost.
func (s *site) control() (*control, error) {
	var failed error
	c := copied(func(yield func([]byte) bool) {
		for i := range siteFiles {
			data, err := os.ReadFile(filepath.Join(s.folder, "host", "srv", fmt.Sprintf("file%03d", i)))
			if failed = err; err != nil || !yield(data) {
				return
			}
		}
	})
	return c, failed
}

// resident measures a scheduled agent: its memory while it waits, and the CPU time
// of its second run, which changes nothing.
func resident(ctx context.Context, _ int) (record, error) {
	s, err := newSite(ctx)
	if err != nil {
		return record{}, err
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute+rest)
	defer cancel()
	cmd := s.onHost(ctx, "run", "--schedule", "@every 1m")
	cmd.Stderr = nil
	log, err := cmd.StderrPipe()
	if err != nil {
		return record{}, fmt.Errorf("start agent: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return record{}, fmt.Errorf("start agent: %w", err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	in := bufio.NewScanner(log)
	if err := await(in, "run done"); err != nil {
		return record{}, err
	}
	time.Sleep(time.Second) // the first run's memory is given back
	first, err := taskTime(cmd.Process.Pid)
	if err != nil {
		return record{}, err
	}
	if err := await(in, "run done"); err != nil {
		return record{}, err
	}
	select {
	case <-ctx.Done():
		return record{}, ctx.Err()
	case <-time.After(rest):
	}
	second, err := taskTime(cmd.Process.Pid)
	if err != nil {
		return record{}, err
	}
	memory, err := memoryOf(cmd.Process.Pid)
	if err != nil {
		return record{}, err
	}
	c, err := s.control()
	if err != nil {
		return record{}, err
	}
	return record{Wall: rest.Seconds(), CPU: second - first, Peak: memory["VmHWM"], Control: c, Figures: []figure{
		{"resident", float64(memory["VmRSS"]) / 1e6, "MB"},
		{"of it the program's file", float64(memory["RssFile"]) / 1e6, "MB"},
		{"of it its own", float64(memory["RssAnon"]) / 1e6, "MB"},
		{"CPU of its second run", (second - first) * 1000, "ms"},
	}}, nil
}

// await reads a log until a line holds some words.
func await(in *bufio.Scanner, words string) error {
	for in.Scan() {
		if strings.Contains(in.Text(), words) {
			return nil
		}
	}
	return errors.Join(errors.New("the agent ended"), in.Err())
}

// taskTime is the CPU time of a process by its threads, finer than its clock ticks.
func taskTime(pid int) (float64, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("read CPU time of %d: %w", pid, errors.Join(err, syscall.ESRCH))
	}
	var total int64
	for _, t := range tasks {
		data, err := os.ReadFile(t)
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		text, _, _ := strings.Cut(string(data), " ")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		total += n
	}
	return float64(total) / 1e9, nil
}

// memoryOf reads what the kernel says of a process, in bytes.
func memoryOf(pid int) (map[string]int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, fmt.Errorf("read memory: %w", err)
	}
	out := map[string]int64{}
	for line := range strings.SplitSeq(string(data), "\n") {
		key, value, _ := strings.Cut(line, ":")
		if kb, ok := strings.CutSuffix(strings.TrimSpace(value), " kB"); ok {
			n, err := strconv.ParseInt(kb, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("read memory: %s: %w", key, err)
			}
			out[key] = n * 1024
		}
	}
	if out["VmRSS"] == 0 {
		return nil, errors.New("read memory: the kernel does not tell")
	}
	return out, nil
}
