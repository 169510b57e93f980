// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/webhooks"
)

// maxHeard bounds in how many merged pull requests approvals are looked for while a
// publication is held.
const maxHeard = 10

// approve notes, or takes back, that somebody takes a finding for meant. Who opened the
// pull request does not approve it: four eyes are what approvals are for.
func (p *pipeline) approve(ctx context.Context, c conversation, hash string, n webhooks.Note, back bool) (answer, error) {
	findings, err := p.open(ctx, c)
	if err != nil {
		return answer{}, err
	}
	i := slices.IndexFunc(findings, func(f review.Finding) bool { return f.Hash == hash })
	if i < 0 {
		return refusal("%s", noFinding(findings)), nil
	}
	f := findings[i]
	own := func(author string) bool { return strings.EqualFold(author, n.Login) }
	if !back && (n.Author == 0 || slices.ContainsFunc(c.authors(), own)) {
		return refusal("Somebody else has to approve it than who opened the pull request."), nil
	}
	action, do, said := "finding-approved", p.store.PutApproval, "approved"
	if back {
		action, do, said = "finding-unapproved", p.store.DropApproval, "no longer approved by you"
	}
	if err := p.store.Audit(ctx, store.Record{
		Actor: n.Login, Action: action, Subject: hash, Detail: fmt.Sprintf("pull request %d of %s, assertion %q", c.pull.Number, p.repo, f.Assertion),
	}); err != nil {
		return answer{}, err
	}
	if err := do(ctx, store.Approval{Repo: p.repo, Pull: c.pull.Number, Hash: hash, Account: n.Author, Login: n.Login}); err != nil {
		return answer{}, err
	}
	given, err := p.approvals(ctx, c.pull.Number)
	if err != nil {
		return answer{}, err
	}
	return answer{text: fmt.Sprintf("The finding about the assertion %s is %s: %d of %d approvals. It ends when the finding says something else.",
		inline(f.Assertion), said, len(given[hash]), f.Approvals)}, nil
}

func noFinding(findings []review.Finding) string {
	if len(findings) == 0 {
		return "There is no finding to approve."
	}
	var b strings.Builder
	b.WriteString("No finding has that hash now. These are:\n")
	for i, f := range findings {
		if i == maxListed {
			fmt.Fprintf(&b, "\nand %d more", len(findings)-i)
			break
		}
		fmt.Fprintf(&b, "\n- %s: `%s`", inline(f.Assertion), f.Hash)
	}
	return b.String()
}

// authors are those who cannot approve in a conversation.
func (c conversation) authors() []string { return append([]string{c.pull.Author}, c.others...) }

// open lists the findings that can be approved in a pull request: of its newest review,
// and those that hold the publication of what was merged.
func (p *pipeline) open(ctx context.Context, c conversation) ([]review.Finding, error) {
	out := slices.Clone(c.held)
	last, err := p.store.LatestReview(ctx, p.repo, c.pull.Number)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	shown, err := review.ReadJSON(last.Body)
	if err != nil {
		return nil, err
	}
	return append(out, shown.Findings...), nil
}

// approvals are the people who approved findings in pull requests, by hash.
func (p *pipeline) approvals(ctx context.Context, pulls ...int) (map[string][]string, error) {
	out := map[string][]string{}
	seen := map[string]bool{}
	for _, number := range pulls {
		rows, err := p.store.Approvals(ctx, p.repo, number)
		if err != nil {
			return nil, err
		}
		for _, a := range rows {
			if who := fmt.Sprint(a.Hash, " ", a.Account); !seen[who] {
				seen[who] = true
				out[a.Hash] = append(out[a.Hash], a.Login)
			}
		}
	}
	return out, nil
}

// allowance is what the reviews of merged pull requests had approved.
type allowance struct {
	// given are the people by hash, over all of these pull requests.
	given map[string][]string
	// parts are the hosts for which a part of a finding was approved, by its ID.
	parts map[string]map[string]bool
	// changes are those of reviews without an open finding.
	changes *review.Set
}

func (p *pipeline) allowance(ctx context.Context, reviews []store.Review) (*allowance, error) {
	out := &allowance{parts: map[string]map[string]bool{}, changes: review.NewSet(p.key)}
	var numbers []int
	for _, r := range reviews {
		numbers = append(numbers, r.Pull)
		given, err := p.approvals(ctx, r.Pull)
		if err != nil {
			return nil, err
		}
		shown, err := review.ReadJSON(r.Body)
		if err != nil {
			return nil, fmt.Errorf("review of pull request %d: %w", r.Pull, err)
		}
		whole := true
		for _, f := range shown.Findings {
			f.ApprovedBy = given[f.Hash]
			if !f.Approved() {
				whole = false
				continue
			}
			out.note(f)
		}
		if whole {
			if err := p.add(out.changes, r); err != nil {
				return nil, err
			}
		}
	}
	var err error
	out.given, err = p.approvals(ctx, numbers...)
	return out, err
}

func (a *allowance) note(f review.Finding) {
	for _, v := range f.Violations {
		if a.parts[v.ID] == nil {
			a.parts[v.ID] = map[string]bool{}
		}
		for _, h := range v.Names {
			a.parts[v.ID][h] = true
		}
	}
}

// covers tells whether a finding was approved: as it is, or in the parts that it has
// because several pull requests were merged at a time.
func (a *allowance) covers(f review.Finding) bool {
	f.ApprovedBy = a.given[f.Hash]
	switch {
	case f.Approved():
		return true
	case f.Lasting():
		return f.Omitted == 0 && !slices.ContainsFunc(f.Violations, func(v review.Violation) bool {
			return slices.ContainsFunc(v.Names, func(h string) bool { return !a.parts[v.ID][h] })
		})
	}
	return f.Set() != nil && a.changes.Contains(f.Set())
}

// unapproved lists the findings that the reviews of what was merged did not have
// approved.
func (p *pipeline) unapproved(ctx context.Context, findings []review.Finding, reviews []store.Review) ([]review.Finding, error) {
	if len(findings) == 0 {
		return nil, nil
	}
	a, err := p.allowance(ctx, reviews)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(findings), a.covers), nil
}

// broken says which assertions keep a commit from being published; "" for none.
func (p *pipeline) broken(ctx context.Context, report *review.Report, last *past, head *site, built *sites) (string, error) {
	if len(report.Findings) == 0 {
		return "", nil
	}
	var m merges
	if p.forge != nil {
		var err error
		if m, err = p.since(ctx, last, head.commit); err != nil {
			return "", err
		}
	}
	left, err := p.unapproved(ctx, report.Findings, m.reviews)
	if err == nil && len(left) > 0 && len(m.open) > 0 {
		// A squash or a rebase leaves no trace of the head: the forge knows.
		more, err := p.squashed(ctx, m.open, m.came)
		if err != nil {
			return "", fmt.Errorf("ask what was merged: %w", err)
		}
		m.reviews = append(m.reviews, more...)
		if left, err = p.unapproved(ctx, report.Findings, m.reviews); err != nil {
			return "", err
		}
	}
	if err == nil && len(left) > 0 && p.hearMerged(ctx, head.commit, m.reviews, left, built) {
		left, err = p.unapproved(ctx, report.Findings, m.reviews)
	}
	var lines []string
	for i, f := range left {
		if i == maxListed {
			lines = append(lines, fmt.Sprintf("and %d more", len(left)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("%s, on %s (its hash is %s)", f.Problem, fold(f.Names), f.Hash))
	}
	return strings.Join(lines, "; "), err
}

// merges are the newest reviews, parted by whether their heads came to the branch.
type merges struct {
	came          map[string]bool
	reviews, open []store.Review
}

// since parts the reviews by what was merged since what hosts have.
func (p *pipeline) since(ctx context.Context, last *past, tip string) (merges, error) {
	came, err := p.came(ctx, last, tip)
	if err != nil {
		return merges{}, err
	}
	newest, err := p.newestReviews(ctx)
	out := merges{came: came}
	for _, r := range newest {
		if came[r.Head] {
			out.reviews = append(out.reviews, r)
		} else {
			out.open = append(out.open, r)
		}
	}
	return out, err
}

// hearMerged looks for approvals in pull requests that are merged already, because what
// holds their publication may not have been there before. It tells whether it looked.
func (p *pipeline) hearMerged(ctx context.Context, tip string, reviews []store.Review, held []review.Finding, built *sites) bool {
	if p.forge == nil || p.pace.resting() {
		return false
	}
	var pulls []webhooks.Pull
	var authors []string
	for _, r := range reviews[:min(len(reviews), maxHeard)] {
		pull, err := p.forge.Pull(ctx, r.Pull)
		if err != nil {
			p.failed(err)
			p.log.Warn("a merged pull request cannot be read, so nobody can approve in it", "pull", r.Pull, "err", err)
			return false
		}
		pulls = append(pulls, pull)
		authors = append(authors, pull.Author)
	}
	for _, pull := range pulls {
		if err := p.hear(ctx, conversation{tip: tip, pull: pull, built: built, held: held, others: authors}); err != nil {
			p.failed(err)
			p.log.Warn("comments of a merged pull request cannot be answered", "pull", pull.Number, "err", err)
		}
	}
	return len(pulls) > 0
}
