// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/redaction"
	"github.com/bindery/bindery/webhooks"
)

const (
	// maxReviews bounds how far back reviews are looked at.
	maxReviews = 200
	// maxAsked bounds how many pull requests the forge is asked about at a time.
	maxAsked = 50
	// maxListed bounds how many entries are named.
	maxListed = 5
)

// unreviewed lists what a publication changes although no review that was merged
// since showed it; "" for nothing.
func (p *pipeline) unreviewed(ctx context.Context, changes *review.Set, last *past, tip string) (string, error) {
	if p.forge == nil || changes.Len() == 0 {
		return "", nil
	}
	came, err := p.came(ctx, last, tip)
	if err != nil {
		return "", err
	}
	newest, err := p.newestReviews(ctx)
	if err != nil {
		return "", err
	}
	union := review.NewSet(p.key)
	var open []store.Review
	for _, r := range newest {
		if !came[r.Head] {
			open = append(open, r)
			continue
		}
		if err := p.add(union, r); err != nil {
			return "", err
		}
	}
	rest := union.Minus(changes)
	if len(rest) > 0 && len(open) > 0 {
		// A squash or a rebase leaves no trace of the head: the forge knows.
		err := p.addSquashed(ctx, union, open, came)
		if err != nil && p.hold {
			return "", fmt.Errorf("ask what was merged: %w", err)
		}
		rest = union.Minus(changes)
		if err != nil && len(rest) > 0 {
			p.failed(err)
			return listed(rest) + " (the forge could not be asked which pull requests were merged)", nil
		}
	}
	return listed(rest), nil
}

func listed(rest []review.Remainder) string {
	var lines []string
	for i, r := range rest {
		if i == maxListed {
			lines = append(lines, fmt.Sprintf("and %d more", len(rest)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("%s on %s", redaction.Name(r.Entry.String()), fold(r.Hosts)))
	}
	return strings.Join(lines, ", ")
}

// came are the commits that came since what some host has.
func (p *pipeline) came(ctx context.Context, last *past, tip string) (map[string]bool, error) {
	all := map[string]bool{}
	for _, from := range last.commits() {
		some, err := p.mirror.Between(ctx, from, tip)
		if errors.Is(err, git.ErrUnknownRevision) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for commit := range some {
			all[commit] = true
		}
	}
	return all, nil
}

// newestReviews gives the newest review of each pull request that showed changes, of
// those for this environment: what another's hosts would get was not shown for these.
func (p *pipeline) newestReviews(ctx context.Context) ([]store.Review, error) {
	list, err := p.store.Reviews(ctx, p.repo, maxReviews)
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	var out []store.Review
	for _, r := range list { // newest first
		if seen[r.Pull] || len(r.Set) == 0 || r.Environment != p.env {
			continue
		}
		seen[r.Pull] = true
		out = append(out, r)
	}
	return out, nil
}

func (p *pipeline) add(union *review.Set, r store.Review) error {
	set, err := review.ReadSet(p.key, r.Set)
	if err != nil {
		return fmt.Errorf("review of pull request %d: %w", r.Pull, err)
	}
	union.Union(set)
	return nil
}

// addSquashed adds the reviews whose heads became another commit of the branch.
func (p *pipeline) addSquashed(ctx context.Context, union *review.Set, reviews []store.Review, came map[string]bool) error {
	found, err := p.squashed(ctx, reviews, came)
	for _, r := range found {
		err = errors.Join(err, p.add(union, r))
	}
	return err
}

// squashed lists the reviews whose heads became another commit of the branch. With an
// error it lists those that it got to.
func (p *pipeline) squashed(ctx context.Context, reviews []store.Review, came map[string]bool) (out []store.Review, err error) {
	// What is open now was not merged before the branch was fetched.
	list, err := p.pulls(ctx)
	if err != nil {
		return nil, err
	}
	open := map[int]bool{}
	for _, pull := range list {
		open[pull.Number] = true
	}
	asked := 0
	for _, r := range reviews {
		pull, known := p.merges[r.Pull]
		if open[r.Pull] || !known && asked == maxAsked {
			continue
		}
		if !known {
			asked++
			if pull, err = p.forge.Pull(ctx, r.Pull); webhooks.IsMissing(err) {
				continue
			} else if err != nil {
				return out, err
			}
		}
		if !pull.Merged {
			continue
		}
		p.merges[r.Pull] = pull
		if pull.Head == r.Head && came[pull.MergeCommit] {
			out = append(out, r)
		}
	}
	return out, nil
}
