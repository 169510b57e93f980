// SPDX-License-Identifier: Apache-2.0

package forgetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Pull is a pull request. Head and BaseRef are branches.
type Pull struct {
	Number               int
	Title, Head, BaseRef string
	HeadSHA, BaseSHA     string
	Author               User
	Draft, Fork, Closed  bool
	Merged, Mergeable    bool
	MergeSHA             string
	Updated              time.Time
}

// pullNumbered finds a pull request. The caller holds the lock.
func (s *Server) pullNumbered(number int) *Pull {
	for _, p := range s.pulls {
		if p.Number == number {
			return p
		}
	}
	return nil
}

// Pulls lists pull requests: "open", "closed" or "all".
func (s *Server) Pulls(state string) []Pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Pull
	for _, p := range s.pulls {
		if state == "all" || p.Closed == (state == "closed") {
			out = append(out, *p)
		}
	}
	return out
}

// Pull reads one.
func (s *Server) Pull(number int) (Pull, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pullNumbered(number); p != nil {
		return *p, nil
	}
	return Pull{}, ErrNotFound
}

func (s *Server) changed(ctx context.Context, p Pull, action string) {
	event, payload := s.skin.Changed(s, p, action)
	s.deliver(ctx, event, payload)
}

// OpenPull opens one: Title, Head, BaseRef, Draft, Fork and Author count.
func (s *Server) OpenPull(ctx context.Context, p Pull) (Pull, error) {
	s.mu.Lock()
	p.Number, p.Updated = len(s.pulls)+1, time.Now()
	if err := s.sync(ctx, &p); err != nil {
		s.mu.Unlock()
		return p, refuse(http.StatusUnprocessableEntity, err.Error())
	}
	s.pulls = append(s.pulls, &p)
	out := p
	s.mu.Unlock()
	s.changed(ctx, out, "opened")
	return out, nil
}

// sync takes a pull request's refs from its branches and merges them anew.
func (s *Server) sync(ctx context.Context, p *Pull) error {
	head, err := s.git.resolve(ctx, "refs/heads/"+p.Head)
	if err != nil {
		return err
	}
	base, err := s.git.resolve(ctx, "refs/heads/"+p.BaseRef)
	if err != nil {
		return err
	}
	p.HeadSHA, p.BaseSHA = head, base
	ref := fmt.Sprintf("%s%d/", s.skin.RefRoot, p.Number)
	if err := s.git.set(ctx, ref+"head", head); err != nil {
		return err
	}
	merge, err := s.git.merge(ctx, base, head, fmt.Sprintf("Merge %s into %s", head, base))
	if errors.Is(err, errConflict) {
		p.Mergeable, p.MergeSHA = false, ""
		return s.git.remove(ctx, ref+"merge")
	}
	if err != nil {
		return err
	}
	p.Mergeable, p.MergeSHA = true, merge
	if !s.skin.MergeRefs {
		return nil
	}
	return s.git.set(ctx, ref+"merge", merge)
}

// Edit is what may change of a pull request; nil leaves it.
type Edit struct {
	State, Title, Base *string
	Draft              *bool
}

// EditPull changes one.
func (s *Server) EditPull(ctx context.Context, number int, in Edit) (Pull, error) {
	s.mu.Lock()
	p := s.pullNumbered(number)
	if p == nil {
		s.mu.Unlock()
		return Pull{}, ErrNotFound
	}
	action := "edited"
	if in.Title != nil {
		p.Title = *in.Title
	}
	if in.Base != nil {
		p.BaseRef = *in.Base
	}
	if in.Draft != nil {
		p.Draft = *in.Draft
	}
	if in.State != nil && !p.Merged {
		p.Closed = *in.State == "closed"
		action = map[bool]string{true: "closed", false: "reopened"}[p.Closed]
	}
	if action == "reopened" || in.Base != nil {
		if err := s.sync(ctx, p); err != nil {
			s.mu.Unlock()
			return Pull{}, refuse(http.StatusUnprocessableEntity, err.Error())
		}
	}
	p.Updated = time.Now()
	out := *p
	s.mu.Unlock()
	s.changed(ctx, out, action)
	return out, nil
}

// MergePull really merges: as a merge commit, as a squash or by a rebase. sha is the
// head that it shall have, "" for any.
func (s *Server) MergePull(ctx context.Context, number int, method, sha string, u User) (Pull, error) {
	s.mu.Lock()
	p := s.pullNumbered(number)
	if p == nil {
		s.mu.Unlock()
		return Pull{}, ErrNotFound
	}
	if err := s.merge(ctx, p, method, sha, u); err != nil {
		s.mu.Unlock()
		return Pull{}, err
	}
	out := *p
	s.mu.Unlock()
	s.afterPush(ctx, map[string]change{"refs/heads/" + out.BaseRef: {out.BaseSHA, out.MergeSHA}})
	s.changed(ctx, out, "closed")
	return out, nil
}

// merge moves the base branch. The caller holds the lock.
func (s *Server) merge(ctx context.Context, p *Pull, method, sha string, u User) error {
	if p.Closed || sha != "" && sha != p.HeadSHA {
		return refuse(http.StatusConflict, "head branch was modified: review and try the merge again")
	}
	base, err := s.git.resolve(ctx, "refs/heads/"+p.BaseRef)
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	text := fmt.Sprintf("%s (#%d)", p.Title, p.Number)
	var merged string
	switch method {
	case "squash":
		merged, err = s.git.squash(ctx, base, p.HeadSHA, text)
	case "rebase":
		merged, err = s.git.rebase(ctx, base, p.HeadSHA)
	default:
		merged, err = s.git.merge(ctx, base, p.HeadSHA, fmt.Sprintf("Merge pull request #%d by %s\n\n%s", p.Number, u.Login, p.Title))
	}
	if errors.Is(err, errConflict) {
		return refuse(http.StatusMethodNotAllowed, "pull request is not mergeable")
	}
	if err == nil {
		err = s.git.move(ctx, "refs/heads/"+p.BaseRef, base, merged)
	}
	if err != nil {
		return refuse(http.StatusConflict, err.Error())
	}
	p.BaseSHA, p.MergeSHA = base, merged
	p.Merged, p.Closed, p.Updated = true, true, time.Now()
	return s.git.remove(ctx, fmt.Sprintf("%s%d/merge", s.skin.RefRoot, p.Number))
}

// Branches lists the branches whose names begin so, with where they are.
func (s *Server) Branches(ctx context.Context) (map[string]string, error) { return s.git.heads(ctx) }

// PullRefs lists the refs of pull requests, with where they are.
func (s *Server) PullRefs(ctx context.Context) (map[string]string, error) {
	return s.git.refs(ctx, strings.TrimSuffix(s.skin.RefRoot, "/"))
}
