// SPDX-License-Identifier: Apache-2.0

package gitea

import (
	"context"

	"code.gitea.io/sdk/gitea"

	"github.com/bindery/bindery/webhooks"
)

// Post implements webhooks.Forge.
func (f *Forge) Post(ctx context.Context, p webhooks.Post) (webhooks.Posted, error) {
	select {
	case f.posting <- struct{}{}:
		defer func() { <-f.posting }()
	case <-ctx.Done():
		return webhooks.Posted{}, webhooks.Fail("post comment", nil, ctx.Err())
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

// note reads a comment. Servers tell seconds: what was edited within the second that it
// was written in, before anybody could agree to it, looks as it was.
func note(c *gitea.Comment) webhooks.Note {
	n := webhooks.Note{ID: c.ID, URL: c.HTMLURL, Body: c.Body, Edited: !c.Updated.Equal(c.Created)}
	// What was imported from elsewhere shows the one who imported it.
	if c.Poster != nil && c.OriginalAuthor == "" {
		n.Author, n.Login = c.Poster.ID, c.Poster.UserName
	}
	return n
}

func (t thread) Note(ctx context.Context, id int64) (webhooks.Note, error) {
	c, _, err := ask(ctx, t.f, "read comment", func(c *gitea.Client) (*gitea.Comment, *gitea.Response, error) {
		return c.GetIssueComment(t.f.owner, t.f.name, id)
	})
	if err != nil {
		return webhooks.Note{}, err
	}
	return note(c), nil
}

func (t thread) Notes(ctx context.Context) ([]webhooks.Note, error) {
	list, err := all(ctx, t.f, "list comments", func(c *gitea.Client, o gitea.ListOptions) ([]*gitea.Comment, *gitea.Response, error) {
		return c.ListIssueComments(t.f.owner, t.f.name, int64(t.number), gitea.ListIssueCommentOptions{ListOptions: o})
	})
	var out []webhooks.Note
	for _, c := range list {
		if c != nil {
			out = append(out, note(c))
		}
	}
	return out, err
}

func (t thread) Save(ctx context.Context, id int64, body string) error {
	op := "edit comment"
	call := func(c *gitea.Client) (*gitea.Comment, *gitea.Response, error) {
		return c.EditIssueComment(t.f.owner, t.f.name, id, gitea.EditIssueCommentOption{Body: body})
	}
	if id == 0 {
		op = "create comment"
		call = func(c *gitea.Client) (*gitea.Comment, *gitea.Response, error) {
			return c.CreateIssueComment(t.f.owner, t.f.name, int64(t.number), gitea.CreateIssueCommentOption{Body: body})
		}
	}
	_, _, err := ask(ctx, t.f, op, call)
	return err
}

func (t thread) Drop(ctx context.Context, id int64) error {
	_, _, err := ask(ctx, t.f, "delete comment", func(c *gitea.Client) (any, *gitea.Response, error) {
		resp, err := c.DeleteIssueComment(t.f.owner, t.f.name, id)
		return nil, resp, err
	})
	return err
}

// Notes implements webhooks.Talk.
func (f *Forge) Notes(ctx context.Context, number int) ([]webhooks.Note, error) {
	return thread{f, number}.Notes(ctx)
}

// MayWrite implements webhooks.Talk. The server answers administrators of the
// repository alone.
func (f *Forge) MayWrite(ctx context.Context, n webhooks.Note) (bool, error) {
	if n.Login == "" {
		return false, nil
	}
	got, _, err := ask(ctx, f, "read permission", func(c *gitea.Client) (*gitea.CollaboratorPermissionResult, *gitea.Response, error) {
		return c.CollaboratorPermission(f.owner, f.name, n.Login)
	})
	if webhooks.IsMissing(err) || err == nil && got == nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// A name can go to somebody else; the id cannot.
	known := got.User != nil && got.User.ID == n.Author
	switch got.Permission {
	case gitea.AccessModeWrite, gitea.AccessModeAdmin, gitea.AccessModeOwner:
		return known, nil
	}
	return false, nil
}

// React implements webhooks.Talk.
func (f *Forge) React(ctx context.Context, _ int, n webhooks.Note, r webhooks.Reaction) error {
	name := map[webhooks.Reaction]string{webhooks.Looking: "eyes", webhooks.Done: "+1", webhooks.Refused: "-1"}[r]
	_, _, err := ask(ctx, f, "react", func(c *gitea.Client) (*gitea.Reaction, *gitea.Response, error) {
		return c.PostIssueCommentReaction(f.owner, f.name, n.ID, name)
	})
	return err
}
