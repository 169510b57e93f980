// SPDX-License-Identifier: Apache-2.0

package github_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks/github"
	"github.com/bindery/bindery/webhooks/github/githubtest"
	"github.com/bindery/bindery/webhooks/suitetest"
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

func TestSuite(t *testing.T) {
	suitetest.Run(t, suitetest.Kind{
		Fake: githubtest.New,
		Client: func(server, repo, token string, c transport.Config) (suitetest.Client, error) {
			return github.New(github.Config{API: server + githubtest.APIPath, Repo: repo, Token: token, HTTP: c})
		},
		Dialect: github.Dialect(), Comments: "/issues/1/comments", Statuses: "/statuses/", Edit: "PATCH", Refs: "refs/pull/", Reactions: 3, MergeRef: true,
	})
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
