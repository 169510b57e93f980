// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/webhooks"
)

// fleet is what the store knows of hosts: who is enrolled, with which answers.
type fleet struct {
	hosts    []store.Host    // enrolled in the environment and not revoked
	others   map[string]bool // names of hosts of other environments
	facts    map[string]store.Facts
	external map[string]map[string]string // what others know, by name of host and source
	releases map[string]store.Release
	// digest covers names, profiles, answers and what others know: what a build depends on besides
	// the tree. State covers keys and releases too.
	digest, state string
}

func (p *pipeline) fleet(ctx context.Context) (*fleet, error) {
	all, err := p.store.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	f := &fleet{others: map[string]bool{}}
	for _, h := range all {
		if !h.Revoked.IsZero() {
			continue
		}
		if h.Environment == p.env {
			f.hosts = append(f.hosts, h)
		} else {
			f.others[h.Name] = true
		}
	}
	if f.facts, err = p.answers(ctx); err != nil {
		return nil, err
	}
	if f.external, err = p.store.AllExternal(ctx); err != nil {
		return nil, err
	}
	maps.DeleteFunc(f.external, func(host string, _ map[string]string) bool { return f.others[host] })
	if f.releases, err = p.store.LatestReleases(ctx); err != nil {
		return nil, err
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, host := range f.hosts {
		// Maps are encoded in the order of their keys.
		if err := enc.Encode([]any{host.Name, host.Profile, f.facts[host.ID].Answers}); err != nil {
			return nil, fmt.Errorf("digest facts: %w", err)
		}
	}
	if err := enc.Encode(f.external); err != nil {
		return nil, fmt.Errorf("digest external data: %w", err)
	}
	f.digest = hex.EncodeToString(h.Sum(nil))
	for _, host := range f.hosts {
		r := f.releases[host.ID]
		if err := enc.Encode([]any{host.ID, host.Recipient, r.Sequence, r.Commit}); err != nil {
			return nil, fmt.Errorf("digest hosts: %w", err)
		}
	}
	f.state = hex.EncodeToString(h.Sum(nil))
	return f, nil
}

// answers are those of all hosts: what was read before is not read again.
func (p *pipeline) answers(ctx context.Context) (map[string]store.Facts, error) {
	p.mu.Lock()
	known := p.facts
	p.mu.Unlock()
	got, err := p.store.FactsSince(ctx, known)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.facts = got
	return got, nil
}

// input is what is known of a host by name, besides the specification.
func (f *fleet) input(name string) engine.Input {
	in := engine.Input{Host: name, External: f.external[name]}
	for _, h := range f.hosts {
		if h.Name == name {
			in.Profile, in.Probes = h.Profile, f.facts[h.ID].Answers
		}
	}
	return in
}

// site is one commit of the specification with every host bound.
type site struct {
	commit, tree string
	// facts is the digest of the fleet that it was built with.
	facts    string
	snap     *git.Snapshot
	spec     *engine.Spec
	problems []*problem.Problem
	results  map[string]*engine.Result
}

// build reads a commit and binds every host of it, and every enrolled host; none that
// is of another environment: nothing here is for it. last is
// what hosts got from another commit; what did not change is taken from there.
func (p *pipeline) build(ctx context.Context, commit string, f *fleet, last map[string]*engine.Result) (*site, error) {
	snap, err := p.mirror.Snapshot(ctx, commit)
	if err != nil {
		return nil, err
	}
	opts := engine.Options{Secrets: p.secrets, Cache: p.parsed}
	enrolled := map[string]store.Host{}
	for _, h := range f.hosts {
		opts.Clients = append(opts.Clients, h.Name)
		enrolled[h.Name] = h
	}
	s := &site{commit: commit, tree: snap.Tree(), facts: f.digest, snap: snap, results: map[string]*engine.Result{}}
	if s.spec, err = engine.Open(ctx, snap, opts); err != nil {
		return nil, err
	}
	found, err := s.spec.Lint(ctx)
	if err != nil {
		return nil, err
	}
	s.problems = problem.Sort(slices.Concat(snap.Problems(), s.spec.Problems(), found))
	var in []engine.Input
	for _, name := range s.spec.Hosts() {
		if f.others[name] {
			continue
		}
		i := engine.Input{Host: name, External: f.external[name], Last: last[name]}
		if h, ok := enrolled[name]; ok {
			i.Profile, i.Probes = h.Profile, f.facts[h.ID].Answers
		}
		in = append(in, i)
	}
	results, err := s.spec.All(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		s.results[r.Host] = r
	}
	return s, nil
}

// sites builds commits once each while one reconciliation lasts.
type sites struct {
	p     *pipeline
	fleet *fleet
	built map[string]*site
	// open are the pull requests on the branch.
	open []webhooks.Pull
}

func (s *sites) get(ctx context.Context, commit string) (*site, error) {
	if got := s.built[commit]; got != nil {
		return got, nil
	}
	resume := waiting(ctx)
	done, err := s.p.turns.build.take(ctx)
	resume()
	if err != nil {
		return nil, fmt.Errorf("build %.12s: wait for another build: %w", commit, err)
	}
	defer done()
	if s.p.building != nil {
		if err := s.p.building(ctx, commit); err != nil {
			return nil, err
		}
	}
	start := s.p.now()
	got, err := s.p.build(ctx, commit, s.fleet, s.last())
	s.p.metrics.Built(s.p.now().Sub(start), err)
	if err != nil {
		return nil, fmt.Errorf("build %.12s: %w", commit, err)
	}
	s.built[commit] = got
	return got, nil
}

// last is what hosts got from a commit that was built already; any will do.
func (s *sites) last() map[string]*engine.Result {
	for _, got := range s.built {
		return got.results
	}
	if s.p.latest != nil {
		return s.p.latest.results
	}
	return nil
}

// only forgets all commits but one. A commit that is built holds every host's
// configuration, and there may be as many as pull requests are open.
func (s *sites) only(commit string) {
	maps.DeleteFunc(s.built, func(other string, _ *site) bool { return other != commit })
}

// side is what a commit gives a host, for a review. Nil: the host is not there.
func (s *site) side(host string) *review.Side {
	if s == nil {
		return nil
	}
	r := s.results[host]
	if r == nil {
		return nil
	}
	side := &review.Side{Config: r.Config, Refused: r.Refused, Probes: r.Probes}
	for _, f := range r.Failures {
		side.Failures = append(side.Failures, review.Failure(f))
	}
	return side
}

// comparison is what a report is made of: every host goes from what it has to
// head. from gives the commit that a host comes from, nil for none.
type comparison struct {
	meta  review.Meta
	names map[string]bool // hosts that only the old side has, besides head's
	from  func(host string) *site
	old   []*problem.Problem
	head  *site
	fleet *fleet
	// said is what hosts reported last; nil where it does not matter.
	said said
	// rules are the assertions of the old side, given who approved what, by hash.
	rules *assertion.Set
	given map[string][]string
}

func (p *pipeline) compare(ctx context.Context, c comparison) (*review.Report, error) {
	f, head := c.fleet, c.head
	facts := map[string]store.Facts{}
	enrolled, ids := map[string]bool{}, map[string]string{}
	for _, h := range f.hosts {
		facts[h.Name], enrolled[h.Name], ids[h.Name] = f.facts[h.ID], true, h.ID
	}
	in := review.Input{
		Meta: c.meta, Key: p.key, Problems: head.problems, BaseProblems: c.old,
		Assertions: head.spec.Assertions(), BaseAssertions: c.rules, Approvals: c.given,
	}
	names := maps.Clone(c.names)
	for name := range head.results {
		names[name] = true
	}
	for name := range names {
		h := review.Host{Name: name, Base: c.from(name).side(name), Head: head.side(name)}
		if s := c.from(name); s != nil && s.results[name] != nil {
			h.BaseGroups = s.results[name].Groups
		}
		if r := head.results[name]; r != nil {
			h.Groups = r.Groups
			h.NoFacts = len(r.Probes) > 0 && facts[name].Answers == nil
			h.OldFacts = facts[name].Answers != nil && p.now().Sub(facts[name].At) > review.FactsLife
			h.Unseen = !enrolled[name]
			h.Addresses, h.IDs = r.Addresses, []string{r.UUID, ids[name]}
		}
		if err := c.said.tell(&h, ids[name]); err != nil {
			return nil, err
		}
		in.Hosts = append(in.Hosts, h)
	}
	return review.New(ctx, in)
}
