// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

// measure is one thing that is measured.
type measure struct {
	name, what string
	// fleet: once for every size of fleet.
	fleet bool
	// once: it takes minutes and hardly varies.
	once bool
	// aim is what is promised, by size.
	aim map[int]string
	run func(ctx context.Context, n int) (record, error)
}

var measures = []measure{
	{
		name: "bind", what: "the literal configuration of every host, from a tree in memory; without templates and host keys",
		fleet: true, aim: map[int]string{10000: "under 2 s on 2 cores, under 1 GB"},
		run: func(ctx context.Context, n int) (record, error) { return bind(ctx, fleet.Options{Hosts: n, Seed: 1}) },
	},
	{
		name: "templates", what: "the same with what real repositories have: two Cfg files of five are templates, most of them with the host's own name, and four SSH keys a host",
		fleet: true, aim: map[int]string{10000: "over 1,000 hosts per CPU second, under 1.5 GB"},
		run: func(ctx context.Context, n int) (record, error) { return bind(ctx, withTemplates(n)) },
	},
	{
		name: "warm", what: "the same fleet again after one template was changed, with the results from before at hand",
		fleet: true, aim: map[int]string{10000: "under 100 ms"}, run: warm,
	},
	{
		name: "edit-cfg", what: "the same fleet after one line of a Cfg file was changed: one role's, then every host's",
		fleet: true, aim: map[int]string{10000: "under 100 ms warm"}, run: edit(0, 1),
	},
	{
		name: "edit-bundle", what: "the same after one line of a bundle was changed: one role's, then every host's",
		fleet: true, aim: map[int]string{10000: "under 300 ms warm"}, run: edit(2, 3),
	},
	{
		name: "edit-groups", what: "the same after one line of groups.xml was changed",
		fleet: true, aim: map[int]string{10000: "no worse than a full build"}, run: edit(4),
	},
	{
		name: "pull", what: "from the delivery of a webhook to the comment on the pull request: a forge over HTTP, every host enrolled and published, one pull request after the other on one base",
		fleet: true, once: true, aim: map[int]string{10000: "under 2 s"}, run: pull,
	},
	{
		name: "publish", what: "from a changed configuration in memory to the timestamp on the disk, one host after the other",
		aim: map[int]string{0: "under 10 ms for one changed host"}, run: publishOne,
	},
	{
		name: "quiet", what: "an agent's run that changes nothing over 300 entries (150 files, 100 packages of 20 files, 50 links and directories), as a process of its own, with its poll counted on the connection",
		aim: map[int]string{0: "under 20 ms of CPU; the poll is one request, under 600 bytes"}, run: quiet,
	},
	{
		name: "resident", what: "an agent on a schedule, 30 s after its second poll",
		once: true, aim: map[int]string{0: "under 15 MB"}, run: resident,
	},
	{
		name: "size", what: "the stripped static binaries", aim: map[int]string{0: "agent below 14 MB"}, run: size,
	},
}

func withTemplates(n int) fleet.Options {
	return fleet.Options{Hosts: n, Seed: 1, Templates: true, SSHKeys: true}
}

// bind opens a specification and computes every host.
func bind(ctx context.Context, o fleet.Options) (record, error) {
	n := o.Hosts
	f, err := fleet.New(o)
	if err != nil {
		return record{}, err
	}
	in := inputs(f)
	runtime.GC()
	var results []*engine.Result
	u, err := clocked(func() error {
		spec, err := engine.Open(ctx, f.Tree, engine.Options{})
		if err != nil {
			return err
		}
		if results, err = spec.All(ctx, in); err != nil {
			return err
		}
		// What is published next is told apart by digest: that belongs to it.
		for _, r := range results {
			if r.Config != nil && r.Config.Digest().IsZero() {
				return errors.New("a configuration without a digest")
			}
		}
		return nil
	})
	if err != nil {
		return record{}, err
	}
	// Up to here it is the fleet; what follows reads it again to compare.
	memory, err := memoryOf(os.Getpid())
	if err != nil {
		return record{}, err
	}
	entries, err := verify(results, n)
	if err != nil {
		return record{}, err
	}
	if err := same(ctx, f, results); err != nil {
		return record{}, err
	}
	c := copied(literal(results))
	return record{
		Wall: u.wall, CPU: u.cpu, Peak: memory["VmHWM"], Control: c,
		Figures: []figure{
			{"hosts per second", float64(n) / u.wall, "/s"},
			{"hosts per CPU second", float64(n) / u.cpu, "/s"},
			{"entries per host", float64(entries) / float64(n), ""},
			{"literal bytes per host", float64(c.Bytes) / float64(n), "B"},
			{"files", float64(len(f.Tree.Files())), ""},
		},
	}, nil
}

// verify refuses to measure a fleet that did not bind: failing is fast.
func verify(results []*engine.Result, n int) (entries int, err error) {
	if len(results) != n {
		return 0, fmt.Errorf("%d results for %d hosts", len(results), n)
	}
	for _, r := range results {
		if r.Refused != nil {
			return 0, fmt.Errorf("%s is refused: %s", r.Host, r.Refused.Msg)
		}
		if len(r.Failures) > 0 {
			first := r.Failures[0]
			return 0, fmt.Errorf("%s: %d entries did not bind, first %s %s: %s", r.Host, len(r.Failures), first.Tag, first.Name, first.Problem.Msg)
		}
		entries += r.Config.Entries()
	}
	if entries < 50*n {
		return 0, errors.New("the fleet has hardly any entries")
	}
	return entries, nil
}

// same builds some hosts again, each alone by a specification read anew: what is
// fast must also be right.
func same(ctx context.Context, f *fleet.Fleet, results []*engine.Result) error {
	for i := 0; i < len(results); i += max(1, len(results)/5) {
		spec, err := engine.Open(ctx, f.Tree, engine.Options{})
		if err != nil {
			return err
		}
		alone, err := spec.Build(ctx, engine.Input{Host: f.Hosts[i], Probes: map[string]string{}})
		if err != nil {
			return err
		}
		if alone.Config.Digest() != results[i].Config.Digest() {
			return fmt.Errorf("%s alone is not what it is among others", f.Hosts[i])
		}
	}
	return nil
}

// literal yields the bytes of every entry of every host.
func literal(results []*engine.Result) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for _, r := range results {
			for _, b := range r.Config.Bundles {
				for _, e := range b.Entries {
					if !yield(e.XML()) {
						return
					}
				}
			}
		}
	}
}

// size builds both binaries as a release does and weighs them.
func size(ctx context.Context, _ int) (record, error) {
	dir, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return record{}, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	var r record
	for _, name := range []string{"bindery", "bindery-agent"} {
		out, err := stripped(ctx, dir, name)
		if err != nil {
			return record{}, err
		}
		info, err := os.Stat(out)
		if err != nil {
			return record{}, fmt.Errorf("weigh %s: %w", name, err)
		}
		r.Figures = append(r.Figures, figure{name, float64(info.Size()) / 1e6, "MB"})
	}
	return r, nil
}
