// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/controller/publish"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/webhooks"
)

// Outcomes of a branch, as the store keeps them.
const (
	published = "published"
	refused   = "refused"
	held      = "held"
)

// release publishes what the branch says, for every enrolled host whose
// configuration, probes, policy or key differ from what it has.
func (p *pipeline) release(ctx context.Context, tip string, built *sites, open []webhooks.Pull) error {
	f := built.fleet
	head, err := built.get(ctx, tip)
	if err != nil {
		return err
	}
	last, err := p.published(ctx, built)
	if err != nil {
		return err
	}
	report, err := p.compare(p.publication(head, last, f))
	if err != nil {
		return err
	}
	if len(report.Problems) > 0 && last.tip != nil {
		// What is there is kept: a specification that got worse changes no host.
		first := report.Problems[0]
		return p.settle(ctx, tip, refused, fmt.Sprintf("%d new errors, the first: %s", len(report.Problems), first))
	}
	outcome, detail := published, ""
	if last.tip != nil && last.tip.commit != tip {
		if rest := p.unreviewed(ctx, report, last.tip.commit, tip, open); rest != "" {
			if p.hold {
				return p.settle(ctx, tip, held, "not reviewed: "+rest)
			}
			detail = "not reviewed: " + rest
		}
	}
	kept := map[string]bool{}
	if report.Held != nil {
		for _, name := range report.Held.Names {
			kept[name] = true
		}
		detail = strings.TrimPrefix(detail+"; ", "; ") + fmt.Sprintf("%d hosts keep their last release: %s", len(kept), report.Held.Label)
	}
	for name := range kept {
		p.keep(name, last, f)
	}
	if err := p.write(ctx, head, f, kept); err != nil {
		return err
	}
	return p.settle(ctx, tip, outcome, detail)
}

// settle records what came of a commit, and says it once.
func (p *pipeline) settle(ctx context.Context, tip, outcome, detail string) error {
	name := "refs/heads/" + p.branch
	old, err := p.store.Ref(ctx, p.repo, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if old.Commit == tip && old.Outcome == outcome && old.Detail == detail {
		return nil
	}
	p.log.Info("branch settled", "repo", p.repo, "rev", tip, "outcome", outcome, "detail", detail)
	if outcome != published || detail != "" {
		if err := p.store.Audit(ctx, store.Record{Actor: "controller", Action: "branch-" + outcome, Subject: tip, Detail: detail}); err != nil {
			return err
		}
	}
	return p.store.PutRef(ctx, store.Ref{Repo: p.repo, Name: name, Commit: tip, Outcome: outcome, Detail: detail})
}

// past is what hosts have now, by the commits that they have it from.
type past struct {
	byHost map[string]*site
	// tip is the commit that was published last, nil for none.
	tip *site
}

// published builds, with today's facts, the commits that hosts were published
// from. One that the repository no longer has is like none.
func (p *pipeline) published(ctx context.Context, built *sites) (*past, error) {
	out := &past{byHost: map[string]*site{}}
	site := func(commit string) (*site, error) {
		s, err := built.get(ctx, commit)
		if err != nil && ctx.Err() == nil {
			p.log.Warn("an old commit cannot be built", "rev", commit, "err", err)
			return nil, nil
		}
		return s, err
	}
	for _, h := range built.fleet.hosts {
		r, ok := built.fleet.releases[h.ID]
		if !ok || r.Waiting {
			continue
		}
		s, err := site(r.Commit)
		if err != nil {
			return nil, err
		}
		if s != nil {
			out.byHost[h.Name] = s
		}
	}
	ref, err := p.store.Ref(ctx, p.repo, "published/"+p.branch)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.tip, err = site(ref.Commit)
	return out, err
}

// publication compares what hosts have with head. A host that has nothing yet
// comes from the commit published last, so that only the change counts.
func (p *pipeline) publication(head *site, last *past, f *fleet) comparison {
	c := comparison{head: head, fleet: f, names: map[string]bool{}}
	c.from = func(host string) *site {
		if s := last.byHost[host]; s != nil {
			return s
		}
		return last.tip
	}
	if last.tip != nil {
		c.old = last.tip.problems
		for name := range last.tip.results {
			c.names[name] = true
		}
	}
	return c
}

// unreviewed lists what changes although no review that was merged since showed it.
func (p *pipeline) unreviewed(ctx context.Context, report *review.Report, from, to string, open []webhooks.Pull) string {
	if report.Set().Len() == 0 || p.forge == nil {
		return ""
	}
	reviewed, err := p.reviewed(ctx, from, to, open)
	if err != nil {
		return "the reviews cannot be read: " + err.Error()
	}
	rest := reviewed.Minus(report.Set())
	var lines []string
	for i, r := range rest {
		if i == 5 {
			lines = append(lines, fmt.Sprintf("and %d more", len(rest)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("%s on %d hosts", r.Entry, len(r.Hosts)))
	}
	return strings.Join(lines, ", ")
}

// maxReviews bounds how far back reviews are looked at.
const maxReviews = 200

// reviewed is the union of what the reviews merged between two commits showed.
func (p *pipeline) reviewed(ctx context.Context, from, to string, open []webhooks.Pull) (*review.Set, error) {
	union := review.NewSet(p.key)
	list, err := p.store.Reviews(ctx, p.repo, maxReviews)
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	for _, r := range list { // newest first
		if seen[r.Pull] || len(r.Set) == 0 {
			continue
		}
		seen[r.Pull] = true
		merged, err := p.merged(ctx, r, from, to, open)
		if err != nil {
			return nil, err
		}
		if !merged {
			continue
		}
		set, err := review.ReadSet(p.key, r.Set)
		if err != nil {
			return nil, fmt.Errorf("review of pull request %d: %w", r.Pull, err)
		}
		union.Union(set)
	}
	return union, nil
}

// merged tells whether a reviewed head came into the branch between two commits:
// itself, or by what the forge made of it.
func (p *pipeline) merged(ctx context.Context, r store.Review, from, to string, open []webhooks.Pull) (bool, error) {
	if came, err := p.came(ctx, r.Head, from, to); err != nil || came {
		return came, err
	}
	if slices.ContainsFunc(open, func(o webhooks.Pull) bool { return o.Number == r.Pull }) {
		return false, nil
	}
	pull, err := p.forge.Pull(ctx, r.Pull)
	if webhooks.IsMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !pull.Merged || pull.Head != r.Head || pull.MergeCommit == "" {
		return false, nil
	}
	return p.came(ctx, pull.MergeCommit, from, to)
}

// came tells whether a commit is in the history of to, but not in that of from. A
// commit that the mirror does not have is in neither.
func (p *pipeline) came(ctx context.Context, commit, from, to string) (bool, error) {
	if _, err := p.mirror.Commit(ctx, commit); err != nil {
		return false, ctx.Err()
	}
	in, err := p.mirror.IsAncestor(ctx, commit, to)
	if err != nil || !in {
		return false, err
	}
	was, err := p.mirror.IsAncestor(ctx, commit, from)
	return !was, err
}

// write publishes every enrolled host but those that are kept, and records what
// each has. The commit counts as published once all of them have it.
func (p *pipeline) write(ctx context.Context, head *site, f *fleet, kept map[string]bool) error {
	var todo []publish.Release
	var rows []store.Release
	aged := p.aged()
	for _, h := range f.hosts {
		r := head.results[h.Name]
		if kept[h.Name] || r == nil {
			continue
		}
		rel := p.draft(head, h, r, f)
		if r.Refused != nil && rel.Config == nil && len(r.Probes) == 0 {
			continue // never published, and refused: there is nothing to give it
		}
		p.ask(h.ID, rel.Probes)
		next := row(h, rel)
		if old, ok := f.releases[h.ID]; ok && same(old, next) && !aged[h.ID] {
			if old.Commit != head.commit {
				next.Sequence = old.Sequence
				rows = append(rows, next)
			}
			continue
		}
		todo = append(todo, rel)
	}
	outcomes := p.publisher.All(ctx, todo, nil)
	var errs []error
	unchanged := len(rows)
	for i, o := range outcomes {
		if o.Err != nil {
			errs = append(errs, o.Err)
			continue
		}
		r := row(store.Host{ID: o.Host.ID, Recipient: o.Host.Recipient}, todo[i])
		r.Sequence = o.Sequence
		rows = append(rows, r)
		if o.Unchanged {
			unchanged++
		} else {
			p.log.Info("published", "host", o.Host.Name, "rev", head.commit, "sequence", o.Sequence, "waiting", r.Waiting)
		}
	}
	p.metrics.Published(len(rows)-unchanged, unchanged, len(errs))
	if len(rows) > 0 {
		errs = append(errs, p.store.PutReleases(ctx, rows))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return p.store.PutRef(ctx, store.Ref{Repo: p.repo, Name: "published/" + p.branch, Commit: head.commit, Outcome: published})
}

// keep remembers the probes of a host that keeps its last release.
func (p *pipeline) keep(name string, last *past, f *fleet) {
	s := last.byHost[name]
	if s == nil || s.results[name] == nil {
		return
	}
	for _, h := range f.hosts {
		if h.Name == name {
			p.ask(h.ID, s.results[name].Probes)
		}
	}
}

// draft is one host's release. A host with probes and without answers gets its
// probes alone: never a configuration that was bound without them.
func (p *pipeline) draft(head *site, h store.Host, r *engine.Result, f *fleet) publish.Release {
	rel := publish.Release{
		Host: publish.Host{Name: h.Name, ID: h.ID, Recipient: h.Recipient}, Probes: r.Probes,
		Policy: release.Policy{Mode: release.Mode(head.spec.Policy().Mode)}, Commit: head.commit, Tree: head.tree,
	}
	if len(r.Probes) == 0 || f.facts[h.ID].Answers != nil {
		rel.Config = r.Config
	}
	return rel
}

func row(h store.Host, r publish.Release) store.Release {
	out := store.Release{
		HostID: h.ID, ProbeDigest: config.ProbeDigest(r.Probes).String(), PolicyDigest: r.Policy.Digest().String(),
		Recipient: h.Recipient, Format: release.Format, Commit: r.Commit, Tree: r.Tree, Waiting: r.Config == nil,
	}
	if r.Config != nil {
		out.ConfigDigest = r.Config.Digest().String()
	}
	return out
}

// same tells whether two releases say the same to a host; the commit does not count.
func same(a, b store.Release) bool {
	return a.ConfigDigest == b.ConfigDigest && a.ProbeDigest == b.ProbeDigest && a.PolicyDigest == b.PolicyDigest &&
		a.Recipient == b.Recipient && a.Format == b.Format && a.Waiting == b.Waiting
}
