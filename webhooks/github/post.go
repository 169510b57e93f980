// SPDX-License-Identifier: Apache-2.0

package github

import (
	"context"
	"fmt"

	"github.com/google/go-github/v60/github"

	"github.com/bindery/bindery/webhooks"
)

// Post implements webhooks.Forge.
func (f *Forge) Post(ctx context.Context, p webhooks.Post) (webhooks.Posted, error) {
	select {
	case f.posting <- struct{}{}:
		defer func() { <-f.posting }()
	case <-ctx.Done():
		return webhooks.Posted{}, f.fail("post comment", ctx.Err())
	}
	me, err := f.account(ctx)
	if err != nil {
		return webhooks.Posted{}, err
	}
	return webhooks.Keep(ctx, thread{f, p.Number}, me, p)
}

// thread is the comments of one pull request. It implements webhooks.Thread.
type thread struct {
	f      *Forge
	number int
}

func note(c *github.IssueComment) webhooks.Note {
	return webhooks.Note{
		ID: c.GetID(), Author: c.GetUser().GetID(), Login: c.GetUser().GetLogin(), URL: c.GetHTMLURL(), Body: c.GetBody(),
		Edited: !c.GetUpdatedAt().Equal(c.GetCreatedAt()),
	}
}

func (t thread) Note(ctx context.Context, id int64) (webhooks.Note, error) {
	c, _, err := t.f.client.Issues.GetComment(ctx, t.f.owner, t.f.name, id)
	return note(c), t.f.fail("read comment", err)
}

func (t thread) Notes(ctx context.Context) ([]webhooks.Note, error) {
	const op = "list comments"
	var out []webhooks.Note
	opts := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: pageSize}}
	for range maxPages {
		page, resp, err := t.f.client.Issues.ListComments(ctx, t.f.owner, t.f.name, t.number, opts)
		if err != nil {
			return nil, t.f.fail(op, err)
		}
		for _, c := range page {
			out = append(out, note(c))
		}
		if resp.NextPage == 0 {
			return out, nil
		}
		opts.Page = resp.NextPage
	}
	return nil, t.f.fail(op, fmt.Errorf("more than %d comments", maxPages*pageSize))
}

func (t thread) Save(ctx context.Context, id int64, body string) error {
	if id == 0 {
		_, _, err := t.f.client.Issues.CreateComment(ctx, t.f.owner, t.f.name, t.number, &github.IssueComment{Body: &body})
		return t.f.fail("create comment", err)
	}
	_, _, err := t.f.client.Issues.EditComment(ctx, t.f.owner, t.f.name, id, &github.IssueComment{Body: &body})
	return t.f.fail("edit comment", err)
}

func (t thread) Drop(ctx context.Context, id int64) error {
	_, err := t.f.client.Issues.DeleteComment(ctx, t.f.owner, t.f.name, id)
	return t.f.fail("delete comment", err)
}

// Notes implements webhooks.Talk.
func (f *Forge) Notes(ctx context.Context, number int) ([]webhooks.Note, error) {
	return thread{f, number}.Notes(ctx)
}

// MayWrite implements webhooks.Talk.
func (f *Forge) MayWrite(ctx context.Context, n webhooks.Note) (bool, error) {
	if n.Login == "" {
		return false, nil
	}
	got, _, err := f.client.Repositories.GetPermissionLevel(ctx, f.owner, f.name, n.Login)
	if err = f.fail("read permission", err); webhooks.IsMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// A name can go to somebody else; the id cannot. "maintain" shows as write.
	level := got.GetPermission()
	return got.GetUser().GetID() == n.Author && (level == "write" || level == "admin"), nil
}

// React implements webhooks.Talk.
func (f *Forge) React(ctx context.Context, _ int, n webhooks.Note, r webhooks.Reaction) error {
	name := map[webhooks.Reaction]string{webhooks.Looking: "eyes", webhooks.Done: "+1", webhooks.Refused: "-1"}[r]
	_, _, err := f.client.Reactions.CreateIssueCommentReaction(ctx, f.owner, f.name, n.ID, name)
	return f.fail("react", err)
}
