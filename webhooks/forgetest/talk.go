// SPDX-License-Identifier: Apache-2.0

package forgetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// maxBody is GitHub's limit of a comment, in characters.
const maxBody = 65536

// Comment is what stands on a pull request.
type Comment struct {
	ID               int64
	Number           int
	Author           User
	Body             string
	Created, Updated time.Time
	// Reactions are "login:reaction".
	Reactions []string
}

// Status is what stands on a commit.
type Status struct {
	ID                               int64
	Commit                           string
	State, Context, Description, URL string
	Author                           User
}

// Decode reads the body of a request.
func Decode(r *http.Request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	return nil
}

// Issues tells issues/7/comments, which are "all", from issues/comments/7, which is
// "one": the router cannot. Handlers are named by method and which of them.
func Issues(handlers map[string]Handler) Handler {
	return func(r *http.Request, u User) (int, any, error) {
		first, second := r.PathValue("first"), r.PathValue("second")
		which := r.Method + " one"
		if second == "comments" {
			which = r.Method + " all"
			r.SetPathValue("number", first)
		} else {
			r.SetPathValue("id", second)
		}
		h, ok := handlers[which]
		if !ok || first != "comments" && second != "comments" {
			return 0, nil, ErrNotFound
		}
		return h(r, u)
	}
}

func checkBody(body string) error {
	if body == "" || utf8.RuneCountInString(body) > maxBody {
		return refuse(http.StatusUnprocessableEntity, fmt.Sprintf("body is empty or too long (maximum is %d characters)", maxBody))
	}
	return nil
}

// AddComment says something on a pull request and tells the world.
func (s *Server) AddComment(ctx context.Context, number int, u User, body string) (Comment, error) {
	if err := checkBody(body); err != nil {
		return Comment{}, err
	}
	s.mu.Lock()
	if s.pullNumbered(number) == nil {
		s.mu.Unlock()
		return Comment{}, ErrNotFound
	}
	s.next++
	now := time.Now()
	c := &Comment{ID: s.next, Number: number, Author: u, Body: body, Created: now, Updated: now}
	s.comments = append(s.comments, c)
	s.pullNumbered(number).Updated = now
	out := *c
	s.mu.Unlock()
	event, payload := s.skin.Said(s, out)
	s.deliver(ctx, event, payload)
	return out, nil
}

// commentOf finds a comment. The caller holds the lock.
func (s *Server) commentOf(id int64) (int, *Comment) {
	i := slices.IndexFunc(s.comments, func(c *Comment) bool { return c.ID == id })
	if i < 0 {
		return i, nil
	}
	return i, s.comments[i]
}

// Comment reads one.
func (s *Server) Comment(id int64) (Comment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, c := s.commentOf(id); c != nil {
		return c.clone(), nil
	}
	return Comment{}, ErrNotFound
}

func (c *Comment) clone() Comment {
	out := *c
	out.Reactions = slices.Clone(c.Reactions)
	return out
}

// EditComment changes one; authors alone may.
func (s *Server) EditComment(id int64, u User, body string) (Comment, error) {
	if err := checkBody(body); err != nil {
		return Comment{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, c := s.commentOf(id)
	switch {
	case c == nil:
		return Comment{}, ErrNotFound
	case c.Author != u:
		return Comment{}, refuse(http.StatusForbidden, "must be the author")
	}
	c.Body, c.Updated = body, time.Now().Add(time.Second) // forges tell seconds
	return c.clone(), nil
}

// DeleteComment removes one; authors alone may.
func (s *Server) DeleteComment(id int64, u User) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, c := s.commentOf(id)
	switch {
	case c == nil:
		return ErrNotFound
	case c.Author != u:
		return refuse(http.StatusForbidden, "must be the author")
	}
	s.comments = slices.Delete(s.comments, i, i+1)
	return nil
}

// React adds a reaction; false: it was there.
func (s *Server) React(id int64, u User, reaction string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, c := s.commentOf(id)
	if c == nil {
		return false, ErrNotFound
	}
	text := u.Login + ":" + reaction
	if slices.Contains(c.Reactions, text) {
		return false, nil
	}
	c.Reactions = append(c.Reactions, text)
	return true, nil
}

// Touch makes a comment look edited.
func (s *Server) Touch(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, c := s.commentOf(id)
	if c == nil {
		return ErrNotFound
	}
	c.Updated = time.Now().Add(time.Second)
	return nil
}

// AddStatus sets a commit's status to one of the states that the forge knows.
func (s *Server) AddStatus(ctx context.Context, st Status, states ...string) (Status, error) {
	if !slices.Contains(states, st.State) {
		return st, refuse(http.StatusUnprocessableEntity, fmt.Sprintf("state %q is not included in the list", st.State))
	}
	if utf8.RuneCountInString(st.Description) > 140 {
		return st, refuse(http.StatusUnprocessableEntity, "description is too long (maximum is 140 characters)")
	}
	if !s.git.has(ctx, st.Commit) {
		return st, refuse(http.StatusUnprocessableEntity, "no commit found for SHA: "+st.Commit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	st.ID = s.next
	s.statuses = append(s.statuses, st)
	return st, nil
}

// Comments lists a pull request's comments, oldest first.
func (s *Server) Comments(number int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Comment
	for _, c := range s.comments {
		if c.Number == number {
			out = append(out, c.clone())
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
		if st.Commit == commit {
			out = append(out, st)
		}
	}
	return out
}
