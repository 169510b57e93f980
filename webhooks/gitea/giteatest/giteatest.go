// SPDX-License-Identifier: Apache-2.0

// Package giteatest is a forge with the HTTP API of Gitea and Forgejo as far as we use
// it, and their signed deliveries. It must not know the code that it tests.
package giteatest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/bindery/bindery/webhooks/forgetest"
)

type object = forgetest.Object

// New makes a forge and its repository.
func New(ctx context.Context, c forgetest.Config) (*forgetest.Server, error) {
	return forgetest.New(ctx, c, forgetest.Skin{
		APIPath: "/api/v1/", RefRoot: "refs/pull/", PerPage: "limit", Routes: routes, Headers: headers,
		Pushed: func(s *forgetest.Server, ref, before, after string) (string, object) {
			return "push", named(s, object{"ref": ref, "before": before, "after": after})
		},
		Changed: func(s *forgetest.Server, p forgetest.Pull, action string) (string, object) {
			if action == "synchronize" {
				action = "synchronized" // with a d, unlike GitHub
			}
			return "pull_request", named(s, object{"action": action, "number": p.Number, "pull_request": pullJSON(s, "forge.invalid", p)})
		},
		Said: func(s *forgetest.Server, c forgetest.Comment) (string, object) {
			return "issue_comment", named(s, object{
				"action": "created", "is_pull": true, "comment": commentJSON(s, "forge.invalid", c),
				"issue": object{"number": c.Number, "pull_request": object{"merged": false}},
			})
		},
	})
}

// headers are what both servers send, for each other's sake and for GitHub's.
func headers(d forgetest.Delivery, secret []byte) http.Header {
	h := http.Header{}
	sum := forgetest.HMAC(secret, d.Payload)
	for _, name := range []string{"Forgejo", "Gitea", "Gogs", "GitHub"} {
		h.Set("X-"+name+"-Event", d.Event)
		h.Set("X-"+name+"-Delivery", d.ID)
	}
	h.Set("X-Gitea-Event-Type", d.Event)
	h.Set("X-Forgejo-Signature", sum)
	h.Set("X-Gitea-Signature", sum)
	h.Set("X-Gogs-Signature", sum)
	h.Set("X-Hub-Signature-256", "sha256="+sum)
	return h
}

func named(s *forgetest.Server, payload object) object {
	payload["repository"] = object{"full_name": s.Repo()}
	return payload
}

// api answers as Gitea does.
type api struct{ *forgetest.Server }

func routes(s *forgetest.Server) map[string]forgetest.Handler {
	a := api{s}
	repo := "repos/" + s.Repo()
	return map[string]forgetest.Handler{
		" " + repo + "/issues/{first}/{second}": forgetest.Issues(map[string]forgetest.Handler{
			"GET all": a.listComments, "POST all": a.addComment,
			"GET one": a.getComment, "PATCH one": a.editComment, "DELETE one": a.deleteComment,
		}),
		"GET user":                                          a.getUser,
		"GET " + repo + "/pulls":                            a.listPulls,
		"POST " + repo + "/pulls":                           a.openPull,
		"GET " + repo + "/pulls/{number}":                   a.getPull,
		"PATCH " + repo + "/pulls/{number}":                 a.editPull,
		"POST " + repo + "/pulls/{number}/merge":            a.mergePull,
		"POST " + repo + "/issues/comments/{id}/reactions":  a.react,
		"GET " + repo + "/collaborators/{login}/permission": a.permission,
		"GET " + repo + "/commits/{commit}/statuses":        a.listStatuses,
		"POST " + repo + "/statuses/{commit}":               a.addStatus,
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
	return object{"id": u.ID, "login": u.Login, "username": u.Login}
}

const (
	baseID = 11
	forkID = 12
)

func pullJSON(s *forgetest.Server, host string, p forgetest.Pull) object {
	state, id, full := "open", baseID, s.Repo()
	if p.Closed {
		state = "closed"
	}
	if p.Fork {
		id, full = forkID, p.Author.Login+"/fork"
	}
	out := object{
		"number": p.Number, "title": p.Title, "state": state, "draft": p.Draft, "user": userJSON(p.Author),
		"html_url":   fmt.Sprintf("http://%s/%s/pulls/%d", host, s.Repo(), p.Number),
		"head":       object{"label": p.Head, "ref": p.Head, "sha": p.HeadSHA, "repo_id": id, "repo": object{"id": id, "full_name": full}},
		"base":       object{"label": p.BaseRef, "ref": p.BaseRef, "sha": p.BaseSHA, "repo_id": baseID, "repo": object{"id": baseID, "full_name": s.Repo()}},
		"merged":     p.Merged,
		"mergeable":  p.Mergeable,
		"merged_at":  nil,
		"updated_at": p.Updated.Format(time.RFC3339),
	}
	if p.Merged {
		out["merged_at"], out["merge_commit_sha"] = p.Updated.Format(time.RFC3339), p.MergeSHA
	}
	return out
}

func commentJSON(s *forgetest.Server, host string, c forgetest.Comment) object {
	return object{
		"id": c.ID, "body": c.Body, "user": userJSON(c.Author), "original_author": "", "original_author_id": 0,
		"created_at": c.Created.Format(time.RFC3339), "updated_at": c.Updated.Format(time.RFC3339),
		"html_url": fmt.Sprintf("http://%s/%s/pulls/%d#issuecomment-%d", host, s.Repo(), c.Number, c.ID),
	}
}

// statusJSON calls the state "status", unlike what is posted.
func statusJSON(st forgetest.Status) object {
	return object{
		"id": st.ID, "status": st.State, "context": st.Context, "description": st.Description, "target_url": st.URL,
		"creator": userJSON(st.Author),
	}
}

func (a api) getUser(_ *http.Request, u forgetest.User) (int, any, error) {
	return http.StatusOK, userJSON(u), nil
}

func (a api) permission(r *http.Request, _ forgetest.User) (int, any, error) {
	u, ok := a.Known(func(u forgetest.User) bool { return u.Login == r.PathValue("login") })
	if !ok {
		return 0, nil, forgetest.ErrNotFound
	}
	level := "write"
	if u.Reader {
		level = "read"
	}
	return http.StatusOK, object{"permission": level, "role_name": level, "user": userJSON(u)}, nil
}

// listPulls finds no pull requests, rather than none, where nothing was pushed yet.
func (a api) listPulls(r *http.Request, _ forgetest.User) (int, any, error) {
	branches, err := a.Branches(r.Context())
	if err != nil {
		return 0, nil, err
	}
	if len(branches) == 0 {
		return 0, nil, forgetest.ErrNotFound
	}
	list := []any{}
	for _, p := range a.Pulls(r.URL.Query().Get("state")) {
		list = append(list, pullJSON(a.Server, r.Host, p))
	}
	return http.StatusOK, list, nil
}

func (a api) pull(r *http.Request, code int, p forgetest.Pull, err error) (int, any, error) {
	return code, pullJSON(a.Server, r.Host, p), err
}

func (a api) getPull(r *http.Request, _ forgetest.User) (int, any, error) {
	p, err := a.Pull(int(number(r, "number")))
	return a.pull(r, http.StatusOK, p, err)
}

func (a api) openPull(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct {
		Title, Head, Base string
		// Draft and Fork are not Gitea's: it knows drafts by their titles, and forks
		// by the name of the head.
		Draft, Fork bool
	}
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	p, err := a.OpenPull(r.Context(), forgetest.Pull{
		Title: in.Title, Head: in.Head, BaseRef: in.Base, Draft: in.Draft, Fork: in.Fork, Author: u,
	})
	return a.pull(r, http.StatusCreated, p, err)
}

func (a api) editPull(r *http.Request, _ forgetest.User) (int, any, error) {
	var in forgetest.Edit
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	p, err := a.EditPull(r.Context(), int(number(r, "number")), in)
	return a.pull(r, http.StatusCreated, p, err)
}

func (a api) mergePull(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct {
		Do   string
		Head string `json:"head_commit_id"`
	}
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	_, err := a.MergePull(r.Context(), int(number(r, "number")), in.Do, in.Head, u)
	return http.StatusOK, object{}, err
}

// listComments knows no pages, as on the servers.
func (a api) listComments(r *http.Request, _ forgetest.User) (int, any, error) {
	n := int(number(r, "number"))
	if _, err := a.Pull(n); err != nil {
		return 0, nil, err
	}
	list := []object{}
	for _, c := range a.Comments(n) {
		list = append(list, commentJSON(a.Server, r.Host, c))
	}
	return http.StatusOK, list, nil
}

func (a api) addComment(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct{ Body string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	c, err := a.AddComment(r.Context(), int(number(r, "number")), u, in.Body)
	return http.StatusCreated, commentJSON(a.Server, r.Host, c), err
}

func (a api) getComment(r *http.Request, _ forgetest.User) (int, any, error) {
	c, err := a.Comment(number(r, "id"))
	return http.StatusOK, commentJSON(a.Server, r.Host, c), err
}

func (a api) editComment(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct{ Body string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	c, err := a.EditComment(number(r, "id"), u, in.Body)
	return http.StatusOK, commentJSON(a.Server, r.Host, c), err
}

func (a api) deleteComment(r *http.Request, u forgetest.User) (int, any, error) {
	return http.StatusNoContent, nil, a.DeleteComment(number(r, "id"), u)
}

func (a api) react(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct{ Content string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	fresh, err := a.React(number(r, "id"), u, in.Content)
	code := http.StatusOK
	if fresh {
		code = http.StatusCreated
	}
	return code, object{"content": in.Content, "user": userJSON(u)}, err
}

func (a api) listStatuses(r *http.Request, _ forgetest.User) (int, any, error) {
	list := []any{}
	for _, st := range a.Statuses(r.PathValue("commit")) {
		list = append(list, statusJSON(st))
	}
	return http.StatusOK, list, nil
}

func (a api) addStatus(r *http.Request, u forgetest.User) (int, any, error) {
	var in struct {
		State, Context, Description string
		TargetURL                   string `json:"target_url"`
	}
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	st, err := a.AddStatus(r.Context(), forgetest.Status{
		Commit: r.PathValue("commit"), State: in.State, Context: in.Context, Description: in.Description, URL: in.TargetURL, Author: u,
	}, "error", "failure", "pending", "success")
	return http.StatusCreated, statusJSON(st), err
}
