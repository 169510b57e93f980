// SPDX-License-Identifier: Apache-2.0

package review

import (
	"cmp"
	"context"
	"slices"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review/redaction"
)

// cause collects the hosts and entries that one Problem hits.
type cause struct {
	problem problem.Problem
	entries map[string]bool
	hosts   members
}

type failedEntry struct{ tag, name string }

// refused stands for the host itself among its entries.
var refused = failedEntry{tag: "Host"}

// findCauses sorts the failures of head into new ones and those that base has
// too, on whichever host: what never bound is published as a failed entry and
// must not turn every later change red.
func (c *comparison) findCauses(ctx context.Context) error {
	known := map[failedEntry]bool{}
	for i := range c.in.Hosts {
		if err := ctx.Err(); err != nil {
			return err
		}
		for e := range failures(c.in.Hosts[i].Base) {
			known[e] = true
		}
	}
	fresh, old := map[problem.Problem]*cause{}, map[problem.Problem]*cause{}
	for i := range c.in.Hosts {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := &c.in.Hosts[i]
		before := failures(h.Base)
		bound := boundIn(h)
		fails, held := false, false
		for e, p := range failures(h.Head) {
			_, failed := before[e]
			into := old
			switch {
			case failed:
			case bound(e):
				into, fails, held = fresh, true, true
			case !known[e]:
				into, fails = fresh, true
			}
			note(into, e, p, int32(i))
		}
		if fails {
			c.failed = append(c.failed, int32(i))
		}
		if held {
			c.held = append(c.held, int32(i))
		}
	}
	c.errors, c.known = sortCauses(fresh), sortCauses(old)
	return nil
}

// boundIn tells whether an entry that fails in head was bound for this host in
// base, which then keeps its last good configuration.
func boundIn(h *Host) func(failedEntry) bool {
	var bound map[failedEntry]bool
	return func(e failedEntry) bool {
		if h.Base == nil || h.Base.Config == nil {
			return false
		}
		if e == refused {
			return true
		}
		if bound == nil {
			bound = map[failedEntry]bool{}
			for _, b := range h.Base.Config.Bundles {
				for _, x := range b.Entries {
					if x.Failure == "" {
						bound[failedEntry{x.Tag, x.Name()}] = true
					}
				}
			}
		}
		return bound[e]
	}
}

// failures lists what fails on one side. An entry of the configuration that
// failed without a Problem of its own speaks for itself.
func failures(s *Side) map[failedEntry]problem.Problem {
	if s == nil {
		return nil
	}
	if s.Config == nil {
		if s.Refused == nil {
			return map[failedEntry]problem.Problem{refused: *problem.New(problem.Pos{}, "refused", "the host is refused", "")}
		}
		return map[failedEntry]problem.Problem{refused: *s.Refused}
	}
	if len(s.Failures) == 0 && s.Config.Failed() == 0 {
		return nil
	}
	out := map[failedEntry]problem.Problem{}
	for _, b := range s.Config.Bundles {
		for _, e := range b.Entries {
			if e.Failure != "" {
				out[failedEntry{e.Tag, e.Name()}] = failureOf(e)
			}
		}
	}
	for _, f := range s.Failures {
		if f.Problem != nil {
			out[failedEntry{f.Tag, f.Name}] = *f.Problem
		}
	}
	return out
}

func failureOf(e *config.Entry) problem.Problem {
	pos := problem.Pos{File: e.NamedAt.File, Line: e.NamedAt.Line}
	return *problem.New(pos, "entry-failed", e.Failure, "")
}

func note(into map[problem.Problem]*cause, e failedEntry, p problem.Problem, host int32) {
	p.Msg, p.Hint = redaction.Name(p.Msg), redaction.Name(p.Hint)
	x := into[p]
	if x == nil {
		x = &cause{problem: p, entries: map[string]bool{}}
		into[p] = x
	}
	if e != refused {
		x.entries[config.Key{Tag: e.tag, Name: redaction.Name(e.name)}.String()] = true
	}
	if n := len(x.hosts); n == 0 || x.hosts[n-1] != host {
		x.hosts = append(x.hosts, host)
	}
}

func sortCauses(in map[problem.Problem]*cause) []*cause {
	out := make([]*cause, 0, len(in))
	for _, x := range in {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b *cause) int {
		return cmp.Or(cmp.Compare(len(b.hosts), len(a.hosts)), problem.Compare(&a.problem, &b.problem), cmp.Compare(a.problem.Hint, b.problem.Hint))
	})
	return out
}

func (c *comparison) causes(r *Report) {
	named := func(in []*cause) []Cause {
		out := make([]Cause, len(in))
		for i, x := range in {
			out[i] = Cause{Problem: &x.problem, Hosts: c.hosts(x.hosts)}
			for e := range x.entries {
				out[i].Entries = append(out[i].Entries, e)
			}
			slices.Sort(out[i].Entries)
		}
		return out
	}
	r.Errors, r.Known = named(c.errors), named(c.known)
}
