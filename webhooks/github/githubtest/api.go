// SPDX-License-Identifier: Apache-2.0

package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/webhooks/forgetest"
)

type object = forgetest.Object

// api answers as GitHub does.
type api struct{ *Server }

func routes(s *Server) map[string]forgetest.Handler {
	a := api{s}
	repo := "repos/" + s.Repo()
	return map[string]forgetest.Handler{
		"GET user":                              a.getUser,
		"GET users/{login}":                     a.getAccount,
		"GET " + repo + "/pulls":                a.listPulls,
		"POST " + repo + "/pulls":               a.openPull,
		"GET " + repo + "/pulls/{number}":       a.getPull,
		"PATCH " + repo + "/pulls/{number}":     a.editPull,
		"PUT " + repo + "/pulls/{number}/merge": a.mergePull,
		" " + repo + "/issues/{first}/{second}": forgetest.Issues(map[string]forgetest.Handler{
			"GET all": a.listComments, "POST all": a.addComment,
			"GET one": a.getComment, "PATCH one": a.editComment, "DELETE one": a.deleteComment,
		}),
		"POST " + repo + "/issues/comments/{id}/reactions":  a.react,
		"GET " + repo + "/collaborators/{login}/permission": a.permission,
		"GET " + repo + "/commits/{commit}/statuses":        a.listStatuses,
		"POST " + repo + "/statuses/{commit}":               a.addStatus,
		"GET " + repo + "/git/matching-refs/{ref...}":       a.matchingRefs,
	}
}

func number(r *http.Request) int {
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		return 0
	}
	return n
}

func commentID(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func userJSON(u User) object {
	kind := "User"
	if strings.HasSuffix(u.Login, "[bot]") {
		kind = "Bot"
	}
	return object{"id": u.ID, "login": u.Login, "type": kind}
}

func pullJSON(s *Server, host string, p forgetest.Pull) object {
	state := "open"
	if p.Closed {
		state = "closed"
	}
	full := s.Repo()
	if p.Fork {
		full = p.Author.Login + "/fork"
	}
	out := object{
		"number": p.Number, "title": p.Title, "state": state, "draft": p.Draft, "user": userJSON(p.Author),
		"html_url":         fmt.Sprintf("http://%s/%s/pull/%d", host, s.Repo(), p.Number),
		"head":             object{"ref": p.Head, "sha": p.HeadSHA, "repo": object{"full_name": full}},
		"base":             object{"ref": p.BaseRef, "sha": p.BaseSHA, "repo": object{"full_name": s.Repo()}},
		"merged":           p.Merged,
		"mergeable":        p.Mergeable,
		"merge_commit_sha": p.MergeSHA,
		"updated_at":       p.Updated.Format(time.RFC3339),
	}
	if p.Merged {
		out["merged_at"] = p.Updated.Format(time.RFC3339)
	}
	return out
}

func commentJSON(s *Server, host string, c Comment) object {
	return object{
		"id": c.ID, "body": c.Body, "user": userJSON(c.Author),
		"created_at": c.Created.Format(time.RFC3339), "updated_at": c.Updated.Format(time.RFC3339),
		"html_url": fmt.Sprintf("http://%s/%s/pull/%d#issuecomment-%d", host, s.Repo(), c.Number, c.ID),
	}
}

func statusJSON(st Status) object {
	return object{
		"id": st.ID, "state": st.State, "context": st.Context, "description": st.Description, "target_url": st.URL,
		"creator": userJSON(st.Author),
	}
}

func (a api) getUser(_ *http.Request, u User) (int, any, error) {
	return http.StatusOK, userJSON(u), nil
}

func (a api) getAccount(r *http.Request, _ User) (int, any, error) {
	u, ok := a.Known(func(u User) bool { return u.Login == r.PathValue("login") })
	if !ok {
		return 0, nil, forgetest.ErrNotFound
	}
	return http.StatusOK, userJSON(u), nil
}

func (a api) permission(r *http.Request, _ User) (int, any, error) {
	u, ok := a.Known(func(u User) bool { return u.Login == r.PathValue("login") })
	if !ok {
		return 0, nil, forgetest.ErrNotFound
	}
	level := "write"
	if u.Reader {
		level = "read"
	}
	return http.StatusOK, object{"permission": level, "role_name": level, "user": userJSON(u)}, nil
}

func (a api) listPulls(r *http.Request, _ User) (int, any, error) {
	list := []any{}
	for _, p := range a.Pulls(r.URL.Query().Get("state")) {
		one := pullJSON(a.Server, r.Host, p)
		delete(one, "merged") // a list does not have these
		delete(one, "mergeable")
		list = append(list, one)
	}
	return http.StatusOK, list, nil
}

func (a api) pull(r *http.Request, code int, p forgetest.Pull, err error) (int, any, error) {
	return code, pullJSON(a.Server, r.Host, p), err
}

func (a api) getPull(r *http.Request, _ User) (int, any, error) {
	p, err := a.Pull(number(r))
	return a.pull(r, http.StatusOK, p, err)
}

func (a api) openPull(r *http.Request, u User) (int, any, error) {
	var in struct {
		Title, Head, Base string
		Draft             bool
		// Fork is not GitHub's: it makes the head count as another repository's.
		Fork bool
	}
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	p, err := a.OpenPull(r.Context(), forgetest.Pull{
		Title: in.Title, Head: in.Head, BaseRef: in.Base, Draft: in.Draft, Fork: in.Fork, Author: u,
	})
	return a.pull(r, http.StatusCreated, p, err)
}

func (a api) editPull(r *http.Request, _ User) (int, any, error) {
	var in forgetest.Edit
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	p, err := a.EditPull(r.Context(), number(r), in)
	return a.pull(r, http.StatusOK, p, err)
}

func (a api) mergePull(r *http.Request, u User) (int, any, error) {
	var in struct {
		Method string `json:"merge_method"`
		SHA    string `json:"sha"`
	}
	if r.ContentLength != 0 {
		if err := forgetest.Decode(r, &in); err != nil {
			return 0, nil, err
		}
	}
	p, err := a.MergePull(r.Context(), number(r), in.Method, in.SHA, u)
	return http.StatusOK, object{"sha": p.MergeSHA, "merged": true, "message": "Pull Request successfully merged"}, err
}

func (a api) listComments(r *http.Request, _ User) (int, any, error) {
	if _, err := a.Pull(number(r)); err != nil {
		return 0, nil, err
	}
	list := []any{}
	for _, c := range a.Comments(number(r)) {
		list = append(list, commentJSON(a.Server, r.Host, c))
	}
	return http.StatusOK, list, nil
}

func (a api) addComment(r *http.Request, u User) (int, any, error) {
	var in struct{ Body string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	c, err := a.AddComment(r.Context(), number(r), u, in.Body)
	return http.StatusCreated, commentJSON(a.Server, r.Host, c), err
}

func (a api) getComment(r *http.Request, _ User) (int, any, error) {
	c, err := a.Comment(commentID(r))
	return http.StatusOK, commentJSON(a.Server, r.Host, c), err
}

func (a api) editComment(r *http.Request, u User) (int, any, error) {
	var in struct{ Body string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	c, err := a.EditComment(commentID(r), u, in.Body)
	return http.StatusOK, commentJSON(a.Server, r.Host, c), err
}

func (a api) deleteComment(r *http.Request, u User) (int, any, error) {
	return http.StatusNoContent, nil, a.DeleteComment(commentID(r), u)
}

func (a api) react(r *http.Request, u User) (int, any, error) {
	var in struct{ Content string }
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	if !slices.Contains([]string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}, in.Content) {
		return 0, nil, &forgetest.Refusal{Code: http.StatusUnprocessableEntity, Text: "content is not included in the list"}
	}
	fresh, err := a.React(commentID(r), u, in.Content)
	code := http.StatusOK
	if fresh {
		code = http.StatusCreated
	}
	return code, object{"id": 1, "content": in.Content, "user": userJSON(u)}, err
}

func (a api) listStatuses(r *http.Request, _ User) (int, any, error) {
	list := []any{}
	for _, st := range a.Statuses(r.PathValue("commit")) {
		list = append(list, statusJSON(st))
	}
	return http.StatusOK, list, nil
}

func (a api) addStatus(r *http.Request, u User) (int, any, error) {
	var in struct {
		State, Context, Description string
		TargetURL                   string `json:"target_url"`
	}
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	st, err := a.AddStatus(r.Context(), Status{
		Commit: r.PathValue("commit"), State: in.State, Context: in.Context, Description: in.Description, URL: in.TargetURL, Author: u,
	}, "error", "failure", "pending", "success")
	return http.StatusCreated, statusJSON(st), err
}

func (a api) matchingRefs(r *http.Request, _ User) (int, any, error) {
	heads, err := a.Branches(r.Context())
	if err != nil {
		return http.StatusInternalServerError, nil, err
	}
	list := []any{}
	for name, commit := range heads {
		if strings.HasPrefix(name, "refs/"+r.PathValue("ref")) {
			list = append(list, object{"ref": name, "object": object{"type": "commit", "sha": commit}})
		}
	}
	return http.StatusOK, list, nil
}
