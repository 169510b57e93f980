// SPDX-License-Identifier: Apache-2.0

package gitlab

import (
	"context"
	"net/http"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/bindery/bindery/webhooks"
)

// Post implements webhooks.Forge.
func (f *Forge) Post(ctx context.Context, p webhooks.Post) (webhooks.Posted, error) {
	select {
	case f.posting <- struct{}{}:
		defer func() { <-f.posting }()
	case <-ctx.Done():
		return webhooks.Posted{}, fail("post comment", nil, ctx.Err())
	}
	me, err := f.account(ctx)
	if err != nil {
		return webhooks.Posted{}, err
	}
	return webhooks.Keep(ctx, thread{f, p.Number}, me, p)
}

// thread is the notes of one merge request. It implements webhooks.Thread.
type thread struct {
	f      *Forge
	number int
}

func note(n *gitlab.Note) webhooks.Note {
	return webhooks.Note{
		ID: n.ID, Author: n.Author.ID, Login: n.Author.Username, Body: n.Body,
		Edited: n.CreatedAt == nil || n.UpdatedAt == nil || !n.UpdatedAt.Equal(*n.CreatedAt),
	}
}

func (t thread) Note(ctx context.Context, id int64) (webhooks.Note, error) {
	n, resp, err := t.f.client.Notes.GetMergeRequestNote(t.f.project, int64(t.number), id, gitlab.WithContext(ctx))
	if err != nil {
		return webhooks.Note{}, fail("read note", resp, err)
	}
	return note(n), nil
}

func (t thread) Notes(ctx context.Context) ([]webhooks.Note, error) {
	list, err := all("list notes", func(o gitlab.ListOptions) ([]*gitlab.Note, *gitlab.Response, error) {
		return t.f.client.Notes.ListMergeRequestNotes(t.f.project, int64(t.number), &gitlab.ListMergeRequestNotesOptions{
			ListOptions: o, OrderBy: new("created_at"), Sort: new("asc"),
		}, gitlab.WithContext(ctx))
	})
	var out []webhooks.Note
	for _, n := range list {
		if n != nil && !n.System { // "added 1 commit" and the like
			out = append(out, note(n))
		}
	}
	return out, err
}

func (t thread) Save(ctx context.Context, id int64, body string) error {
	if id == 0 {
		_, resp, err := t.f.client.Notes.CreateMergeRequestNote(t.f.project, int64(t.number),
			&gitlab.CreateMergeRequestNoteOptions{Body: &body}, gitlab.WithContext(ctx))
		return fail("create note", resp, err)
	}
	_, resp, err := t.f.client.Notes.UpdateMergeRequestNote(t.f.project, int64(t.number), id,
		&gitlab.UpdateMergeRequestNoteOptions{Body: &body}, gitlab.WithContext(ctx))
	return fail("edit note", resp, err)
}

func (t thread) Drop(ctx context.Context, id int64) error {
	resp, err := t.f.client.Notes.DeleteMergeRequestNote(t.f.project, int64(t.number), id, gitlab.WithContext(ctx))
	return fail("delete note", resp, err)
}

// Notes implements webhooks.Talk.
func (f *Forge) Notes(ctx context.Context, number int) ([]webhooks.Note, error) {
	return thread{f, number}.Notes(ctx)
}

// MayWrite implements webhooks.Talk. Groups count, and those who left do not.
func (f *Forge) MayWrite(ctx context.Context, n webhooks.Note) (bool, error) {
	if n.Author == 0 {
		return false, nil
	}
	m, resp, err := f.client.ProjectMembers.GetInheritedProjectMember(f.project, n.Author, gitlab.WithContext(ctx))
	if err = fail("read member", resp, err); webhooks.IsMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return m.ID == n.Author && m.State == "active" && m.AccessLevel >= gitlab.DeveloperPermissions, nil
}

// React implements webhooks.Talk. A reaction makes a note look edited, and what is
// edited is no command: so nothing tells that we are looking, lest a controller that
// is killed meanwhile leaves the command behind.
func (f *Forge) React(ctx context.Context, number int, n webhooks.Note, r webhooks.Reaction) error {
	name := map[webhooks.Reaction]string{webhooks.Done: "thumbsup", webhooks.Refused: "thumbsdown"}[r]
	if name == "" {
		return nil
	}
	_, resp, err := f.client.AwardEmoji.CreateMergeRequestAwardEmojiOnNote(f.project, int64(number), n.ID,
		&gitlab.CreateAwardEmojiOptions{Name: name}, gitlab.WithContext(ctx))
	if err != nil && resp != nil && (resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusBadRequest) {
		return nil // "has already been taken", by the one code or by the other
	}
	return fail("react", resp, err)
}
