// SPDX-License-Identifier: Apache-2.0

//go:build gitea

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The accounts: one works, one may only read, one is the controller's, and one that of
// CI jobs.
const (
	alice = "alice"
	eve   = "eve"
	robot = "bindery"
	jobs  = "jobs"
	repo  = "alice/site"
)

// forge is a Gitea of its own, with one repository.
type forge struct {
	t      *testing.T
	dir    string
	url    string
	tokens map[string]string
}

const appINI = `APP_NAME = Gitea
RUN_MODE = prod
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %s
ROOT_URL = http://127.0.0.1:%[1]s/
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = %s/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = of-this-test-alone
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = loopback
[actions]
ENABLED = false
[cron]
ENABLED = false
[log]
LEVEL = warn
ROOT_PATH = %[2]s/log
`

// newForge starts a Gitea with its accounts. dress may put files into its folder first.
func newForge(t *testing.T, dress ...func(t *testing.T, dir string)) *forge {
	t.Helper()
	gitea := present(t, "../bin/tools/gitea", "make e2e-gitea")
	address := freePort(t)
	f := &forge{t: t, dir: t.TempDir(), url: "http://" + address, tokens: map[string]string{}}
	_, port, _ := strings.Cut(address, ":")
	write(t, f.dir, "app.ini", fmt.Sprintf(appINI, port, f.dir))
	for _, files := range dress {
		files(t, f.dir)
	}
	args := []string{gitea, "--config", filepath.Join(f.dir, "app.ini"), "--work-path", f.dir}
	run := func(more ...string) string { return ran(t, f.dir, append(args[:len(args):len(args)], more...)...) }
	run("migrate")
	for _, name := range []string{alice, eve, robot, jobs} {
		run("admin", "user", "create", "--username", name, "--password", "long-enough-for-"+name, "--email", name+"@example.org", "--must-change-password=false")
		out := run("admin", "user", "generate-access-token", "--username", name, "--token-name", "e2e", "--scopes", scopes(name), "--raw")
		f.tokens[name] = out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:][:40]
	}
	alive := started(t, f.dir, "gitea", append(args[:len(args):len(args)], "web")...)
	until(t, "Gitea answers", func() bool { require.True(t, alive(), "it ended"); return answers(f.url + "/api/healthz") })
	return f
}

// scopes are what a token may do: the controller's and that of jobs have what the
// documentation says, and no more.
func scopes(name string) string {
	switch name {
	case robot:
		return "read:user,write:issue,write:repository"
	case jobs:
		return "read:user,write:issue,read:repository"
	}
	return "all"
}

// ask sends a request to the API as somebody and gives the answer's code.
func (f *forge) ask(who, method, path string, body, into any) int {
	f.t.Helper()
	data, err := json.Marshal(body)
	require.NoError(f.t, err)
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+"/api/v1/"+path, bytes.NewReader(data))
	require.NoError(f.t, err)
	req.Header.Set("Authorization", "token "+f.tokens[who])
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	require.NoError(f.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(f.t, err)
	if into != nil && resp.StatusCode < 300 {
		require.NoError(f.t, json.Unmarshal(text, into), string(text))
	}
	if resp.StatusCode >= 400 {
		f.t.Logf("%s %s as %s: %s %.300s", method, path, who, resp.Status, text)
	}
	return resp.StatusCode
}

// of asks as alice for something of the repository, which has to work.
func (f *forge) of(method, path string, body, into any) {
	f.t.Helper()
	require.Less(f.t, f.ask(alice, method, strings.TrimSuffix("repos/"+repo+"/"+path, "/"), body, into), 300, "%s %s", method, path)
}

type object = map[string]any

// settle makes the repository, lets the robot in and sends deliveries to an address.
func (f *forge) settle(hook, secret string) {
	f.t.Helper()
	require.Equal(f.t, 201, f.ask(alice, "POST", "user/repos", object{"name": "site", "default_branch": "main"}, nil))
	f.of("PUT", "collaborators/"+robot, object{"permission": "admin"}, nil)
	f.of("PUT", "collaborators/"+eve, object{"permission": "read"}, nil)
	f.of("PUT", "collaborators/"+jobs, object{"permission": "read"}, nil)
	f.of("POST", "hooks", object{
		"type": "gitea", "active": true, "events": []string{"push", "pull_request", "pull_request_sync", "pull_request_comment"},
		"config": object{"url": hook, "content_type": "json", "secret": secret},
	}, nil)
}

type pull struct {
	Number int
	State  string
	Head   struct{ SHA string }
	Merged bool
	Commit string `json:"merge_commit_sha"`
}

type comment struct {
	ID      int64
	Body    string
	User    struct{ Login string }
	HTML    string    `json:"html_url"`
	Created time.Time `json:"created_at"`
}

// comments are those of a pull request that somebody wrote.
func (f *forge) comments(number int, who string) (out []comment) {
	f.t.Helper()
	var all []comment
	f.of("GET", fmt.Sprintf("issues/%d/comments", number), nil, &all)
	for _, c := range all {
		if c.User.Login == who {
			out = append(out, c)
		}
	}
	return out
}

// preview waits for the robot's one comment on a pull request to say something, and
// gives it.
func (f *forge) preview(number int, parts ...string) comment {
	f.t.Helper()
	return f.said(number, "<!-- bindery-preview:v1 ", parts...)
}

// said waits for the one comment of the robot that begins so.
func (f *forge) said(number int, begin string, parts ...string) comment {
	f.t.Helper()
	var found []comment
	until(f.t, fmt.Sprintf("a comment %q on pull request %d says %q", begin, number, parts), func() bool {
		found = nil
		for _, c := range f.comments(number, robot) {
			if strings.HasPrefix(c.Body, begin) {
				found = append(found, c)
			}
		}
		return len(found) > 0 && containsAll(found[0].Body, parts)
	})
	require.Len(f.t, found, 1)
	return found[0]
}

func containsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// check waits for the status of a commit to say something.
func (f *forge) check(commit, want string) string {
	f.t.Helper()
	var last struct {
		Statuses []struct{ Status, Context, Description string }
	}
	until(f.t, "the check of "+commit+" says "+want, func() bool {
		f.of("GET", "commits/"+commit+"/status", nil, &last)
		return len(last.Statuses) > 0 && last.Statuses[0].Status == want
	})
	require.Len(f.t, last.Statuses, 1, "one context")
	require.Equal(f.t, "bindery/preview", last.Statuses[0].Context)
	return last.Statuses[0].Description
}

// reactions are the robot's on a comment.
func (f *forge) reactions(id int64) (out []string) {
	f.t.Helper()
	var all []struct {
		Content string
		User    struct{ Login string }
	}
	f.of("GET", fmt.Sprintf("issues/comments/%d/reactions", id), nil, &all)
	for _, r := range all {
		if r.User.Login == robot {
			out = append(out, r.Content)
		}
	}
	return out
}

// comment says something on a pull request as somebody.
func (f *forge) comment(who string, number int, text string) comment {
	f.t.Helper()
	var c comment
	require.Equal(f.t, 201, f.ask(who, "POST", fmt.Sprintf("repos/%s/issues/%d/comments", repo, number), object{"body": text}, &c))
	return c
}

// merge merges a pull request and gives the commit.
func (f *forge) merge(number int, how string) string {
	f.t.Helper()
	until(f.t, fmt.Sprintf("pull request %d can be merged", number), func() bool {
		// The server works out in its own time whether that is so.
		return f.ask(alice, "POST", fmt.Sprintf("repos/%s/pulls/%d/merge", repo, number), object{"Do": how}, nil) == 200
	})
	var p pull
	f.of("GET", fmt.Sprintf("pulls/%d", number), nil, &p)
	require.True(f.t, p.Merged)
	return p.Commit
}

// clone makes a work tree of somebody.
func (f *forge) clone(who, name string) *clone {
	f.t.Helper()
	c := &clone{t: f.t, dir: filepath.Join(f.dir, "clone-"+who)}
	require.NoError(f.t, os.MkdirAll(c.dir, 0o755))
	c.git("init", "-q", "-b", "main")
	c.git("remote", "add", "origin", strings.Replace(f.url, "http://", "http://"+who+":"+f.tokens[who]+"@", 1)+"/"+name+".git")
	return c
}

// clone is a work tree.
type clone struct {
	t   *testing.T
	dir string
}

func (c *clone) git(args ...string) string {
	c.t.Helper()
	return strings.TrimSpace(ran(c.t, c.dir, append([]string{"git"}, args...)...))
}

// commit writes files onto a branch that begins where main is at the forge, "" onto
// the branch that is there, and gives the commit.
func (c *clone) commit(branch string, files map[string]string) string {
	c.t.Helper()
	if branch != "" {
		c.git("fetch", "-q", "origin", "main")
		c.git("checkout", "-q", "-B", branch, "FETCH_HEAD")
	}
	for name, text := range files {
		write(c.t, c.dir, name, text)
	}
	c.git("add", "-A")
	c.git("commit", "-q", "--allow-empty", "-m", "Change "+time.Now().Format(time.RFC3339Nano))
	return c.git("rev-parse", "HEAD")
}

func (c *clone) push(branch string) { c.git("push", "-q", "-f", "origin", "HEAD:refs/heads/"+branch) }
