// SPDX-License-Identifier: Apache-2.0

package gitea_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/gitea"
	"github.com/bindery/bindery/webhooks/gitea/giteatest"
	"github.com/bindery/bindery/webhooks/suitetest"
)

func TestSuite(t *testing.T) {
	suitetest.Run(t, suitetest.Kind{
		Fake: giteatest.New,
		Client: func(server, repo, token string, c transport.Config) (suitetest.Client, error) {
			return gitea.New(gitea.Config{URL: server, Repo: repo, Token: token, HTTP: c})
		},
		Dialect: gitea.Dialect(), Comments: "/issues/1/comments", Statuses: "/statuses/", Edit: "PATCH", Refs: "refs/pull/", Reactions: 3,
	})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	const token = "CANARY-token"
	for name, c := range map[string]gitea.Config{
		"no token":         {URL: "https://forge.test", Repo: "acme/site"},
		"no address":       {Repo: "acme/site", Token: token},
		"no owner":         {URL: "https://forge.test", Repo: "site", Token: token},
		"groups":           {URL: "https://forge.test", Repo: "a/b/c", Token: token},
		"path in name":     {URL: "https://forge.test", Repo: "acme/..", Token: token},
		"token in address": {URL: "https://" + token + "@forge.test/", Repo: "acme/site", Token: token},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := gitea.New(c)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "CANARY")
		})
	}
}

// What has no branch of its own here came from a reader, or its branch is gone: in
// both cases nobody with write access stands for it.
func TestHeadsWithoutABranchAreStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		fork bool
	}{
		"a branch":        {`{"ref":"change","sha":"aa","repo_id":11}`, false},
		"another's":       {`{"ref":"change","sha":"aa","repo_id":12}`, true},
		"a fork deleted":  {`{"ref":"change","sha":"aa","repo_id":-1,"repo":null}`, true},
		"by refs/for":     {`{"ref":"refs/pull/1/head","sha":"aa","repo_id":11}`, true},
		"nothing of it":   {`null`, true},
		"no id of a repo": {`{"ref":"change","sha":"aa"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"number":1,"state":"open","base":{"ref":"main","sha":"bb","repo_id":11},"head":` + c.head + `}`))
			}))
			t.Cleanup(server.Close)
			f, err := gitea.New(gitea.Config{URL: server.URL, Repo: "acme/site", Token: "x"})
			require.NoError(t, err)
			p, err := f.Pull(t.Context(), 1)
			require.NoError(t, err)
			require.Equal(t, c.fork, p.Fork)
		})
	}
}

// A page of a proxy is no answer of the forge, and what it says goes nowhere.
func TestAPageOfAProxyIsNoAnswer(t *testing.T) {
	for code, want := range map[int]webhooks.Reason{
		http.StatusOK: webhooks.Unavailable, http.StatusForbidden: webhooks.Denied, http.StatusNotFound: webhooks.Missing,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte("<html>CANARY</html>"))
		}))
		f, err := gitea.New(gitea.Config{URL: server.URL, Repo: "acme/site", Token: "x"})
		require.NoError(t, err)
		_, err = f.Pulls(t.Context())
		var typed *webhooks.Error
		require.ErrorAs(t, err, &typed)
		require.Equal(t, want, typed.Reason, err)
		require.NotContains(t, err.Error(), "CANARY")
		server.Close()
	}
}

func TestDecode(t *testing.T) {
	const named = `,"repository":{"full_name":"acme/site"}}`
	for kind, c := range map[string]struct {
		body string
		want webhooks.Event
	}{
		"push":              {`{"ref":"refs/heads/main","after":"abc"` + named, webhooks.Event{Kind: webhooks.Push, Repo: "acme/site", Ref: "refs/heads/main", Commit: "abc"}},
		"pull_request_sync": {`{"action":"synchronized","number":3` + named, webhooks.Event{Kind: webhooks.PullRequest, Repo: "acme/site", Number: 3, Action: "synchronized"}},
		"issue_comment":     {`{"action":"created","is_pull":true,"issue":{"number":4}` + named, webhooks.Event{Kind: webhooks.Comment, Repo: "acme/site", Number: 4, Action: "created"}},
	} {
		got, err := gitea.Decode(kind, []byte(c.body))
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	_, err := gitea.Decode("issue_comment", []byte(`{"issue":{"number":4,"pull_request":null}`+named))
	require.ErrorIs(t, err, webhooks.ErrIgnored)
	_, err = gitea.Decode("wiki", []byte(`{}`))
	require.ErrorIs(t, err, webhooks.ErrIgnored)
	for _, bad := range []string{"", "nonsense", `{"repository":{"full_name":"../x"}}`, `{"number":"x"}`} {
		_, err = gitea.Decode("push", []byte(bad))
		require.Error(t, err, bad)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("issue_comment", []byte(`{"action":"created","is_pull":true,"issue":{"number":3},"repository":{"full_name":"a/b"}}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if event, err := gitea.Decode(kind, body); err == nil {
			require.True(t, json.Valid(body))
			require.Contains(t, strings.Trim(event.Repo, "/"), "/")
		}
	})
}
