// SPDX-License-Identifier: Apache-2.0

package github_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/github"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

const (
	token = "ghp_CANARYbottoken"
	other = "ghp_CANARYpersontoken"
	repo  = "acme/site"
)

// place is a forge with one open pull request.
type place struct {
	t     *testing.T
	forge *githubtest.Server
	http  *httptest.Server
	work  string
	log   *bytes.Buffer
}

func newPlace(t *testing.T) *place {
	t.Helper()
	forge, err := githubtest.New(t.Context(), githubtest.Config{
		Dir: t.TempDir(), Repo: repo, PageSize: 3,
		Users: map[string]githubtest.User{token: {ID: 91234, Login: "bindery-bot"}, other: {ID: 7, Login: "ann"}},
	})
	require.NoError(t, err)
	p := &place{t: t, forge: forge, http: httptest.NewServer(forge), work: t.TempDir(), log: &bytes.Buffer{}}
	t.Cleanup(p.http.Close)
	p.git("init", "--quiet", "--initial-branch=main")
	p.commit("motd", "one\n")
	p.git("push", "--quiet", p.remote(), "main")
	p.git("checkout", "--quiet", "-b", "change")
	p.commit("motd", "two\n")
	p.git("push", "--quiet", p.remote(), "change")
	require.Equal(t, http.StatusCreated, p.post("POST", "/pulls", `{"title":"Greet","head":"change","base":"main"}`))
	return p
}

func (p *place) remote() string {
	return strings.Replace(p.http.URL, "http://", "http://ann:"+other+"@", 1) + p.forge.ClonePath()
}

func (p *place) git(args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "git", args...)
	cmd.Dir = p.work
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=ann", "GIT_AUTHOR_EMAIL=ann@example.test", "GIT_COMMITTER_NAME=ann", "GIT_COMMITTER_EMAIL=ann@example.test")
	out, err := cmd.CombinedOutput()
	require.NoError(p.t, err, string(out))
	return strings.TrimSpace(string(out))
}

func (p *place) commit(name, content string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(filepath.Join(p.work, name), []byte(content), 0o600))
	p.git("add", "-A")
	p.git("commit", "--quiet", "-m", "change "+name)
}

// post speaks to the API as a person.
func (p *place) post(method, path, body string) int {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.http.URL+githubtest.APIPath+"repos/"+repo+path, strings.NewReader(body))
	require.NoError(p.t, err)
	r.Header.Set("Authorization", "Bearer "+other)
	resp, err := p.http.Client().Do(r)
	require.NoError(p.t, err)
	require.NoError(p.t, resp.Body.Close())
	return resp.StatusCode
}

func (p *place) client() *github.Forge {
	p.t.Helper()
	f, err := github.New(github.Config{
		API: p.http.URL + githubtest.APIPath, Repo: repo, Token: token,
		HTTP: transport.Config{
			Timeout: 20 * time.Second, Retries: 2, MinWait: time.Millisecond, MaxWait: 2 * time.Second,
			Logger: slog.New(slog.NewTextHandler(p.log, nil)),
		},
	})
	require.NoError(p.t, err)
	return f
}

func said(seq int64, body string) webhooks.Post {
	return webhooks.Post{Number: 1, Marker: webhooks.Marker{Head: "aaa", Base: "bbb", Seq: seq, Digest: "sha256:c"}, Body: body}
}

const comments = "/issues/1/comments"

func TestPullsFollowTheRepository(t *testing.T) {
	p := newPlace(t)
	f := p.client()
	pulls, err := f.Pulls(t.Context())
	require.NoError(t, err)
	require.Len(t, pulls, 1)
	require.Equal(t, p.git("rev-parse", "change"), pulls[0].Head)
	require.Equal(t, p.git("rev-parse", "main"), pulls[0].Base)
	require.Equal(t, "refs/heads/main", pulls[0].BaseRef)
	require.Equal(t, "refs/pull/1/merge", pulls[0].MergeRef)
	require.True(t, pulls[0].Open)
	require.False(t, pulls[0].Fork)

	for i := range 4 {
		require.Equal(t, http.StatusCreated, p.post("POST", "/pulls", fmt.Sprintf(`{"title":"%d","head":"change","base":"main","fork":true}`, i)))
	}
	pulls, err = f.Pulls(t.Context())
	require.NoError(t, err)
	require.Len(t, pulls, 5, "all pages")
	require.True(t, pulls[4].Fork)

	require.Equal(t, http.StatusOK, p.post("PUT", "/pulls/1/merge", `{}`))
	merged, err := f.Pull(t.Context(), 1)
	require.NoError(t, err)
	require.True(t, merged.Merged)
	require.False(t, merged.Open)
	p.git("fetch", "--quiet", p.remote(), "main")
	require.Equal(t, p.git("rev-parse", "FETCH_HEAD"), merged.MergeCommit)

	_, err = f.Pull(t.Context(), 99)
	require.True(t, webhooks.IsMissing(err), err)
}

func TestOneCommentIsEdited(t *testing.T) {
	p := newPlace(t)
	f := p.client()
	first, err := f.Post(t.Context(), said(1, "hello"))
	require.NoError(t, err)
	require.Equal(t, webhooks.Created, first.Outcome)

	again := said(2, "hello")
	again.Known = first.ID
	second, err := f.Post(t.Context(), again)
	require.NoError(t, err)
	require.Equal(t, webhooks.Unchanged, second.Outcome)
	require.Zero(t, p.forge.Calls("PATCH"))

	// Without the stored id it is found among others' comments, on a later page.
	for i := range 7 {
		require.Equal(t, http.StatusCreated, p.post("POST", comments, fmt.Sprintf(`{"body":"chat %d"}`, i)))
	}
	third, err := p.client().Post(t.Context(), said(3, "hello again"))
	require.NoError(t, err)
	require.Equal(t, webhooks.Posted{ID: first.ID, URL: first.URL, Outcome: webhooks.Edited}, third)
	require.Equal(t, 1, p.forge.Calls("PATCH"))

	// An older build does not overwrite a newer one.
	late, err := f.Post(t.Context(), said(2, "old news"))
	require.NoError(t, err)
	require.Equal(t, webhooks.Superseded, late.Outcome)
	require.Equal(t, 1, p.forge.Calls("PATCH"))
}

func TestMarkerOfAnotherAccountIsNotOurs(t *testing.T) {
	p := newPlace(t)
	forged := webhooks.Marker{App: 91234, Pull: 1, Seq: 99}.String()
	require.Equal(t, http.StatusCreated, p.post("POST", comments, fmt.Sprintf(`{"body":%q}`, forged+"\nall is well")))
	posted, err := p.client().Post(t.Context(), said(1, "not at all"))
	require.NoError(t, err)
	require.Equal(t, webhooks.Created, posted.Outcome)
}

func TestOnlyEditCreatesNothing(t *testing.T) {
	p := newPlace(t)
	post := said(1, "No host is affected")
	post.OnlyEdit = true
	posted, err := p.client().Post(t.Context(), post)
	require.NoError(t, err)
	require.Equal(t, webhooks.Absent, posted.Outcome)
	require.Zero(t, p.forge.Calls("POST", comments))
}

func TestDeletedCommentIsPostedOnce(t *testing.T) {
	p := newPlace(t)
	f := p.client()
	first, err := f.Post(t.Context(), said(1, "hello"))
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete,
		fmt.Sprintf("%s%srepos/%s/issues/comments/%d", p.http.URL, githubtest.APIPath, repo, first.ID), nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := p.http.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	again := said(2, "hello again")
	again.Known = first.ID
	second, err := f.Post(t.Context(), again)
	require.NoError(t, err)
	require.Equal(t, webhooks.Created, second.Outcome)
	require.NotEqual(t, first.ID, second.ID)

	// Deleted between the look and the edit: the edit's 404 creates once.
	p.forge.Inject(githubtest.Fault{Match: []string{"PATCH"}, Times: 1, Code: http.StatusNotFound})
	again.Known, again.Marker.Seq, again.Body = second.ID, 3, "third"
	third, err := f.Post(t.Context(), again)
	require.NoError(t, err)
	require.Equal(t, second.ID, third.ID, "the oldest of ours stays")
}

func TestLostAnswerDoesNotPostTwice(t *testing.T) {
	p := newPlace(t)
	p.forge.Inject(githubtest.Fault{Match: []string{"POST", comments}, Times: 1, CutOff: true})
	posted, err := p.client().Post(t.Context(), said(1, "hello"))
	require.NoError(t, err)
	require.Equal(t, webhooks.Created, posted.Outcome)
	require.Equal(t, 1, p.forge.Calls("POST", comments))
}

func TestTwoWritersEndWithOneComment(t *testing.T) {
	p := newPlace(t)
	// Both look before either has written: each then creates one.
	p.forge.Inject(githubtest.Fault{Match: []string{"GET", comments}, Times: 2, Stall: 50 * time.Millisecond})
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i := range 2 {
		f := p.client()
		wg.Go(func() {
			_, errs[i] = f.Post(context.WithoutCancel(t.Context()), said(int64(i+1), fmt.Sprintf("build %d", i+1)))
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	// Whoever comes next settles what a race may have left.
	posted, err := p.client().Post(t.Context(), said(2, "build 2"))
	require.NoError(t, err)
	require.NotZero(t, posted.ID)
	require.Equal(t, []string{"build 2"}, p.bodies())
}

// bodies lists what our comments say, below their markers.
func (p *place) bodies() []string {
	p.t.Helper()
	var out []string
	for _, c := range p.forge.Comments(1) {
		if _, ok := webhooks.ParseMarker(c.Body); ok {
			_, body, _ := strings.Cut(c.Body, "\n")
			out = append(out, body)
		}
	}
	return out
}

func TestStatusIsSetOnce(t *testing.T) {
	p := newPlace(t)
	f := p.client()
	commit := p.git("rev-parse", "change")
	long := webhooks.Status{State: webhooks.Failure, Description: strings.Repeat("ä ", 200)}
	require.NoError(t, f.SetStatus(t.Context(), commit, long))
	require.NoError(t, f.SetStatus(t.Context(), commit, long))
	require.Equal(t, 1, p.forge.Calls("POST", "/statuses/"))
	require.NoError(t, f.SetStatus(t.Context(), commit, webhooks.Status{State: webhooks.Success, Description: "fine"}))
	require.Equal(t, 2, p.forge.Calls("POST", "/statuses/"))
	require.Equal(t, "success", p.forge.Statuses(commit)[0].State)
}

func TestFaultsAreNamed(t *testing.T) {
	p := newPlace(t)
	for name, c := range map[string]struct {
		fault  githubtest.Fault
		reason webhooks.Reason
		retry  bool
	}{
		"500 for ever":     {githubtest.Fault{Times: 3, Code: http.StatusInternalServerError}, webhooks.Unavailable, true},
		"cut off for ever": {githubtest.Fault{Times: 3, CutOff: true}, webhooks.Unreachable, true},
		"rate limit":       {githubtest.Fault{Times: 1, RateLimit: time.Hour}, webhooks.RateLimited, true},
		"secondary limit":  {githubtest.Fault{Times: 1, Secondary: time.Minute}, webhooks.RateLimited, true},
		"denied":           {githubtest.Fault{Times: 1, Code: http.StatusForbidden}, webhooks.Denied, false},
		"bad credentials":  {githubtest.Fault{Times: 1, Code: http.StatusUnauthorized}, webhooks.Denied, false},
		"unprocessable":    {githubtest.Fault{Times: 1, Code: http.StatusUnprocessableEntity}, webhooks.Invalid, false},
	} {
		t.Run(name, func(t *testing.T) {
			p.forge.Inject(c.fault)
			_, err := p.client().Pulls(t.Context())
			var typed *webhooks.Error
			require.ErrorAs(t, err, &typed)
			require.Equal(t, c.reason, typed.Reason, err)
			require.Equal(t, c.retry, typed.Retryable())
			require.NotContains(t, err.Error()+p.log.String(), "CANARY")
			if c.fault.RateLimit > 0 || c.fault.Secondary > 0 {
				require.Positive(t, typed.After)
			}
		})
	}
}

func TestShortFaultsAreRetried(t *testing.T) {
	p := newPlace(t)
	for name, fault := range map[string]githubtest.Fault{
		"500":             {Times: 2, Code: http.StatusInternalServerError},
		"cut off":         {Times: 2, CutOff: true},
		"secondary limit": {Times: 1, Secondary: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			p.forge.Inject(fault)
			pulls, err := p.client().Pulls(t.Context())
			require.NoError(t, err)
			require.Len(t, pulls, 1)
			require.NotContains(t, p.log.String(), "CANARY")
		})
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for name, c := range map[string]github.Config{
		"no token":         {Repo: repo},
		"no owner":         {Repo: "site", Token: token},
		"path in name":     {Repo: "acme/../x", Token: token},
		"token in address": {Repo: repo, Token: token, API: "https://" + token + "@forge.test/"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := github.New(c)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "CANARY")
		})
	}
}
