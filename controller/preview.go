// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/words"
	"github.com/bindery/bindery/webhooks"
)

// preview shows what a pull request would do, in its one comment and its status.
// It does nothing where the same was shown before.
func (p *pipeline) preview(ctx context.Context, tip string, pull webhooks.Pull, built *sites) error {
	if wait := p.pace.tooSoon(pull); wait > 0 {
		p.pace.later(wait)
		return nil
	}
	merged, err := p.merge(ctx, tip, pull)
	if err != nil || merged.commit == tip {
		return err // what is in the branch already has nothing to show
	}
	name := fmt.Sprintf("refs/pull/%d", pull.Number)
	allowed, err := p.allowed(ctx, pull)
	if err != nil {
		return err
	}
	done, err := p.madeOf(ctx, tip, merged.id(), pull, allowed, built)
	if err != nil {
		return err
	}
	ref, err := p.store.Ref(ctx, p.repo, name)
	if err == nil && ref.Commit == pull.Head && ref.Detail == done {
		return nil
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if merged.own {
		if stands, err := p.stands(ctx, pull); err != nil || !stands {
			return err // the next look sees what became of it
		}
	}
	p.pace.turn = pull.Number
	var report *review.Report
	err = p.useful(ctx, tip, pull, func(ctx context.Context) error {
		return within(ctx, previewTime, func(ctx context.Context) (err error) {
			report, err = p.report(ctx, tip, merged, pull, built)
			return err
		})
	})
	if errors.Is(err, errSuperseded) {
		return err
	}
	if err != nil {
		// Whoever waits for the check must see that there will be none.
		broken := webhooks.Status{State: webhooks.Broken, Description: "the preview failed in the controller; its log says why"}
		err = errors.Join(err, p.forge.SetStatus(ctx, pull.Head, broken))
		if errors.Is(err, errSlow) {
			err = errors.Join(err, p.store.PutRef(ctx, store.Ref{Repo: p.repo, Name: name, Commit: pull.Head, Outcome: "slow", Detail: done}))
		}
		return err
	}
	seq, err := p.remember(ctx, tip, merged, pull, built.fleet, report)
	if err != nil {
		return err
	}
	if err := p.show(ctx, tip, pull, report, seq, ref.Outcome == purged); err != nil {
		return err
	}
	p.pace.showed(pull)
	p.log.Info("previewed", "repo", p.repo, "pull", pull.Number, "rev", pull.Head, "verdict", report.Verdict.Title)
	return p.showed(ctx, store.Ref{Repo: p.repo, Name: name, Commit: pull.Head, Outcome: string(report.Verdict.State), Detail: done})
}

// showed keeps what was shown, also where the controller is being stopped: it would be
// made and shown again.
func (p *pipeline) showed(ctx context.Context, ref store.Ref) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return p.store.PutRef(ctx, ref)
}

// merging is a pull request merged into the branch.
type merging struct {
	// commit is "" where there is none; tree is what it holds.
	commit, tree string
	// own: the forge has not made it, or not of these commits.
	own bool
	// files are in conflict.
	files []string
}

// id names what was merged. It is the same whoever merged it.
func (m merging) id() string {
	if m.commit == "" {
		return strings.Join(m.files, "\n")
	}
	return m.tree
}

// merge merges a pull request into the branch. Some forges make no merge of their
// own, and some only once somebody asks for the pull request: then it is made here.
func (p *pipeline) merge(ctx context.Context, tip string, pull webhooks.Pull) (m merging, err error) {
	m.commit, err = p.mirror.Merge(ctx, tip, pull.Head, pull.MergeRef)
	if errors.Is(err, git.ErrNoMerge) {
		m.own = true
		m.commit, err = p.mirror.MergeHere(ctx, tip, pull.Head)
	}
	if conflict, ok := errors.AsType[*git.ConflictError](err); ok {
		m.files = conflict.Files
		return m, nil
	}
	if errors.Is(err, git.ErrNoMerge) {
		p.log.Debug("not merged", "repo", p.repo, "pull", pull.Number, "rev", pull.Head, "why", err)
		return m, nil
	}
	if err != nil {
		return m, err
	}
	commit, err := p.mirror.Commit(ctx, m.commit)
	m.tree = commit.Tree
	return m, err
}

// stands tells whether a pull request is still to be merged. The forge knows first,
// and makes its merge once it is asked.
func (p *pipeline) stands(ctx context.Context, pull webhooks.Pull) (bool, error) {
	now, err := p.forge.Pull(ctx, pull.Number)
	return err == nil && now.Open && now.Head == pull.Head, err
}

// madeOf names what the preview of a pull request is made of, besides the head.
func (p *pipeline) madeOf(ctx context.Context, tip, merged string, pull webhooks.Pull, allowed bool, built *sites) (string, error) {
	given, err := p.approvals(ctx, pull.Number)
	return p.shown(tip, merged, built.fleet.digest, pull.Draft, pull.Fork && allowed, given), err
}

// shown names what a preview or a comparison was made of, besides the head.
func (p *pipeline) shown(tip, merged, facts string, draft, allowed bool, given map[string][]string) string {
	text := fmt.Appendf(nil, "%s %s %s %s %t", p.env, tip, merged, facts, draft)
	if allowed {
		text = append(text, " allowed"...)
	}
	for _, hash := range slices.Sorted(maps.Keys(given)) {
		text = fmt.Appendf(text, " %s by %q", hash, given[hash])
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (p *pipeline) report(ctx context.Context, tip string, merged merging, pull webhooks.Pull, built *sites) (*review.Report, error) {
	start := p.now()
	meta := review.Meta{Number: pull.Number, Base: tip, Head: pull.Head, BaseName: p.branch}
	_, meta.Commands = p.forge.(webhooks.Talk)
	if merged.commit == "" {
		return review.NotMerged(meta, merged.files), nil
	}
	if p.adminURL != "" {
		meta.ReportURL = fmt.Sprintf("%s/reviews/%s/%d", strings.TrimSuffix(p.adminURL, "/"), p.repo, pull.Number)
	}
	allowed, err := p.allowed(ctx, pull)
	if err != nil {
		return nil, err
	}
	if !allowed {
		return p.unbuilt(ctx, meta, tip, merged.commit, built)
	}
	base, err := built.get(ctx, tip)
	if err != nil {
		return nil, err
	}
	head, err := built.get(ctx, merged.commit)
	if err != nil {
		return nil, err
	}
	meta.Files = len(git.Changed(base.snap, head.snap))
	meta.Built = len(head.results)
	meta.Took = p.now().Sub(start)
	given, err := p.approvals(ctx, pull.Number)
	if err != nil {
		return nil, err
	}
	c := comparison{
		meta: meta, head: head, fleet: built.fleet, old: base.problems, rules: base.spec.Assertions(), given: given, names: map[string]bool{},
	}
	c.from = func(string) *site { return base }
	for name := range base.results {
		c.names[name] = true
	}
	if c.said, err = p.store.LatestReports(ctx); err != nil {
		return nil, err
	}
	report, err := p.compare(ctx, c)
	if err != nil {
		return nil, err
	}
	return report, p.surround(ctx, report, built.open)
}

// maxTouched bounds how many files of a stranger's change are named.
const maxTouched = 100

// unbuilt looks at the files of a stranger's change and runs nothing of it.
func (p *pipeline) unbuilt(ctx context.Context, meta review.Meta, tip, merged string, built *sites) (*review.Report, error) {
	var found [2][]*problem.Problem
	var snaps [2]*git.Snapshot
	for i, commit := range []string{tip, merged} {
		snap, err := p.mirror.Snapshot(ctx, commit)
		if err != nil {
			return nil, err
		}
		if found[i], err = engine.Lint(ctx, snap, engine.Options{Cache: p.parsed}); err != nil {
			return nil, err
		}
		snaps[i] = snap
	}
	files := git.Changed(snaps[0], snaps[1])
	meta.Files, meta.Touches = len(files), files[:min(len(files), maxTouched)]
	base, err := built.get(ctx, tip) // what is in the branch is trusted
	if err != nil {
		return nil, err
	}
	meta.Possible = len(base.results)
	return review.Unbuilt(meta, found[0], found[1]), nil
}

// remember records a review and what it showed, once for the same head, base,
// merge and facts: a run that was cut off goes on with its number.
func (p *pipeline) remember(ctx context.Context, tip string, merged merging, pull webhooks.Pull, f *fleet, report *review.Report) (int64, error) {
	last, err := p.store.LatestReview(ctx, p.repo, pull.Number)
	if err == nil && last.Environment == p.env && last.Head == pull.Head && last.Base == tip && last.Merged == merged.tree && last.Facts == f.digest && last.Digest == report.Digest {
		return last.Seq, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	body, err := report.JSON()
	if err != nil {
		return 0, err
	}
	r := store.Review{
		Repo: p.repo, Pull: pull.Number, Environment: p.env, Head: pull.Head, Base: tip, Merged: merged.tree, Facts: f.digest,
		Digest: report.Digest, State: string(report.Verdict.State), Body: body,
	}
	if set := report.Set(); set != nil {
		if r.Set, err = set.MarshalBinary(); err != nil {
			return 0, err
		}
	}
	return p.store.PutReview(ctx, r)
}

// show posts the comment, then the status: a check that succeeds is never there
// before the comment that it stands for.
func (p *pipeline) show(ctx context.Context, tip string, pull webhooks.Pull, report *review.Report, seq int64, anew bool) error {
	page := markdown.New(report, markdown.Options{})
	status := webhooks.Status{State: webhooks.Failure, Description: report.Verdict.Title, Annotations: annotations(report), Text: page.Rest}
	if report.Verdict.OK && page.OK() {
		status.State = webhooks.Success
	}
	if s := report.Verdict.State; s == review.Unmergeable || s == review.Untrusted && len(report.Problems) == 0 {
		status.State = webhooks.Pending
	}
	if !pull.Draft {
		if err := p.post(ctx, tip, pull, report, page.Body, seq, anew); err != nil {
			return err
		}
	}
	return p.forge.SetStatus(ctx, pull.Head, status)
}

// annotations are the problems that are new, on their lines: of the specification
// first, then of entries that do not bind, then assertions that do not hold.
func annotations(report *review.Report) (out []webhooks.Annotation) {
	add := func(pr *problem.Problem, message string) {
		if pr == nil || pr.Pos.File == "" {
			return
		}
		if pr.Hint != "" {
			message += " (" + pr.Hint + ")"
		}
		out = append(out, webhooks.Annotation{
			Path: pr.Pos.File, Line: pr.Pos.Line, Failure: pr.Severity == problem.Error, Title: pr.Code, Message: words.Visible(message, false),
		})
	}
	for _, pr := range report.Problems {
		add(pr, pr.Msg)
	}
	for _, c := range report.Errors {
		if c.Problem != nil {
			add(c.Problem, c.Problem.Msg+", on "+c.Label)
		}
	}
	for i := range report.Findings {
		if f := &report.Findings[i]; !f.Approved() {
			add(f.Problem, f.Problem.Msg+", on "+f.Label+"; its hash is "+f.Hash)
		}
	}
	slices.SortStableFunc(out, func(a, b webhooks.Annotation) int {
		if a.Failure == b.Failure {
			return 0
		}
		if a.Failure {
			return -1
		}
		return 1
	})
	return out
}

func (p *pipeline) post(ctx context.Context, tip string, pull webhooks.Pull, report *review.Report, body string, seq int64, anew bool) error {
	known, err := p.store.Comment(ctx, p.repo, pull.Number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	_, text, _ := strings.Cut(body, "\n") // the forge writes the marker itself: it knows the account
	posted, err := p.forge.Post(ctx, webhooks.Post{
		Number: pull.Number, Known: known.ID, Body: text, Plain: markdown.Lasting, OnlyEdit: report.Verdict.State == review.Clean, Anew: anew,
		Marker: webhooks.Marker{Head: pull.Head, Base: tip, Seq: seq, Digest: report.Digest},
	})
	if err != nil || posted.ID == 0 {
		return err
	}
	return p.store.PutComment(ctx, p.repo, pull.Number, store.Posted{ID: posted.ID, Seq: seq})
}
