// SPDX-License-Identifier: Apache-2.0

package githubtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxBody is GitHub's limit of a comment, in characters.
const maxBody = 65536

type object = map[string]any

var errNotFound = errors.New("not found")

type pull struct {
	number               int
	title, head, baseRef string
	headSHA, baseSHA     string
	author               User
	draft, fork, closed  bool
	merged, mergeable    bool
	mergeSHA             string
	updated              time.Time
}

type comment struct {
	id      int64
	number  int
	author  User
	body    string
	updated time.Time
}

type status struct {
	commit                          string
	state, context, description, to string
	author                          User
}

func writeJSON(w http.ResponseWriter, code int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(data)
}

// page cuts a list and says where the next page is, as GitHub does.
func (s *Server) page(w http.ResponseWriter, r *http.Request, list []any) []any {
	size, page := s.c.PageSize, 1
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil && n > 0 {
		size = min(n, s.c.PageSize)
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		page = n
	}
	from, to := min((page-1)*size, len(list)), min(page*size, len(list))
	if to < len(list) {
		next := *r.URL
		query := next.Query()
		query.Set("page", strconv.Itoa(page+1))
		next.RawQuery = query.Encode()
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s>; rel="next"`, r.Host, next.RequestURI()))
	}
	return list[from:to]
}

func userJSON(u User) object { return object{"id": u.ID, "login": u.Login} }

func (s *Server) pullJSON(r *http.Request, p *pull) object {
	state := "open"
	if p.closed {
		state = "closed"
	}
	full := s.c.Repo
	if p.fork {
		full = p.author.Login + "/fork"
	}
	out := object{
		"number": p.number, "title": p.title, "state": state, "draft": p.draft, "user": userJSON(p.author),
		"html_url":         fmt.Sprintf("http://%s/%s/pull/%d", r.Host, s.c.Repo, p.number),
		"head":             object{"ref": p.head, "sha": p.headSHA, "repo": object{"full_name": full}},
		"base":             object{"ref": p.baseRef, "sha": p.baseSHA, "repo": object{"full_name": s.c.Repo}},
		"merged":           p.merged,
		"mergeable":        p.mergeable,
		"merge_commit_sha": p.mergeSHA,
		"updated_at":       p.updated.Format(time.RFC3339),
	}
	if p.merged {
		out["merged_at"] = p.updated.Format(time.RFC3339)
	}
	return out
}

func (s *Server) commentJSON(r *http.Request, c *comment) object {
	return object{
		"id": c.id, "body": c.body, "user": userJSON(c.author), "updated_at": c.updated.Format(time.RFC3339),
		"html_url": fmt.Sprintf("http://%s/%s/pull/%d#issuecomment-%d", r.Host, s.c.Repo, c.number, c.id),
	}
}

func (s *Server) getUser(_ *http.Request, u User) (int, any, error) {
	return http.StatusOK, userJSON(u), nil
}

func (s *Server) listComments(r *http.Request, _ User) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || s.pullNumbered(number) == nil {
		return http.StatusNotFound, nil, errNotFound
	}
	list := []any{}
	for _, c := range s.comments {
		if c.number == number {
			list = append(list, s.commentJSON(r, c))
		}
	}
	return http.StatusOK, list, nil
}

// readBody reads a comment's text and holds it to GitHub's limit.
func readBody(r *http.Request) (string, error) {
	var in struct{ Body string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return "", err
	}
	if in.Body == "" || utf8.RuneCountInString(in.Body) > maxBody {
		return "", fmt.Errorf("body is empty or too long (maximum is %d characters)", maxBody)
	}
	return in.Body, nil
}

func (s *Server) addComment(r *http.Request, u User) (int, any, error) {
	body, err := readBody(r)
	if err != nil {
		return http.StatusUnprocessableEntity, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || s.pullNumbered(number) == nil {
		return http.StatusNotFound, nil, errNotFound
	}
	s.next++
	c := &comment{id: s.next, number: number, author: u, body: body, updated: time.Now()}
	s.comments = append(s.comments, c)
	return http.StatusCreated, s.commentJSON(r, c), nil
}

// commentOf finds the comment that a request names. The caller holds the lock.
func (s *Server) commentOf(r *http.Request) (int, *comment) {
	i := slices.IndexFunc(s.comments, func(c *comment) bool { return strconv.FormatInt(c.id, 10) == r.PathValue("id") })
	if i < 0 {
		return i, nil
	}
	return i, s.comments[i]
}

func (s *Server) getComment(r *http.Request, _ User) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, c := s.commentOf(r); c != nil {
		return http.StatusOK, s.commentJSON(r, c), nil
	}
	return http.StatusNotFound, nil, errNotFound
}

func (s *Server) editComment(r *http.Request, u User) (int, any, error) {
	body, err := readBody(r)
	if err != nil {
		return http.StatusUnprocessableEntity, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, c := s.commentOf(r)
	switch {
	case c == nil:
		return http.StatusNotFound, nil, errNotFound
	case c.author != u:
		return http.StatusForbidden, nil, errors.New("must be the author")
	}
	c.body, c.updated = body, time.Now()
	return http.StatusOK, s.commentJSON(r, c), nil
}

func (s *Server) deleteComment(r *http.Request, u User) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, c := s.commentOf(r)
	switch {
	case c == nil:
		return http.StatusNotFound, nil, errNotFound
	case c.author != u:
		return http.StatusForbidden, nil, errors.New("must be the author")
	}
	s.comments = slices.Delete(s.comments, i, i+1)
	return http.StatusNoContent, nil, nil
}

func (s *Server) listStatuses(r *http.Request, _ User) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []any{}
	for _, st := range slices.Backward(s.statuses) {
		if st.commit == r.PathValue("commit") {
			list = append(list, st.json())
		}
	}
	return http.StatusOK, list, nil
}

func (st *status) json() object {
	return object{
		"state": st.state, "context": st.context, "description": st.description, "target_url": st.to,
		"creator": userJSON(st.author),
	}
}

func (s *Server) addStatus(r *http.Request, u User) (int, any, error) {
	var in struct {
		State, Context, Description string
		TargetURL                   string `json:"target_url"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return http.StatusUnprocessableEntity, nil, err
	}
	if !slices.Contains([]string{"error", "failure", "pending", "success"}, in.State) {
		return http.StatusUnprocessableEntity, nil, fmt.Errorf("state %q is not included in the list", in.State)
	}
	if utf8.RuneCountInString(in.Description) > 140 {
		return http.StatusUnprocessableEntity, nil, errors.New("description is too long (maximum is 140 characters)")
	}
	commit := r.PathValue("commit")
	if !s.git.has(r.Context(), commit) {
		return http.StatusUnprocessableEntity, nil, fmt.Errorf("no commit found for SHA: %s", commit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &status{commit: commit, state: in.State, context: in.Context, description: in.Description, to: in.TargetURL, author: u}
	s.statuses = append(s.statuses, st)
	return http.StatusCreated, st.json(), nil
}

// Comment is what stands on a pull request.
type Comment struct {
	ID     int64
	Author User
	Body   string
}

// Status is what stands on a commit.
type Status struct {
	State, Context, Description, URL string
}

// Comments lists a pull request's comments, oldest first.
func (s *Server) Comments(number int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Comment
	for _, c := range s.comments {
		if c.number == number {
			out = append(out, Comment{ID: c.id, Author: c.author, Body: c.body})
		}
	}
	return out
}

// Statuses lists a commit's statuses, newest first.
func (s *Server) Statuses(commit string) []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Status
	for _, st := range slices.Backward(s.statuses) {
		if st.commit == commit {
			out = append(out, Status{State: st.state, Context: st.context, Description: st.description, URL: st.to})
		}
	}
	return out
}
