// SPDX-License-Identifier: Apache-2.0

package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/bindery/bindery/webhooks"
)

// comment is one of ours.
type comment struct {
	id     int64
	url    string
	body   string
	marker webhooks.Marker
}

// Post implements webhooks.Forge. Ours is what has our marker and was written by
// our account: a marker alone could be anybody's. Several of ours, from a race or
// an answer that was lost, become one again: the oldest stays and says the newest.
func (f *Forge) Post(ctx context.Context, p webhooks.Post) (webhooks.Posted, error) {
	select {
	case f.posting <- struct{}{}:
		defer func() { <-f.posting }()
	case <-ctx.Done():
		return webhooks.Posted{}, fail("post comment", ctx.Err())
	}
	me, err := f.account(ctx)
	if err != nil {
		return webhooks.Posted{}, err
	}
	p.Marker.App, p.Marker.Pull = me, p.Number
	ours, err := f.find(ctx, me, p)
	if err != nil {
		return webhooks.Posted{}, err
	}
	if len(ours) == 0 {
		if p.OnlyEdit {
			return webhooks.Posted{Outcome: webhooks.Absent}, nil
		}
		return f.create(ctx, me, p)
	}
	posted, err := f.update(ctx, ours[0], newest(ours), p)
	if webhooks.IsMissing(err) {
		// A person deleted it between two calls.
		if p.OnlyEdit {
			return webhooks.Posted{Outcome: webhooks.Absent}, nil
		}
		return f.create(ctx, me, p)
	}
	if err != nil {
		return webhooks.Posted{}, err
	}
	return posted, f.remove(ctx, ours[1:])
}

// find gives our comments, oldest first: the one that is known, else all.
func (f *Forge) find(ctx context.Context, me int64, p webhooks.Post) ([]comment, error) {
	if p.Known != 0 {
		c, _, err := f.client.Issues.GetComment(ctx, f.owner, f.name, p.Known)
		switch err = fail("read comment", err); {
		case err == nil:
			if own, ok := mine(c, me, p.Number); ok {
				return []comment{own}, nil
			}
		case !webhooks.IsMissing(err):
			return nil, err
		}
	}
	return f.list(ctx, me, p.Number)
}

func (f *Forge) list(ctx context.Context, me int64, number int) ([]comment, error) {
	const op = "list comments"
	var ours []comment
	opts := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: pageSize}}
	for range maxPages {
		page, resp, err := f.client.Issues.ListComments(ctx, f.owner, f.name, number, opts)
		if err != nil {
			return nil, fail(op, err)
		}
		for _, c := range page {
			if own, ok := mine(c, me, number); ok {
				ours = append(ours, own)
			}
		}
		if resp.NextPage == 0 {
			slices.SortFunc(ours, func(a, b comment) int { return cmp.Compare(a.id, b.id) })
			return ours, nil
		}
		opts.Page = resp.NextPage
	}
	return nil, fail(op, fmt.Errorf("more than %d comments", maxPages*pageSize))
}

func mine(c *github.IssueComment, me int64, number int) (comment, bool) {
	marker, ok := webhooks.ParseMarker(c.GetBody())
	ok = ok && marker.App == me && marker.Pull == number && c.GetUser().GetID() == me
	return comment{id: c.GetID(), url: c.GetHTMLURL(), body: c.GetBody(), marker: marker}, ok
}

// newest is the one whose text is newest.
func newest(ours []comment) comment {
	return slices.MaxFunc(ours, func(a, b comment) int { return cmp.Compare(a.marker.Seq, b.marker.Seq) })
}

// update makes keep say what p says, or what a newer comment of ours says.
func (f *Forge) update(ctx context.Context, keep, latest comment, p webhooks.Post) (webhooks.Posted, error) {
	posted := webhooks.Posted{ID: keep.id, URL: keep.url, Outcome: webhooks.Edited}
	body := text(p)
	if latest.marker.Seq > p.Marker.Seq {
		posted.Outcome, body = webhooks.Superseded, latest.body
	}
	if same(keep.body, body) {
		if posted.Outcome == webhooks.Edited {
			posted.Outcome = webhooks.Unchanged
		}
		return posted, nil
	}
	_, _, err := f.client.Issues.EditComment(ctx, f.owner, f.name, keep.id, &github.IssueComment{Body: &body})
	return posted, fail("edit comment", err)
}

// create posts a new comment and looks whether somebody did the same meanwhile.
func (f *Forge) create(ctx context.Context, me int64, p webhooks.Post) (webhooks.Posted, error) {
	body := text(p)
	_, _, err := f.client.Issues.CreateComment(ctx, f.owner, f.name, p.Number, &github.IssueComment{Body: &body})
	lost := fail("create comment", err)
	var typed *webhooks.Error
	if lost != nil && (!errors.As(lost, &typed) || !typed.Retryable()) {
		return webhooks.Posted{}, lost
	}
	// Without a whole answer it may have been created all the same.
	ours, err := f.list(ctx, me, p.Number)
	if err != nil {
		return webhooks.Posted{}, errors.Join(lost, err)
	}
	if len(ours) == 0 {
		if lost == nil {
			lost = fail("create comment", errors.New("it was created and is not listed"))
		}
		return webhooks.Posted{}, lost
	}
	posted, err := f.update(ctx, ours[0], newest(ours), p)
	if err != nil {
		return webhooks.Posted{}, err
	}
	if posted.Outcome == webhooks.Unchanged {
		posted.Outcome = webhooks.Created
	}
	return posted, f.remove(ctx, ours[1:])
}

// remove deletes spare comments of our own.
func (f *Forge) remove(ctx context.Context, spare []comment) error {
	for _, c := range spare {
		_, err := f.client.Issues.DeleteComment(ctx, f.owner, f.name, c.id)
		if err := fail("delete spare comment", err); err != nil && !webhooks.IsMissing(err) {
			return err
		}
	}
	return nil
}

// text is the whole comment. A body that brings a marker line gets ours instead.
func text(p webhooks.Post) string {
	body := p.Body
	if _, ok := webhooks.ParseMarker(body); ok {
		_, body, _ = strings.Cut(body, "\n")
	}
	return p.Marker.String() + "\n" + body
}

// same says whether two comments say the same about the same commits; the number
// of the build alone is no reason to write.
func same(a, b string) bool {
	first, _ := webhooks.ParseMarker(a)
	second, _ := webhooks.ParseMarker(b)
	first.Seq, second.Seq = 0, 0
	return first == second && below(a) == below(b)
}

func below(body string) string {
	_, rest, _ := strings.Cut(strings.ReplaceAll(body, "\r\n", "\n"), "\n")
	return strings.TrimSpace(rest)
}
