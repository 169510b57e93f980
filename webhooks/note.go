// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// Note is one comment on a pull request.
type Note struct {
	ID int64
	// Author is the account that wrote it, Login its name.
	Author int64
	Login  string
	URL    string
	Body   string
	// Edited says that it no longer says what it said first.
	Edited bool
}

// Thread is the comments of one pull request, as a forge's package knows them.
type Thread interface {
	// Note reads one; an error of reason Missing where it is gone.
	Note(ctx context.Context, id int64) (Note, error)
	// Notes reads all pages.
	Notes(ctx context.Context) ([]Note, error)
	// Save makes one say body, a new one where id is 0.
	Save(ctx context.Context, id int64, body string) error
	// Drop deletes one.
	Drop(ctx context.Context, id int64) error
}

// Keep makes the one comment of ours in a thread say what p says. Ours is what has
// our marker and was written by our account, me: a marker alone could be anybody's.
// Several of ours, from a race or an answer that was lost, become one again: the
// oldest stays and says the newest.
func Keep(ctx context.Context, t Thread, me int64, p Post) (Posted, error) {
	p.Marker.App, p.Marker.Pull = me, p.Number
	k := keeper{Thread: t, me: me, p: p}
	ours, err := k.find(ctx)
	if err != nil {
		return Posted{}, err
	}
	if p.Anew {
		if len(ours) > 0 && newest(ours).marker.Seq > p.Marker.Seq {
			return k.update(ctx, ours)
		}
		if err := k.remove(ctx, ours); err != nil {
			return Posted{}, err
		}
		ours = nil
	}
	if len(ours) == 0 {
		return k.create(ctx)
	}
	posted, err := k.update(ctx, ours)
	if IsMissing(err) {
		// A person deleted it between two calls.
		return k.create(ctx)
	}
	return posted, err
}

// keeper brings the thread to what one post says.
type keeper struct {
	Thread
	me int64
	p  Post
}

// own is a comment of ours.
type own struct {
	Note
	marker Marker
}

func (k *keeper) mine(n Note) (own, bool) {
	marker, ok := ParseMarker(n.Body)
	ok = ok && marker.App == k.me && marker.Pull == k.p.Number && marker.kind() == k.p.Marker.kind() && n.Author == k.me
	return own{n, marker}, ok
}

// find gives our comments, oldest first: the one that is known, else all.
func (k *keeper) find(ctx context.Context) ([]own, error) {
	if k.p.Known != 0 && !k.p.Anew {
		n, err := k.Note(ctx, k.p.Known)
		if err != nil && !IsMissing(err) {
			return nil, err
		}
		if ours, ok := k.mine(n); err == nil && ok {
			return []own{ours}, nil
		}
	}
	return k.list(ctx)
}

func (k *keeper) list(ctx context.Context) ([]own, error) {
	all, err := k.Notes(ctx)
	if err != nil {
		return nil, err
	}
	var out []own
	for _, n := range all {
		if ours, ok := k.mine(n); ok {
			out = append(out, ours)
		}
	}
	slices.SortFunc(out, func(a, b own) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// newest is the one whose text is newest.
func newest(ours []own) own {
	return slices.MaxFunc(ours, func(a, b own) int { return cmp.Compare(a.marker.Seq, b.marker.Seq) })
}

// update makes the oldest of ours say what the post says, or what a newer one of
// ours says, and removes the others.
func (k *keeper) update(ctx context.Context, ours []own) (Posted, error) {
	keep, latest := ours[0], newest(ours)
	posted := Posted{ID: keep.ID, URL: keep.URL, Outcome: Edited}
	body := k.text()
	if latest.marker.Seq > k.p.Marker.Seq {
		posted.Outcome, body = Superseded, latest.Body
	}
	if k.same(keep.Body, body) {
		if posted.Outcome == Edited {
			posted.Outcome = Unchanged
		}
	} else if err := k.Save(ctx, keep.ID, body); err != nil {
		return Posted{}, err
	}
	return posted, k.remove(ctx, ours[1:])
}

// looks is how often a comment that was just created is looked for.
const looks = 3

// create posts a new comment and looks whether somebody did the same meanwhile.
func (k *keeper) create(ctx context.Context) (Posted, error) {
	if k.p.OnlyEdit {
		return Posted{Outcome: Absent}, nil
	}
	lost := k.Save(ctx, 0, k.text())
	var typed *Error
	if lost != nil && (!errors.As(lost, &typed) || !typed.Retryable()) {
		return Posted{}, lost
	}
	// Without a whole answer it may have been created all the same. Where somebody takes
	// a comment away meanwhile, another one moves to a page that was read before.
	var ours []own
	for range looks {
		var err error
		if ours, err = k.list(ctx); err != nil {
			return Posted{}, errors.Join(lost, err)
		}
		if len(ours) > 0 || lost != nil {
			break
		}
	}
	if len(ours) == 0 {
		return Posted{}, cmp.Or(lost, error(&Error{
			Op: "create comment", Reason: Unavailable, Err: errors.New("it was created and is not listed"),
		}))
	}
	posted, err := k.update(ctx, ours)
	if posted.Outcome == Unchanged {
		posted.Outcome = Created
	}
	return posted, err
}

// remove deletes spare comments of our own.
func (k *keeper) remove(ctx context.Context, spare []own) error {
	for _, c := range spare {
		if err := k.Drop(ctx, c.ID); err != nil && !IsMissing(err) {
			return err
		}
	}
	return nil
}

// text is the whole comment. A body that brings a marker line gets ours instead.
func (k *keeper) text() string {
	body := k.p.Body
	if _, ok := ParseMarker(body); ok {
		_, body, _ = strings.Cut(body, "\n")
	}
	return k.p.Marker.String() + "\n" + body
}

// same says whether two comments say the same about the same commits; the number
// of the build alone is no reason to write.
func (k *keeper) same(a, b string) bool {
	first, _ := ParseMarker(a)
	second, _ := ParseMarker(b)
	first.Seq, second.Seq = 0, 0
	a, b = below(a), below(b)
	if k.p.Plain != nil {
		a, b = k.p.Plain(a), k.p.Plain(b)
	}
	return first == second && a == b
}

func below(body string) string {
	_, rest, _ := strings.Cut(strings.ReplaceAll(body, "\r\n", "\n"), "\n")
	return strings.TrimSpace(rest)
}
