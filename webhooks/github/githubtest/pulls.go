// SPDX-License-Identifier: Apache-2.0

package githubtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// pullNumbered finds a pull request. The caller holds the lock.
func (s *Server) pullNumbered(number int) *pull {
	for _, p := range s.pulls {
		if p.number == number {
			return p
		}
	}
	return nil
}

func (s *Server) pullOf(r *http.Request) *pull {
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		return nil
	}
	return s.pullNumbered(number)
}

func (s *Server) listPulls(r *http.Request, _ User) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := r.URL.Query().Get("state")
	list := []any{}
	for _, p := range s.pulls {
		if state == "all" || p.closed == (state == "closed") {
			list = append(list, s.pullJSON(r, p))
		}
	}
	return http.StatusOK, list, nil
}

func (s *Server) getPull(r *http.Request, _ User) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pullOf(r); p != nil {
		return http.StatusOK, s.pullJSON(r, p), nil
	}
	return http.StatusNotFound, nil, errNotFound
}

func (s *Server) openPull(r *http.Request, u User) (int, any, error) {
	var in struct {
		Title, Head, Base string
		Draft             bool
		// Fork is not GitHub's: it makes the head count as another repository's.
		Fork bool
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return http.StatusUnprocessableEntity, nil, err
	}
	s.mu.Lock()
	p := &pull{
		number: len(s.pulls) + 1, title: in.Title, head: in.Head, baseRef: in.Base,
		author: u, draft: in.Draft, fork: in.Fork, updated: time.Now(),
	}
	if err := s.sync(r.Context(), p); err != nil {
		s.mu.Unlock()
		return http.StatusUnprocessableEntity, nil, err
	}
	s.pulls = append(s.pulls, p)
	answer := s.pullJSON(r, p)
	s.mu.Unlock()
	s.deliver(r.Context(), "pull_request", object{"action": "opened", "number": p.number, "pull_request": answer})
	return http.StatusCreated, answer, nil
}

// sync takes a pull request's refs from its branches and merges them anew.
func (s *Server) sync(ctx context.Context, p *pull) error {
	head, err := s.git.resolve(ctx, "refs/heads/"+p.head)
	if err != nil {
		return err
	}
	base, err := s.git.resolve(ctx, "refs/heads/"+p.baseRef)
	if err != nil {
		return err
	}
	p.headSHA, p.baseSHA = head, base
	ref := fmt.Sprintf("refs/pull/%d/", p.number)
	if err := s.git.set(ctx, ref+"head", head); err != nil {
		return err
	}
	merge, err := s.git.merge(ctx, base, head, fmt.Sprintf("Merge %s into %s", head, base))
	if errors.Is(err, errConflict) {
		p.mergeable, p.mergeSHA = false, ""
		return s.git.remove(ctx, ref+"merge")
	}
	if err != nil {
		return err
	}
	p.mergeable, p.mergeSHA = true, merge
	return s.git.set(ctx, ref+"merge", merge)
}

func (s *Server) editPull(r *http.Request, _ User) (int, any, error) {
	var in struct {
		State, Title *string
		Draft        *bool
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return http.StatusUnprocessableEntity, nil, err
	}
	s.mu.Lock()
	p := s.pullOf(r)
	if p == nil {
		s.mu.Unlock()
		return http.StatusNotFound, nil, errNotFound
	}
	action := "edited"
	if in.Title != nil {
		p.title = *in.Title
	}
	if in.Draft != nil {
		p.draft = *in.Draft
	}
	if in.State != nil && !p.merged {
		p.closed = *in.State == "closed"
		action = map[bool]string{true: "closed", false: "reopened"}[p.closed]
	}
	if action == "reopened" {
		if err := s.sync(r.Context(), p); err != nil {
			s.mu.Unlock()
			return http.StatusUnprocessableEntity, nil, err
		}
	}
	p.updated = time.Now()
	answer := s.pullJSON(r, p)
	s.mu.Unlock()
	s.deliver(r.Context(), "pull_request", object{"action": action, "number": p.number, "pull_request": answer})
	return http.StatusOK, answer, nil
}

// mergePull really merges: as a merge commit, as a squash or by a rebase.
func (s *Server) mergePull(r *http.Request, u User) (int, any, error) {
	var in struct {
		Method string `json:"merge_method"`
		SHA    string `json:"sha"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil && r.ContentLength > 0 {
		return http.StatusUnprocessableEntity, nil, err
	}
	s.mu.Lock()
	p := s.pullOf(r)
	if p == nil {
		s.mu.Unlock()
		return http.StatusNotFound, nil, errNotFound
	}
	code, err := s.merge(r.Context(), p, in.Method, in.SHA, u)
	if err != nil {
		s.mu.Unlock()
		return code, nil, err
	}
	before, after, ref := p.baseSHA, p.mergeSHA, p.baseRef
	answer := s.pullJSON(r, p)
	s.mu.Unlock()
	s.afterPush(r.Context(), map[string]change{"refs/heads/" + ref: {before, after}})
	s.deliver(r.Context(), "pull_request", object{"action": "closed", "number": p.number, "pull_request": answer})
	return http.StatusOK, object{"sha": after, "merged": true, "message": "Pull Request successfully merged"}, nil
}

// merge moves the base branch. The caller holds the lock.
func (s *Server) merge(ctx context.Context, p *pull, method, sha string, u User) (int, error) {
	if p.closed || sha != "" && sha != p.headSHA {
		return http.StatusConflict, errors.New("head branch was modified: review and try the merge again")
	}
	base, err := s.git.resolve(ctx, "refs/heads/"+p.baseRef)
	if err != nil {
		return http.StatusInternalServerError, err
	}
	text := fmt.Sprintf("%s (#%d)", p.title, p.number)
	var merged string
	switch method {
	case "squash":
		merged, err = s.git.squash(ctx, base, p.headSHA, text)
	case "rebase":
		merged, err = s.git.rebase(ctx, base, p.headSHA)
	default:
		merged, err = s.git.merge(ctx, base, p.headSHA, fmt.Sprintf("Merge pull request #%d by %s\n\n%s", p.number, u.Login, p.title))
	}
	if errors.Is(err, errConflict) {
		return http.StatusMethodNotAllowed, errors.New("pull request is not mergeable")
	}
	if err == nil {
		err = s.git.move(ctx, "refs/heads/"+p.baseRef, base, merged)
	}
	if err != nil {
		return http.StatusConflict, err
	}
	p.baseSHA, p.mergeSHA = base, merged
	p.merged, p.closed, p.updated = true, true, time.Now()
	return http.StatusOK, s.git.remove(ctx, fmt.Sprintf("refs/pull/%d/merge", p.number))
}
