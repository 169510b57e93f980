// SPDX-License-Identifier: Apache-2.0

// Package gitlabtest is a forge with GitLab's HTTP API as far as we use it, and its
// deliveries. It must not know the code that it tests.
package gitlabtest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/webhooks/forgetest"
)

type object = forgetest.Object

const (
	projectID = 11
	forkID    = 12
)

// New makes a forge and its repository.
func New(ctx context.Context, c forgetest.Config) (*forgetest.Server, error) {
	return forgetest.New(ctx, c, forgetest.Skin{
		APIPath: "/api/v4/", RefRoot: "refs/merge-requests/", MergeRefs: true, PerPage: "per_page", Routes: routes,
		Headers: func(d forgetest.Delivery, secret []byte) http.Header {
			h := http.Header{}
			h.Set("X-Gitlab-Event", d.Event)
			h.Set("X-Gitlab-Event-UUID", d.ID)
			h.Set("Idempotency-Key", d.ID)
			h.Set("X-Gitlab-Token", string(secret))
			return h
		},
		Pushed: func(s *forgetest.Server, ref, before, after string) (string, object) {
			return "Push Hook", named(s, object{"object_kind": "push", "ref": ref, "before": before, "after": after, "checkout_sha": after})
		},
		Changed: func(s *forgetest.Server, p forgetest.Pull, action string) (string, object) {
			action = map[string]string{"opened": "open", "closed": "close", "reopened": "reopen"}[action]
			if action == "" {
				action = "update"
			}
			return "Merge Request Hook", named(s, object{
				"object_kind": "merge_request", "object_attributes": object{"iid": p.Number, "action": action, "state": state(p)},
			})
		},
		Said: func(s *forgetest.Server, c forgetest.Comment) (string, object) {
			return "Note Hook", named(s, object{
				"object_kind":       "note",
				"object_attributes": object{"id": c.ID, "note": c.Body, "noteable_type": "MergeRequest", "action": "create"},
				"merge_request":     object{"iid": c.Number},
			})
		},
	})
}

func named(s *forgetest.Server, payload object) object {
	payload["project"] = object{"id": projectID, "path_with_namespace": s.Repo()}
	return payload
}

// api answers as GitLab does.
type api struct{ *forgetest.Server }

func routes(s *forgetest.Server) map[string]forgetest.Handler {
	a := api{s}
	out := map[string]forgetest.Handler{"GET user": a.getUser}
	for pattern, h := range map[string]forgetest.Handler{
		"GET merge_requests":                                  a.listPulls,
		"GET merge_requests/{number}":                         a.getPull,
		"GET merge_requests/{number}/notes":                   a.listNotes,
		"POST merge_requests/{number}/notes":                  a.addNote,
		"GET merge_requests/{number}/notes/{id}":              a.getNote,
		"PUT merge_requests/{number}/notes/{id}":              a.editNote,
		"DELETE merge_requests/{number}/notes/{id}":           a.deleteNote,
		"POST merge_requests/{number}/notes/{id}/award_emoji": a.react,
		"GET members/all/{user}":                              a.member,
		"GET repository/commits/{commit}/statuses":            a.listStatuses,
		"POST statuses/{commit}":                              a.addStatus,
		"GET merge_trains/{branch}":                           a.train,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		out[method+" projects/{project}/"+path] = a.known(h)
	}
	return out
}

// known answers for the one project, which goes by its path.
func (a api) known(h forgetest.Handler) forgetest.Handler {
	return func(r *http.Request, u forgetest.User) (int, any, error) {
		if p := r.PathValue("project"); p != a.Repo() && p != strconv.Itoa(projectID) {
			return 0, nil, forgetest.ErrNotFound
		}
		return h(r, u)
	}
}

func number(r *http.Request, name string) int64 {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func userJSON(u forgetest.User) object {
	return object{"id": u.ID, "username": u.Login, "name": u.Login, "state": "active"}
}

func state(p forgetest.Pull) string {
	switch {
	case p.Merged:
		return "merged"
	case p.Closed:
		return "closed"
	}
	return "opened"
}

func pullJSON(s *forgetest.Server, host string, p forgetest.Pull) object {
	source := projectID
	if p.Fork {
		source = forkID
	}
	out := object{
		"id": 1000 + p.Number, "iid": p.Number, "title": p.Title, "state": state(p), "draft": p.Draft, "author": userJSON(p.Author),
		"web_url":       fmt.Sprintf("http://%s/%s/-/merge_requests/%d", host, s.Repo(), p.Number),
		"source_branch": p.Head, "target_branch": p.BaseRef, "sha": p.HeadSHA,
		"source_project_id": source, "target_project_id": projectID, "project_id": projectID,
		"merge_commit_sha": nil, "squash_commit_sha": nil, "has_conflicts": !p.Mergeable,
		"updated_at": p.Updated.Format(time.RFC3339Nano),
	}
	if p.Merged {
		out["merge_commit_sha"], out["merged_at"] = p.MergeSHA, p.Updated.Format(time.RFC3339Nano)
	}
	return out
}

func noteJSON(c forgetest.Comment) object {
	return object{
		"id": c.ID, "body": c.Body, "author": userJSON(c.Author), "system": false, "noteable_type": "MergeRequest", "noteable_iid": c.Number,
		"created_at": c.Created.Format(time.RFC3339Nano), "updated_at": c.Updated.Format(time.RFC3339Nano),
	}
}

func statusJSON(st forgetest.Status) object {
	return object{
		"id": st.ID, "sha": st.Commit, "status": st.State, "name": st.Context, "description": st.Description, "target_url": st.URL,
		"author": userJSON(st.Author),
	}
}

func (a api) getUser(_ *http.Request, u forgetest.User) (int, any, error) {
	return http.StatusOK, userJSON(u), nil
}

func (a api) member(r *http.Request, _ forgetest.User) (int, any, error) {
	u, ok := a.Known(func(u forgetest.User) bool { return u.ID == number(r, "user") })
	if !ok {
		return 0, nil, forgetest.ErrNotFound
	}
	level := 30 // developer
	if u.Reader {
		level = 20
	}
	out := userJSON(u)
	out["access_level"] = level
	return http.StatusOK, out, nil
}

func (a api) listPulls(r *http.Request, _ forgetest.User) (int, any, error) {
	wanted := map[string]string{"opened": "open", "": "all"}[r.URL.Query().Get("state")]
	list := []any{}
	for _, p := range a.Pulls(wanted) {
		list = append(list, pullJSON(a.Server, r.Host, p))
	}
	return http.StatusOK, list, nil
}

func (a api) getPull(r *http.Request, _ forgetest.User) (int, any, error) {
	p, err := a.Pull(int(number(r, "number")))
	return http.StatusOK, pullJSON(a.Server, r.Host, p), err
}

// listNotes has notes of the server's own between those of people.
func (a api) listNotes(r *http.Request, _ forgetest.User) (int, any, error) {
	n := int(number(r, "number"))
	if _, err := a.Pull(n); err != nil {
		return 0, nil, err
	}
	list := []any{object{"id": 1, "body": "added 1 commit", "system": true, "author": userJSON(forgetest.User{ID: 7, Login: "ann"})}}
	for _, c := range a.Comments(n) {
		list = append(list, noteJSON(c))
	}
	return http.StatusOK, list, nil
}

func (a api) addNote(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct{ Body string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	c, err := a.AddComment(r.Context(), int(number(r, "number")), u, in.Body)
	return http.StatusCreated, noteJSON(c), err
}

func (a api) getNote(r *http.Request, _ forgetest.User) (int, any, error) {
	c, err := a.Comment(number(r, "id"))
	return http.StatusOK, noteJSON(c), err
}

func (a api) editNote(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct{ Body string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	c, err := a.EditComment(number(r, "id"), u, in.Body)
	return http.StatusOK, noteJSON(c), err
}

func (a api) deleteNote(r *http.Request, u forgetest.User) (int, any, error) {
	return http.StatusNoContent, nil, a.DeleteComment(number(r, "id"), u)
}

// react makes the note look edited, as GitLab does, and refuses the same again.
func (a api) react(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct{ Name string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	fresh, err := a.React(number(r, "id"), u, in.Name)
	if err == nil && !fresh {
		err = &forgetest.Refusal{Code: http.StatusNotFound, Text: "404 Award Emoji Name has already been taken Not Found"}
	}
	if err == nil {
		err = a.Touch(number(r, "id"))
	}
	return http.StatusCreated, object{"id": 1, "name": in.Name, "user": userJSON(u)}, err
}

func (a api) listStatuses(r *http.Request, _ forgetest.User) (int, any, error) {
	list := []any{}
	for _, st := range a.Statuses(r.PathValue("commit")) {
		if name := r.URL.Query().Get("name"); name == "" || name == st.Context {
			list = append(list, statusJSON(st))
			break // the latest of each name alone
		}
	}
	return http.StatusOK, list, nil
}

// addStatus has GitLab's words, needs a ref where no branch has the commit, and lets
// nothing pend twice.
func (a api) addStatus(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct {
		State, Name, Description, Ref string
		TargetURL                     string `json:"target_url"`
	}
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	commit := r.PathValue("commit")
	if last := a.Statuses(commit); len(last) > 0 && last[0].State == "pending" && in.State == "pending" {
		return 0, nil, &forgetest.Refusal{Code: http.StatusBadRequest, Text: "Cannot transition status via :enqueue from :pending"}
	}
	if in.Ref == "" {
		return 0, nil, &forgetest.Refusal{Code: http.StatusNotFound, Text: "404 References for commit Not Found"}
	}
	st, err := a.AddStatus(r.Context(), forgetest.Status{
		Commit: commit, State: in.State, Context: in.Name, Description: in.Description, URL: in.TargetURL, Author: u,
	}, "pending", "running", "success", "failed", "canceled")
	return http.StatusCreated, statusJSON(st), err
}

// train lists what is in the merge train of a branch: the open merge requests that have
// a ref of it.
func (a api) train(r *http.Request, _ forgetest.User) (int, any, error) {
	refs, err := a.PullRefs(r.Context())
	if err != nil {
		return 0, nil, err
	}
	list := []any{}
	for _, p := range a.Pulls("open") {
		ref := fmt.Sprintf("refs/merge-requests/%d/train", p.Number)
		if commit := refs[ref]; commit != "" && p.BaseRef == r.PathValue("branch") {
			list = append(list, object{
				"id": p.Number, "status": "fresh", "target_branch": p.BaseRef, "merge_request": object{"iid": p.Number, "project_id": projectID, "title": p.Title},
				"pipeline": object{"id": 500 + p.Number, "sha": commit, "ref": ref, "status": "running", "source": "merge_request_event"},
			})
		}
	}
	return http.StatusOK, list, nil
}
