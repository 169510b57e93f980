// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/textdiff"
	"github.com/bindery/bindery/fixtures/history"
)

// length is how many revisions a history made by chance has: later ones are mostly
// broken.
const length = 50

// cacheSize is what is kept of parsed files: so little that some are dropped.
const cacheSize = 300_000

// tally counts what was compared: a check that looks at nothing holds nothing.
type tally struct {
	steps, hosts, entries, failed, taken, changes, read int
}

// random makes histories, and builds each revision twice: from nothing, and with
// what hosts got from revisions before.
func random(ctx context.Context, out io.Writer, steps int, seed uint64) error {
	var t tally
	for ; t.steps < steps; seed++ {
		if err := walk(ctx, seed, min(steps-t.steps, length), &t); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d revisions: %d hosts built from nothing and again, %d entries (%d failed) alike, %d structures taken over; %d changes of %d reports are those of builds in full\n",
		t.steps, t.hosts, t.entries, t.failed, t.taken, t.changes, t.read)
	if t.entries < 5*t.hosts || t.failed == 0 || t.taken < t.hosts || t.changes < t.steps {
		return errors.New("the histories are too poor to show anything")
	}
	return nil
}

// fleet is one revision, built.
type fleet struct {
	results map[string]*engine.Result
	full    map[string]*built
}

// walk goes through one history.
func walk(ctx context.Context, seed uint64, steps int, t *tally) error {
	h, err := history.New(seed)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // which results are kept
	last := map[string]*engine.Result{}
	parsed := engine.NewCache(cacheSize)
	var before *fleet
	var done []string
	for step := range steps {
		if step > 0 {
			done = h.Step()
		}
		now, err := revision(ctx, h, last, parsed, t)
		if err == nil && before != nil {
			err = reviewed(ctx, before, now, t)
		}
		if err != nil {
			return fmt.Errorf("seed %d, step %d (again: random -seed %d -steps %d)\n  %s\n%w", seed, step, seed, step+1, strings.Join(done, "\n  "), err)
		}
		for host, r := range now.results {
			switch rnd.IntN(20) {
			case 0:
				delete(last, host) // as after a restart
			case 1, 2, 3: // one that is older than the revision before
			default:
				last[host] = r
			}
		}
		before = now
		t.steps++
	}
	return nil
}

// revision builds what a history has come to, from nothing and again.
func revision(ctx context.Context, h *history.History, last map[string]*engine.Result, parsed *engine.Cache, t *tally) (*fleet, error) {
	tree, opts := h.Tree(), engine.Options{Clients: h.Clients()}
	cold, err := engine.Open(ctx, tree, opts)
	if err != nil {
		return nil, err
	}
	opts.Cache = parsed
	warm, err := engine.Open(ctx, tree, opts)
	if err != nil {
		return nil, err
	}
	if err := alike("the specification", problems(cold.Problems()), problems(warm.Problems())); err != nil {
		return nil, err
	}
	if err := linted(ctx, cold, warm); err != nil {
		return nil, err
	}
	in := make([]engine.Input, len(cold.Hosts()))
	for i, host := range cold.Hosts() {
		in[i] = engine.Input{Host: host, Probes: h.Answers(host)}
	}
	want, err := cold.All(ctx, in)
	if err != nil {
		return nil, err
	}
	for i := range in {
		in[i].Last = last[in[i].Host]
	}
	got, err := warm.All(ctx, in)
	if err != nil {
		return nil, err
	}
	f := &fleet{map[string]*engine.Result{}, map[string]*built{}}
	for i, r := range got {
		if err := alike(r.Host, whole(want[i]), whole(r)); err != nil {
			return nil, err
		}
		f.results[r.Host] = r
		if f.full[r.Host], err = full(want[i]); err != nil {
			return nil, err
		}
		t.count(r, last[r.Host])
	}
	return f, nil
}

// linted wants lint to say the same of a specification from nothing and again.
func linted(ctx context.Context, cold, warm *engine.Spec) error {
	want, err := cold.Lint(ctx)
	if err != nil {
		return err
	}
	got, err := warm.Lint(ctx)
	if err != nil {
		return err
	}
	return alike("lint", problems(want), problems(got))
}

func (t *tally) count(r, last *engine.Result) {
	t.hosts++
	if r.Config == nil {
		return
	}
	t.entries += r.Config.Entries()
	t.failed += r.Config.Failed()
	if last == nil || last.Config == nil {
		return
	}
	kept := map[any]bool{}
	for _, b := range last.Config.Bundles {
		kept[b] = true
	}
	for _, b := range r.Config.Bundles {
		if kept[b] {
			t.taken++
		}
	}
}

// reviewed holds the review of two revisions, as they were built again, against
// both as they were built from nothing.
func reviewed(ctx context.Context, base, head *fleet, t *tally) error {
	in := review.Input{Key: make([]byte, 32)}
	hosts := map[string]*review.Host{}
	at := func(name string) *review.Host {
		if hosts[name] == nil {
			hosts[name] = &review.Host{Name: name}
		}
		return hosts[name]
	}
	for name, r := range base.results {
		at(name).Base = side(r)
	}
	for name, r := range head.results {
		at(name).Head, at(name).Groups = side(r), r.Groups
	}
	for _, h := range hosts {
		in.Hosts = append(in.Hosts, *h)
	}
	report, err := review.New(ctx, in)
	if err != nil {
		return err
	}
	data, err := report.JSON()
	if err != nil {
		return err
	}
	got, err := reported(data)
	if err != nil {
		return err
	}
	want := expect(base.full, head.full)
	t.read++
	t.changes += len(want.changes)
	if odd := got.differ(want); len(odd) > 0 {
		return fmt.Errorf("the review is not what both sides are:\n  %s", strings.Join(odd, "\n  "))
	}
	return nil
}

// side is what a review needs of a result.
func side(r *engine.Result) *review.Side {
	out := &review.Side{Config: r.Config, Refused: r.Refused, Probes: r.Probes}
	for _, f := range r.Failures {
		out.Failures = append(out.Failures, review.Failure(f))
	}
	return out
}

// full is a result as others see it.
func full(r *engine.Result) (*built, error) {
	if r.Config == nil {
		return &built{}, nil
	}
	out, err := read(r.Config.XML())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Host, err)
	}
	for _, p := range r.Probes {
		out.probes[p.Key()] = p.Interpreter + "\x00" + p.Script
	}
	return out, nil
}

// whole is all that a result says, provenance included.
func whole(r *engine.Result) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Host, r.Profile, r.Groups, r.Refused)
	if r.Config != nil {
		for _, k := range r.Config.Keyed() {
			fmt.Fprintf(&b, "%s %q %s named %v bound %v secret %t\n%s\n", k.Bundle.Tag, k.Bundle.Attrs, k.Key, k.Entry.NamedAt, k.Entry.BoundAt, k.Entry.Secret(), k.Entry.XML())
		}
	}
	for _, f := range r.Failures {
		fmt.Fprintln(&b, f.Tag, f.Name, *f.Problem)
	}
	b.WriteString(problems(r.Problems))
	for _, p := range r.Probes {
		fmt.Fprintln(&b, p)
	}
	fmt.Fprintln(&b, r.Decisions)
	return b.String()
}

func problems(list []*problem.Problem) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintln(&b, *p)
	}
	return b.String()
}

// alike wants two texts to be equal.
func alike(what, cold, warm string) error {
	if cold == warm {
		return nil
	}
	return fmt.Errorf("%s: from nothing (-) and again (+):\n%s", what, textdiff.Unified("cold", "warm", []byte(cold), []byte(warm), 2))
}
