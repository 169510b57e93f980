// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// file is docs/bench.json.
type file struct {
	Commit  string   `json:"commit"`
	Machine machine  `json:"machine"`
	Records []record `json:"records"`
}

// machine is where it was measured. Load is the load average at the start: what
// else ran shows in wall time, less in CPU time.
type machine struct {
	OS    string `json:"os"`
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	Go    string `json:"go"`
	Load  string `json:"load"`
}

// record is one measurement.
type record struct {
	Name    string  `json:"name"`
	What    string  `json:"what"`
	Command string  `json:"command"`
	Hosts   int     `json:"hosts,omitempty"`
	Runs    int     `json:"runs"`
	Wall    float64 `json:"wall_seconds"`
	CPU     float64 `json:"cpu_seconds"`
	CPUMin  float64 `json:"cpu_seconds_min"`
	CPUMax  float64 `json:"cpu_seconds_max"`
	Peak    int64   `json:"peak_bytes"`
	// Figures are what the measurement is about, in the order of its page.
	Figures []figure `json:"figures"`
	// Control is the copying of the same bytes in the same process.
	Control *control `json:"control,omitempty"`
	Aim     string   `json:"aim,omitempty"`
}

// figure is a number with a name.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// control is the least that the same bytes cost on this machine at this time.
type control struct {
	Bytes int64   `json:"bytes"`
	Wall  float64 `json:"wall_seconds"`
	CPU   float64 `json:"cpu_seconds"`
}

// used is wall and CPU time between two moments.
type used struct{ wall, cpu float64 }

// clocked runs something and tells what it took in this process.
func clocked(work func() error) (used, error) {
	before, start := cpuTime(), time.Now()
	err := work()
	return used{wall: time.Since(start).Seconds(), cpu: cpuTime() - before}, err
}

func cpuTime() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return seconds(r.Utime) + seconds(r.Stime)
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// peak is the most memory that a finished process had.
func peak(p *os.ProcessState) int64 {
	if r, ok := p.SysUsage().(*syscall.Rusage); ok {
		return r.Maxrss * 1024
	}
	return 0
}

// copied is the control: every piece is copied once, as often as it is wanted.
func copied(pieces func(yield func([]byte) bool)) *control {
	c := &control{}
	buf := make([]byte, 0, 1<<20)
	u, _ := clocked(func() error {
		for p := range pieces {
			buf = append(buf[:0], p...)
			c.Bytes += int64(len(buf))
		}
		return nil
	})
	c.Wall, c.CPU = u.wall, u.cpu
	return c
}

func (r record) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cpu %.3fs wall %.3fs peak %d MB", r.CPU, r.Wall, r.Peak>>20)
	for _, f := range r.Figures {
		fmt.Fprintf(&b, "  %s %s", f.Name, f.text())
	}
	return b.String()
}

func sortByCPU(rs []record) {
	slices.SortStableFunc(rs, func(a, b record) int {
		switch {
		case a.CPU < b.CPU:
			return -1
		case a.CPU > b.CPU:
			return 1
		}
		return 0
	})
}

func (f file) named(name string) []record {
	var out []record
	for _, r := range f.Records {
		if r.Name == name {
			out = append(out, r)
		}
	}
	return out
}

// readFile reads an earlier file; none is an empty one.
func readFile(name string) (file, error) {
	var f file
	if name == "-" {
		return f, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("read results: %w", err)
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return f, fmt.Errorf("read %s: %w", name, err)
	}
	return f, nil
}

func (f file) write(name string, stdout io.Writer) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(f); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if name == "-" {
		_, err := stdout.Write(b.Bytes())
		return err
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil { //nolint:gosec // results are public
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}
