// SPDX-License-Identifier: Apache-2.0

// Command bench measures what Bindery promises and writes docs/bench.json:
// command, commit, CPU seconds, peak memory and a control from the same run.
// Every measurement is a process of its own, so that its memory is its own;
// docs/performance.md is made of the file by this package's test. It must hold
// no logic that the product needs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"

	"github.com/bindery/bindery/internal/heap"
)

// spare is what cmd/bindery lets pile up.
const spare = 300 << 20

func main() {
	heap.Bound(spare)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		}
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	out, only, child string
	hosts            string
	n, runs          int
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&o.out, "out", "docs/bench.json", "write to `FILE`; - is standard output")
	set.StringVar(&o.only, "only", "", "measure only these `NAMES`, with commas; the others stay as the file has them")
	set.StringVar(&o.hosts, "hosts", "10,100,1000,10000", "sizes of the fleets")
	set.IntVar(&o.runs, "runs", 3, "run each that often and keep the median")
	set.StringVar(&o.child, "child", "", "be one measurement (used by bench itself)")
	set.IntVar(&o.n, "n", 0, "size of the one measurement")
	if err := set.Parse(args); err != nil {
		return err
	}
	if o.child != "" {
		return child(ctx, o, stdout)
	}
	return all(ctx, o, stdout, stderr)
}

// child runs one measurement in this process and prints its record.
func child(ctx context.Context, o options, stdout io.Writer) error {
	for _, m := range measures {
		if m.name != o.child {
			continue
		}
		r, err := m.run(ctx, o.n)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		return json.NewEncoder(stdout).Encode(r)
	}
	return fmt.Errorf("no measurement %q", o.child)
}

// all runs every measurement in processes of their own and writes the file.
func all(ctx context.Context, o options, stdout, stderr io.Writer) error {
	sizes, err := numbers(o.hosts)
	if err != nil {
		return err
	}
	old, err := readFile(o.out)
	if err != nil {
		return err
	}
	f := file{Commit: commit(ctx), Machine: thisMachine()}
	for _, m := range measures {
		if o.only != "" && !strings.Contains(","+o.only+",", ","+m.name+",") {
			f.Records = append(f.Records, old.named(m.name)...)
			continue
		}
		ns := sizes
		if !m.fleet {
			ns = []int{0}
		}
		for _, n := range ns {
			r, err := median(ctx, m, n, o.runs)
			if err != nil {
				return err
			}
			fmt.Fprintf(stderr, "%-8s %6d  %s\n", m.name, n, r.summary())
			f.Records = append(f.Records, r)
		}
	}
	return f.write(o.out, stdout)
}

// median runs one measurement several times and keeps the one in the middle by
// CPU time.
func median(ctx context.Context, m measure, n, runs int) (record, error) {
	if m.once {
		runs = 1
	}
	var rs []record
	for range max(1, runs) {
		r, err := spawn(ctx, m, n)
		if err != nil {
			return record{}, err
		}
		rs = append(rs, r)
	}
	sortByCPU(rs)
	r := rs[len(rs)/2]
	r.Runs, r.CPUMin, r.CPUMax = len(rs), rs[0].CPU, rs[len(rs)-1].CPU
	return r, nil
}

func spawn(ctx context.Context, m measure, n int) (record, error) {
	self, err := os.Executable()
	if err != nil {
		return record{}, fmt.Errorf("find bench: %w", err)
	}
	args := []string{"-child", m.name, "-n", strconv.Itoa(n)}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return record{}, fmt.Errorf("run %s: %w", m.name, err)
	}
	var r record
	if err := json.Unmarshal(out, &r); err != nil {
		return record{}, fmt.Errorf("read %s: %w", m.name, err)
	}
	r.Name, r.What, r.Aim, r.Hosts = m.name, m.what, m.aim[n], n
	r.Command = "go run ./bench " + strings.Join(args, " ")
	if r.Peak == 0 {
		r.Peak = peak(cmd.ProcessState)
	}
	return r, nil
}

func numbers(list string) ([]int, error) {
	var out []int
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("hosts: %q is no size of a fleet", s)
		}
		out = append(out, n)
	}
	return out, nil
}

// commit names what is measured; "+" means that files differ from it.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(out))
	if exec.CommandContext(ctx, "git", "diff", "--quiet", "HEAD", "--", "*.go").Run() != nil {
		name += "+"
	}
	return name
}

func thisMachine() machine {
	m := machine{OS: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.SplitSeq(string(data), "\n") {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(data), " ")
	}
	return m
}
