// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/webhooks"
)

// queue concludes the check of everything in the merge queue: whether it gives hosts
// what the reviews of its pull requests showed, and nothing else.
func (p *pipeline) queue(ctx context.Context, tip string, built *sites) error {
	q, ok := p.forge.(webhooks.Queue)
	if !ok {
		return nil
	}
	groups, err := q.Queued(ctx, "refs/heads/"+p.branch)
	if err != nil {
		p.failed(err)
		return err
	}
	var errs []error
	for _, g := range groups {
		built.only(tip)
		if err := p.queued(ctx, tip, g, groups, built); err != nil {
			p.failed(err)
			errs = append(errs, fmt.Errorf("merge queue, pull request %d: %w", g.Number, err))
		}
	}
	return errors.Join(errs...)
}

func (p *pipeline) queued(ctx context.Context, tip string, g webhooks.Group, groups []webhooks.Group, built *sites) error {
	name := "refs/queue/" + g.Commit
	var numbers []int
	for _, other := range groups {
		numbers = append(numbers, other.Number)
	}
	given, err := p.approvals(ctx, numbers...)
	if err != nil {
		return err
	}
	done := p.shown(tip, g.Commit, built.fleet.digest, false, false, given)
	ref, err := p.store.Ref(ctx, p.repo, name)
	if err == nil && ref.Detail == done {
		return nil
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := p.mirror.Fetch(ctx, g.Ref); err != nil {
		return err
	}
	var status webhooks.Status
	err = within(ctx, previewTime, func(ctx context.Context) (err error) {
		status, err = p.compareQueued(ctx, tip, g, groups, built)
		return err
	})
	if err != nil {
		broken := webhooks.Status{State: webhooks.Broken, Description: "the comparison failed in the controller; its log says why"}
		return errors.Join(err, p.forge.SetStatus(ctx, g.Commit, broken))
	}
	if err := p.forge.SetStatus(ctx, g.Commit, status); err != nil {
		return err
	}
	p.log.Info("merge queue compared", "repo", p.repo, "pull", g.Number, "rev", g.Commit, "state", status.State)
	return p.store.PutRef(ctx, store.Ref{Repo: p.repo, Name: name, Commit: g.Commit, Outcome: string(status.State), Detail: done})
}

func (p *pipeline) compareQueued(ctx context.Context, tip string, g webhooks.Group, groups []webhooks.Group, built *sites) (webhooks.Status, error) {
	merged := webhooks.Pull{Number: g.Number, Head: g.Commit}
	report, err := p.report(ctx, tip, merging{commit: g.Commit}, merged, built)
	if err != nil {
		return webhooks.Status{}, err
	}
	failure := webhooks.Status{State: webhooks.Failure, Description: report.Verdict.Title, Annotations: annotations(report)}
	if !report.Verdict.OK && report.Verdict.State != review.Unapproved {
		return failure, nil
	}
	reviews, err := p.reviewedIn(ctx, tip, g, groups)
	if err != nil {
		return webhooks.Status{}, err
	}
	left, err := p.unapproved(ctx, report.Findings, reviews)
	if err != nil || len(left) > 0 {
		return failure, err
	}
	union := review.NewSet(p.key)
	for _, r := range reviews {
		if err := p.add(union, r); err != nil {
			return webhooks.Status{}, err
		}
	}
	if rest := union.Minus(report.Set()); len(rest) > 0 {
		return webhooks.Status{State: webhooks.Failure, Description: "not as reviewed: " + listed(rest)}, nil
	}
	title := report.Verdict.Title
	if report.Verdict.State == review.Unapproved {
		title = "assertions that do not hold were approved"
	}
	return webhooks.Status{State: webhooks.Success, Description: "as reviewed: " + title}, nil
}

// reviewedIn lists the newest reviews of what a merge of the queue brings: of pull
// requests whose heads are in its history, and of those that the queue says are in
// it, because a squash leaves no trace of a head.
func (p *pipeline) reviewedIn(ctx context.Context, tip string, g webhooks.Group, groups []webhooks.Group) ([]store.Review, error) {
	came, err := p.mirror.Between(ctx, tip, g.Commit)
	if err != nil {
		return nil, err
	}
	named := map[int]bool{g.Number: true}
	for _, other := range groups {
		if came[other.Commit] {
			named[other.Number] = true
		}
	}
	newest, err := p.newestReviews(ctx)
	if err != nil {
		return nil, err
	}
	var out []store.Review
	for _, r := range newest {
		if !came[r.Head] && named[r.Pull] {
			// What was pushed after the review is not what was reviewed.
			pull, err := p.forge.Pull(ctx, r.Pull)
			if err != nil {
				return nil, err
			}
			named[r.Pull] = pull.Head == r.Head
		}
		if came[r.Head] || named[r.Pull] {
			out = append(out, r)
		}
	}
	return out, nil
}
