// SPDX-License-Identifier: Apache-2.0

package github_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/github"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

// installed is a forge with an App, and the App's key.
func installed(t *testing.T) (*place, *githubtest.App, []byte) {
	t.Helper()
	p := newPlace(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	a := &githubtest.App{
		ID: 77, Installation: 5, Slug: "bindery", Bot: githubtest.User{ID: 555, Login: "bindery[bot]"}, Key: &key.PublicKey,
	}
	p.forge, err = githubtest.NewWithApp(t.Context(), githubtest.Config{
		Dir: p.forge.Root(), Repo: repo, Users: map[string]githubtest.User{other: {ID: 7, Login: "ann"}},
	}, a)
	require.NoError(t, err)
	p.http = httptest.NewServer(p.forge)
	t.Cleanup(p.http.Close)
	require.Equal(t, http.StatusCreated, p.post("POST", "/pulls", `{"title":"Greet","head":"change","base":"main"}`))
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return p, a, text
}

func (p *place) app(key []byte, installation int64) *github.Forge {
	p.t.Helper()
	f, err := github.New(github.Config{
		API: p.http.URL + githubtest.APIPath, Repo: repo, App: &github.App{ID: 77, Installation: installation, Key: key},
		HTTP: transport.Config{Retries: 1, Logger: slog.New(slog.NewTextHandler(p.log, nil))},
	})
	require.NoError(p.t, err)
	return f
}

func problems(n int) (out []webhooks.Annotation) {
	for i := range n {
		out = append(out, webhooks.Annotation{Path: "Bundler/motd.xml", Line: i, Failure: i == 0, Title: "bad", Message: fmt.Sprint("problem ", i)})
	}
	return out
}

func TestAnAppMakesOneCheckRun(t *testing.T) {
	p, a, key := installed(t)
	f := p.app(key, 5)
	commit := p.git("rev-parse", "change")
	wrong := webhooks.Status{State: webhooks.Failure, Description: "2 errors", URL: "https://bindery.test/reviews/1", Annotations: problems(120), Text: "the rest"}
	for range 2 {
		require.NoError(t, f.SetStatus(t.Context(), commit, wrong))
		runs := a.Runs(commit)
		require.Len(t, runs, 1)
		require.Equal(t, "completed failure 2 errors", runs[0].Status+" "+runs[0].Conclusion+" "+runs[0].Title)
		require.Equal(t, webhooks.StatusContext, runs[0].Name)
		require.Len(t, runs[0].Annotations, 120, "in parts of fifty, each once")
		require.Equal(t, "the rest", runs[0].Text)
		require.Equal(t, githubtest.Annotation{Path: "Bundler/motd.xml", Line: 1, End: 1, Level: "failure", Title: "bad", Message: "problem 0"}, runs[0].Annotations[0])
		require.Equal(t, "warning", runs[0].Annotations[1].Level)
	}
	require.Equal(t, 1, p.forge.Calls("POST", "/check-runs"), "the same again is no call")
	require.Equal(t, 2, p.forge.Calls("PATCH", "/check-runs/"))

	// Annotations cannot be taken back: a new run takes the place of the old.
	require.NoError(t, f.SetStatus(t.Context(), commit, webhooks.Status{State: webhooks.Success, Description: "fine"}))
	runs := a.Runs(commit)
	require.Len(t, runs, 2)
	require.Equal(t, "completed success", runs[1].Status+" "+runs[1].Conclusion)
	for state, want := range map[webhooks.State]string{webhooks.Pending: "action_required", webhooks.Broken: "failure"} {
		require.NoError(t, f.SetStatus(t.Context(), commit, webhooks.Status{State: state, Description: string(state)}))
		runs = a.Runs(commit)
		require.Len(t, runs, 2)
		require.Equal(t, "completed "+want, runs[1].Status+" "+runs[1].Conclusion)
	}
	require.Empty(t, p.forge.Statuses(commit))
	require.NoError(t, f.SetStatus(t.Context(), p.git("rev-parse", "main"), webhooks.Status{State: webhooks.Failure, Description: "many", Annotations: problems(500)}))
	many := a.Runs(p.git("rev-parse", "main"))[0]
	require.Len(t, many.Annotations, 200)
	require.Contains(t, many.Summary, "200 of 500 problems")
	require.Equal(t, 1, p.forge.Calls("POST", "/access_tokens"), "a token is kept")
	require.NotContains(t, p.log.String(), "CANARY")
}

// What was cut off between two parts is made whole, and nothing is said twice.
func TestAnnotationsThatWereCutOffGoOn(t *testing.T) {
	p, a, key := installed(t)
	commit := p.git("rev-parse", "change")
	wrong := webhooks.Status{State: webhooks.Failure, Description: "errors", Annotations: problems(120)}
	p.forge.Inject(githubtest.Fault{Match: []string{"PATCH", "/check-runs/"}, Times: 1, Code: http.StatusForbidden})
	require.Error(t, p.app(key, 5).SetStatus(t.Context(), commit, wrong))
	require.Len(t, a.Runs(commit)[0].Annotations, 50)
	require.Equal(t, "completed", a.Runs(commit)[0].Status, "concluded from the start")
	require.NoError(t, p.app(key, 5).SetStatus(t.Context(), commit, wrong))
	runs := a.Runs(commit)
	require.Len(t, runs, 1)
	require.Len(t, runs[0].Annotations, 120)
	require.Equal(t, "problem 119", runs[0].Annotations[119].Message)
}

func TestAnAppPostsAsItsBot(t *testing.T) {
	p, a, key := installed(t)
	f := p.app(key, 5)
	post := webhooks.Post{Number: 1, Marker: webhooks.Marker{Head: "a", Base: "b", Seq: 1}, Body: "hello"}
	first, err := f.Post(t.Context(), post)
	require.NoError(t, err)
	post.Body = "again"
	second, err := p.app(key, 5).Post(t.Context(), post)
	require.NoError(t, err)
	require.Equal(t, first.ID, second.ID)
	require.Equal(t, a.Bot, p.forge.Comments(1)[0].Author)

	token, err := f.Token(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, token)
	none, err := p.client().Token(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestAnAppThatIsRefusedSaysSo(t *testing.T) {
	p, _, key := installed(t)
	for name, f := range map[string]*github.Forge{"no such installation": p.app(key, 6)} {
		_, err := f.Pulls(t.Context())
		require.True(t, webhooks.IsMissing(err), "%s: %v", name, err)
		require.ErrorContains(t, err, "the App got no token")
	}
	forged, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(forged)})
	_, err = p.app(text, 5).Pulls(t.Context())
	var typed *webhooks.Error
	require.ErrorAs(t, err, &typed)
	require.Equal(t, webhooks.Denied, typed.Reason, err)

	for name, c := range map[string]github.Config{
		"both":            {Repo: repo, Token: token, App: &github.App{ID: 1, Installation: 1, Key: key}},
		"no installation": {Repo: repo, App: &github.App{ID: 1, Key: key}},
		"no key":          {Repo: repo, App: &github.App{ID: 1, Installation: 1, Key: []byte("CANARY")}},
		"cut key":         {Repo: repo, App: &github.App{ID: 1, Installation: 1, Key: bytes.TrimSpace(key)[:300]}},
	} {
		_, err := github.New(c)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "CANARY")
	}
}
