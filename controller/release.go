// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/controller/publish"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/hostset"
)

// Outcomes of a branch, as the store keeps them.
const (
	published  = "published"
	refused    = "refused"
	held       = "held"
	unreviewed = "unreviewed"
)

// release publishes what the branch says, for every enrolled host whose
// configuration, probes, policy or key differ from what it has. Where the branch
// may not be published, the commit published last goes on being so, with today's
// hosts and facts.
func (p *pipeline) release(ctx context.Context, tip string, built *sites) error {
	f := built.fleet
	key := tip + " " + f.state
	if p.settled(key) {
		return nil
	}
	last, err := p.published(ctx, built)
	if err != nil {
		return err
	}
	head, err := built.get(ctx, tip)
	if err != nil {
		return err
	}
	said, err := p.judge(ctx, head, last, built)
	if err != nil {
		return err
	}
	target, detail := head, said.detail
	if said.outcome != published {
		target = last.tip
	}
	var kept []string
	if target != nil {
		p.know(target)
		if kept, err = p.publish(ctx, target, last, f); err != nil {
			return err
		}
	}
	if len(kept) > 0 {
		detail = strings.TrimPrefix(fmt.Sprintf("%s; %d hosts keep their last release: %s", detail, len(kept), fold(kept)), "; ")
	}
	if err := p.settle(ctx, "refs/heads/"+p.branch, tip, said.outcome, detail); err != nil {
		return err
	}
	if !said.waits {
		p.finish(key, f)
	}
	return nil
}

// ruling says whether a commit may be published, and what is to be said of it.
type ruling struct {
	outcome, detail string
	// waits tells that people may still let it be published.
	waits bool
}

// judge says whether a commit may be published, and what is to be said of it.
// What no review showed is announced before it is published.
func (p *pipeline) judge(ctx context.Context, head *site, last *past, built *sites) (ruling, error) {
	if last.tip == nil && !last.lost {
		return ruling{outcome: published, detail: problems("error", errorsOf(head.problems))}, nil
	}
	report, err := p.step(ctx, head, last, built.fleet)
	if err != nil {
		return ruling{}, err
	}
	if len(report.Problems) > 0 {
		// What is there is kept: a specification that got worse changes no host.
		return ruling{outcome: refused, detail: problems("new error", report.Problems)}, nil
	}
	broken, err := p.broken(ctx, report, last, head, built)
	if err != nil {
		return ruling{}, err
	}
	if broken != "" {
		return ruling{held, "not approved: " + broken, true}, nil
	}
	rest, err := p.unreviewed(ctx, report.Set(), last, head.commit)
	if err != nil {
		return ruling{}, err
	}
	detail := ""
	name := unreviewed + "/" + p.branch
	if rest == "" {
		// Of a commit that is published already, or half, what was said stands.
		said, err := p.store.Ref(ctx, p.repo, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return ruling{}, err
		}
		if said.Commit == head.commit {
			detail = said.Detail
		}
		return ruling{outcome: published, detail: detail}, nil
	}
	detail = "not reviewed: " + rest
	if p.hold {
		return ruling{outcome: held, detail: detail}, nil
	}
	return ruling{outcome: published, detail: detail}, p.settle(ctx, name, head.commit, unreviewed, detail)
}

func errorsOf(list []*problem.Problem) []*problem.Problem {
	return slices.DeleteFunc(slices.Clone(list), func(p *problem.Problem) bool { return p.Severity != problem.Error })
}

func problems(what string, list []*problem.Problem) string {
	if len(list) == 0 {
		return ""
	}
	if len(list) > 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s, the first: %s", len(list), what, list[0])
}

// settle records what came of a commit, and says it once.
func (p *pipeline) settle(ctx context.Context, name, commit, outcome, detail string) error {
	old, err := p.store.Ref(ctx, p.repo, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if old.Commit == commit && old.Outcome == outcome && old.Detail == detail {
		return nil
	}
	p.log.Info("branch settled", "repo", p.repo, "ref", name, "rev", commit, "outcome", outcome, "detail", detail)
	if outcome != published || detail != "" {
		if err := p.store.Audit(ctx, store.Record{Actor: "controller", Action: "branch-" + outcome, Subject: commit, Detail: detail}); err != nil {
			return err
		}
	}
	return p.store.PutRef(ctx, store.Ref{Repo: p.repo, Name: name, Commit: commit, Outcome: outcome, Detail: detail})
}

// past is what hosts have now, by the commits that they have it from.
type past struct {
	byHost map[string]*site
	// tip is the commit that was published last, nil for none.
	tip *site
	// lost tells that the repository no longer has that commit.
	lost bool
	// report is the way from here to the commit that was asked for last.
	report *review.Report
	to     *site
}

// published builds, with today's facts, the commits that hosts were published
// from. One that the repository no longer has is like none.
func (p *pipeline) published(ctx context.Context, built *sites) (*past, error) {
	out := &past{byHost: map[string]*site{}}
	site := func(commit string) (*site, error) {
		s, err := built.get(ctx, commit)
		if errors.Is(err, git.ErrUnknownRevision) {
			p.log.Warn("a published commit is gone from the repository", "rev", commit)
			return nil, nil
		}
		return s, err
	}
	ref, err := p.store.Ref(ctx, p.repo, "published/"+p.branch)
	switch {
	case err == nil:
		if out.tip, err = site(ref.Commit); err != nil {
			return nil, err
		}
		out.lost = out.tip == nil
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	for _, h := range built.fleet.hosts {
		r, ok := built.fleet.releases[h.ID]
		if !ok || r.Waiting || r.Environment != p.env {
			continue // a host that was moved here has nothing from here yet
		}
		s, err := site(r.Commit)
		if err != nil {
			return nil, err
		}
		if s != nil {
			out.byHost[h.Name] = s
		}
	}
	return out, nil
}

// commits are those that some host has.
func (l *past) commits() []string {
	seen := map[string]bool{}
	if l.tip != nil {
		seen[l.tip.commit] = true
	}
	for _, s := range l.byHost {
		seen[s.commit] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// step tells what a publication of a commit would change, with today's facts.
func (p *pipeline) step(ctx context.Context, to *site, last *past, f *fleet) (*review.Report, error) {
	if last.to == to {
		return last.report, nil
	}
	report, err := p.compare(ctx, p.publication(to, last, f))
	if err != nil {
		return nil, err
	}
	last.report, last.to = report, to
	return report, nil
}

// publication compares what hosts have with head. A host that has nothing yet
// comes from the commit published last, so that only the change counts.
func (p *pipeline) publication(head *site, last *past, f *fleet) comparison {
	// Without a commit before, what hosts have broken already is not told either.
	c := comparison{head: head, fleet: f, rules: head.spec.Assertions(), names: map[string]bool{}}
	c.from = func(host string) *site {
		if s := last.byHost[host]; s != nil {
			return s
		}
		return last.tip
	}
	if last.tip != nil {
		c.old, c.rules = last.tip.problems, last.tip.spec.Assertions()
		for name := range last.tip.results {
			c.names[name] = true
		}
	}
	return c
}

// publish gives every enrolled host what a commit says. A host for which an entry
// no longer binds that did in its last publication keeps that, and is named.
func (p *pipeline) publish(ctx context.Context, target *site, last *past, f *fleet) (kept []string, err error) {
	held := map[string]bool{}
	if len(last.byHost) > 0 { // who has nothing keeps nothing
		report, err := p.step(ctx, target, last, f)
		if err != nil {
			return nil, err
		}
		if report.Held != nil {
			for _, name := range report.Held.Names {
				held[name] = true
			}
		}
	}
	from := map[string]*site{}
	for _, h := range f.hosts {
		from[h.Name] = target
		if held[h.Name] && last.byHost[h.Name] != nil {
			from[h.Name] = last.byHost[h.Name]
			kept = append(kept, h.Name)
		}
	}
	if err := p.write(ctx, from, f); err != nil {
		return nil, err
	}
	if names := p.byFacts(last, f); len(names) > 0 {
		facts := store.Record{Actor: "controller", Action: "facts", Subject: fold(names), Detail: "changed by their own answers, not by a commit"}
		if err := p.store.Audit(ctx, facts); err != nil {
			return nil, err
		}
	}
	return kept, p.store.PutRef(ctx, store.Ref{Repo: p.repo, Name: "published/" + p.branch, Commit: target.commit, Outcome: published})
}

// byFacts names the hosts that change because of their own answers: the tree that
// they have would show that too.
func (p *pipeline) byFacts(last *past, f *fleet) (names []string) {
	for _, h := range f.hosts {
		s, r := last.byHost[h.Name], f.releases[h.ID]
		if s == nil || s.results[h.Name] == nil || s.results[h.Name].Config == nil {
			continue
		}
		if p.publisher.ConfigMark(s.results[h.Name].Config) != r.ConfigDigest {
			names = append(names, h.Name)
		}
	}
	return names
}

// write publishes hosts and records what each has. A host that has been moved since the
// fleet was read is its new environment's.
func (p *pipeline) write(ctx context.Context, from map[string]*site, f *fleet) error {
	done, err := p.turns.publish.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	ours, err := p.ours(ctx)
	if err != nil {
		return err
	}
	var todo []publish.Release
	var rows []store.Release
	for _, h := range f.hosts {
		s := from[h.Name]
		r := s.results[h.Name]
		if !ours[h.ID] {
			continue
		}
		if r == nil || r.Refused != nil {
			p.without(h.Name, s.commit, r)
			continue // it keeps what it has, if anything
		}
		delete(p.refused, h.Name)
		rel := draft(s, h, r, f)
		p.ask(h.ID, rel.Probes)
		next, old := p.row(h, rel), f.releases[h.ID]
		if !same(old, next) || !p.trusted(old) {
			todo = append(todo, rel)
		} else if old.Commit != s.commit || old.Environment != p.env {
			next.Sequence = old.Sequence
			rows = append(rows, next)
		}
	}
	var errs []error
	unchanged := len(rows)
	for i, o := range p.publisher.All(ctx, todo, nil) {
		if o.Err != nil {
			errs = append(errs, o.Err)
			continue
		}
		r := p.row(store.Host{ID: o.Host.ID, Recipient: o.Host.Recipient}, todo[i])
		r.Sequence = o.Sequence
		rows = append(rows, r)
		if o.Unchanged {
			unchanged++
		} else {
			p.log.Info("published", "host", o.Host.Name, "rev", r.Commit, "sequence", o.Sequence, "waiting", r.Waiting)
		}
	}
	p.metrics.Published(len(rows)-unchanged, unchanged, len(errs))
	if len(rows) > 0 {
		if err := p.store.PutReleases(ctx, rows); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	for _, r := range rows {
		p.trust(r)
	}
	return errors.Join(errs...)
}

// without says why a host gets no release, once for each reason: the host itself is told
// nothing but that there is none.
func (p *pipeline) without(host, commit string, r *engine.Result) {
	why := "the specification does not have it, and no default profile: name it in Metadata/clients.xml"
	if r != nil {
		why = strings.ReplaceAll(refusedText(r.Refused), "\n", "; ")
	}
	if p.refused[host] == why {
		return
	}
	p.refused[host] = why
	p.log.Warn("a host gets no release", "host", host, "rev", commit, "reason", why)
}

// ours are the ids of the hosts that are of this environment now.
func (p *pipeline) ours(ctx context.Context) (map[string]bool, error) {
	hosts, err := p.store.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	ours := map[string]bool{}
	for _, h := range hosts {
		ours[h.ID] = h.Environment == p.env
	}
	return ours, nil
}

// draft is one host's release. A host with probes and without answers gets its
// probes alone: never a configuration that was bound without them.
func draft(s *site, h store.Host, r *engine.Result, f *fleet) publish.Release {
	rel := publish.Release{
		Host: publish.Host{Name: h.Name, ID: h.ID, Recipient: h.Recipient}, Probes: r.Probes,
		Policy: policyOf(s.spec.Policy().For(h.Name, r.Groups), r.Decisions), Commit: s.commit, Tree: s.tree,
		Last: f.releases[h.ID].Sequence,
	}
	if len(r.Probes) == 0 || f.facts[h.ID].Answers != nil {
		rel.Config = r.Config
	}
	return rel
}

// policyOf is one host's policy in the form that is signed.
func policyOf(p engine.Policy, d *engine.Decisions) release.Policy {
	out := release.Policy{
		Mode: release.Mode(p.Mode), Report: p.Report.Bundles, RemovalMax: p.Removal.Max, RemovalPercent: p.Removal.Percent, Confirm: p.Confirm,
	}
	for _, bundle := range slices.Sorted(maps.Keys(p.Health)) {
		h := release.Health{Bundle: bundle, Grace: p.Health[bundle].Grace}
		for _, c := range p.Health[bundle].Checks {
			h.Checks = append(h.Checks, release.Check(c))
		}
		out.Health = append(out.Health, h)
	}
	for _, w := range p.Windows {
		out.Windows = append(out.Windows, release.Window{Days: w.Days, From: w.From, To: w.To, Timezone: w.Timezone})
	}
	if len(p.Schedule) > 0 {
		out.Every = p.Schedule[0].Every
	}
	if d != nil {
		out.Whitelist, out.Blacklist = d.Whitelist, d.Blacklist
	}
	return out
}

func (p *pipeline) row(h store.Host, r publish.Release) store.Release {
	out := store.Release{
		HostID: h.ID, ProbeDigest: config.ProbeDigest(r.Probes).String(), PolicyDigest: r.Policy.Digest().String(),
		Recipient: h.Recipient, Format: release.Format, Commit: r.Commit, Tree: r.Tree, Environment: p.env, Waiting: r.Config == nil,
	}
	out.ConfigDigest = p.publisher.ConfigMark(r.Config)
	return out
}

// same tells whether two releases say the same to a host; the commit does not count.
func same(a, b store.Release) bool {
	return a.ConfigDigest == b.ConfigDigest && a.ProbeDigest == b.ProbeDigest && a.PolicyDigest == b.PolicyDigest &&
		a.Recipient == b.Recipient && a.Format == b.Format && a.Waiting == b.Waiting
}

// fold names hosts in few words.
func fold(names []string) string {
	const most = 8
	folded := hostset.Fold(names)
	if len(folded) > most {
		folded = append(folded[:most:most], "…")
	}
	return strings.Join(folded, ", ")
}
