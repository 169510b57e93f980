// SPDX-License-Identifier: Apache-2.0

package gitlab_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/gitlab"
	"github.com/bindery/bindery/webhooks/gitlab/gitlabtest"
	"github.com/bindery/bindery/webhooks/suitetest"
)

func TestSuite(t *testing.T) {
	suitetest.Run(t, suitetest.Kind{
		Fake: gitlabtest.New,
		Client: func(server, repo, token string, c transport.Config) (suitetest.Client, error) {
			return gitlab.New(gitlab.Config{URL: server, Repo: repo, Token: token, HTTP: c})
		},
		Dialect: gitlab.Dialect(), Comments: "/merge_requests/1/notes", Statuses: "/statuses/", Edit: "PUT",
		Refs: "refs/merge-requests/", MergeRef: true, Reactions: 2,
		States: map[webhooks.State]string{webhooks.Failure: "failed", webhooks.Broken: "failed"},
	})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	const token = "CANARY-token"
	for name, c := range map[string]gitlab.Config{
		"no token":         {Repo: "acme/site"},
		"no group":         {Repo: "site", Token: token},
		"path in name":     {Repo: "acme/../x", Token: token},
		"token in address": {URL: "https://" + token + "@forge.test/", Repo: "acme/site", Token: token},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := gitlab.New(c)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "CANARY")
		})
	}
	_, err := gitlab.New(gitlab.Config{Repo: "acme/team/site", Token: token})
	require.NoError(t, err)
}

// answering is a server that says one thing.
func answering(t *testing.T, code int, body string) *gitlab.Forge {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	f, err := gitlab.New(gitlab.Config{URL: server.URL, Repo: "acme/site", Token: "x"})
	require.NoError(t, err)
	return f
}

func TestWhoseTheSourceIs(t *testing.T) {
	for body, fork := range map[string]bool{
		`{"iid":1,"state":"opened","source_project_id":11,"target_project_id":11}`:   false,
		`{"iid":1,"state":"opened","source_project_id":12,"target_project_id":11}`:   true,
		`{"iid":1,"state":"opened","source_project_id":null,"target_project_id":11}`: true,
		`{"iid":1,"state":"opened"}`: true,
	} {
		p, err := answering(t, http.StatusOK, body).Pull(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, fork, p.Fork, body)
	}
}

func TestWhatItWasMergedAs(t *testing.T) {
	for body, want := range map[string]string{
		`{"iid":1,"state":"merged","sha":"head","merge_commit_sha":"merge","squash_commit_sha":"squash"}`: "merge",
		`{"iid":1,"state":"merged","sha":"head","squash_commit_sha":"squash"}`:                            "squash",
		`{"iid":1,"state":"merged","sha":"head"}`:                                                         "head",
		`{"iid":1,"state":"closed","sha":"head"}`:                                                         "",
	} {
		p, err := answering(t, http.StatusOK, body).Pull(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, want, p.MergeCommit, body)
	}
}

func TestWhoMayWrite(t *testing.T) {
	for body, want := range map[string]bool{
		`{"id":7,"state":"active","access_level":30}`:  true,
		`{"id":7,"state":"active","access_level":50}`:  true,
		`{"id":7,"state":"active","access_level":20}`:  false,
		`{"id":7,"state":"blocked","access_level":40}`: false,
		`{"id":8,"state":"active","access_level":40}`:  false,
		`{}`: false,
	} {
		may, err := answering(t, http.StatusOK, body).MayWrite(t.Context(), webhooks.Note{Author: 7, Login: "ann"})
		require.NoError(t, err)
		require.Equal(t, want, may, body)
	}
}

// What of a merge train waits; a server without trains is none with an error.
func TestWhatIsInATrain(t *testing.T) {
	cars := `[{"status":"idle","merge_request":{"iid":3},"pipeline":null},{"status":"stale","merge_request":{"iid":4},"pipeline":{"sha":"old"}},
		{"status":"fresh","merge_request":{"iid":5},"pipeline":{"sha":"abc"}},null]`
	got, err := answering(t, http.StatusOK, cars).Queued(t.Context(), "refs/heads/main")
	require.NoError(t, err)
	require.Equal(t, []webhooks.Group{{Ref: "refs/merge-requests/5/train", Commit: "abc", Number: 5}}, got)
	for code, bad := range map[int]bool{http.StatusNotFound: false, http.StatusForbidden: false, http.StatusUnprocessableEntity: true} {
		got, err = answering(t, code, `{}`).Queued(t.Context(), "refs/heads/main")
		require.Empty(t, got)
		require.Equal(t, bad, err != nil, code)
	}
}

// A page of a proxy is no answer of the forge, and what it says goes nowhere.
func TestAPageOfAProxyIsNoAnswer(t *testing.T) {
	for code, want := range map[int]webhooks.Reason{
		http.StatusOK: webhooks.Unavailable, http.StatusForbidden: webhooks.Denied, http.StatusNotFound: webhooks.Missing,
	} {
		_, err := answering(t, code, "<html>CANARY</html>").Pulls(t.Context())
		var typed *webhooks.Error
		require.ErrorAs(t, err, &typed)
		require.Equal(t, want, typed.Reason, err)
		require.NotContains(t, err.Error(), "CANARY")
	}
}

func TestDecode(t *testing.T) {
	const named = `,"project":{"path_with_namespace":"acme/team/site"}}`
	for kind, c := range map[string]struct {
		body string
		want webhooks.Event
	}{
		"Push Hook":          {`{"ref":"refs/heads/main","after":"abc"` + named, webhooks.Event{Kind: webhooks.Push, Repo: "acme/team/site", Ref: "refs/heads/main", Commit: "abc"}},
		"Merge Request Hook": {`{"object_attributes":{"iid":3,"action":"update"}` + named, webhooks.Event{Kind: webhooks.PullRequest, Repo: "acme/team/site", Number: 3, Action: "update"}},
		"Note Hook": {
			`{"object_attributes":{"noteable_type":"MergeRequest","action":"create"},"merge_request":{"iid":4}` + named,
			webhooks.Event{Kind: webhooks.Comment, Repo: "acme/team/site", Number: 4, Action: "create"},
		},
		"Pipeline Hook": {
			`{"object_attributes":{"source":"merge_request_event","status":"pending"},"merge_request":{"iid":5}` + named,
			webhooks.Event{Kind: webhooks.MergeGroup, Repo: "acme/team/site", Number: 5},
		},
	} {
		got, err := gitlab.Decode(kind, []byte(c.body))
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	_, err := gitlab.Decode("Note Hook", []byte(`{"object_attributes":{"noteable_type":"Issue"}`+named))
	require.ErrorIs(t, err, webhooks.ErrIgnored)
	for _, other := range []string{`{"source":"push","status":"pending"}`, `{"source":"merge_request_event","status":"success"}`} {
		_, err = gitlab.Decode("Pipeline Hook", []byte(`{"object_attributes":`+other+named))
		require.ErrorIs(t, err, webhooks.ErrIgnored)
	}
	_, err = gitlab.Decode("Job Hook", []byte(`{}`))
	require.ErrorIs(t, err, webhooks.ErrIgnored)
	for _, bad := range []string{"", "nonsense", `{"project":{"path_with_namespace":"../x"}}`, `{"object_attributes":{"iid":"x"}}`} {
		_, err = gitlab.Decode("Push Hook", []byte(bad))
		require.Error(t, err, bad)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("Push Hook", []byte(`{"ref":"refs/heads/main","project":{"path_with_namespace":"a/b"}}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if event, err := gitlab.Decode(kind, body); err == nil {
			require.True(t, json.Valid(body))
			require.Contains(t, event.Repo, "/")
		}
	})
}
