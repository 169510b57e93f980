// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
	"github.com/bindery/bindery/webhooks/gitea"
	"github.com/bindery/bindery/webhooks/gitea/giteatest"
	"github.com/bindery/bindery/webhooks/github/githubtest"
	"github.com/bindery/bindery/webhooks/gitlab/gitlabtest"
)

const jobToken = "CANARY-job-token"

var (
	ann = forgetest.User{ID: 7, Login: "ann"}
	job = forgetest.User{ID: 41898282, Login: "github-actions[bot]"}
)

// commented is a forge with a pull request, and its commits on this machine.
type commented struct {
	*testing.T
	forge *forgetest.Server
	work  string
	flags []string
}

func newCommented(t *testing.T, forge string, fake func(context.Context, forgetest.Config) (*forgetest.Server, error), api string, more ...string) *commented {
	t.Helper()
	t.Setenv("BINDERY_"+strings.ToUpper(forge)+"_TOKEN", jobToken)
	f, err := fake(t.Context(), forgetest.Config{Dir: t.TempDir(), Repo: "acme/site", Users: map[string]forgetest.User{jobToken: job, "ann": ann}})
	require.NoError(t, err)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	c := &commented{t, f, t.TempDir(), append([]string{"--forge", forge, "--forge-url", server.URL + api, "--repo", "acme/site", "--pull", "1"}, more...)}
	c.git("init", "-q", "-b", "main")
	c.commit(map[string]string{
		"Metadata/clients.xml": `<Clients><Client name="a" profile="ga"/></Clients>`,
		"Metadata/groups.xml":  `<Groups><Group name="ga" profile="true"><Bundle name="a"/></Group></Groups>`,
		"Bundler/a.xml":        `<Bundle name="a"><Path name="/a"/></Bundle>`, "Cfg/a/a": "one\n",
	})
	c.git("push", "-q", f.RepoDir(), "main")
	c.git("checkout", "-q", "-b", "change")
	c.commit(map[string]string{"Cfg/a/a": "two\n"})
	c.git("push", "-q", f.RepoDir(), "change")
	_, err = f.OpenPull(t.Context(), forgetest.Pull{Title: "Count", Head: "change", BaseRef: "main", Author: ann})
	require.NoError(t, err)
	return c
}

func (c *commented) git(args ...string) string {
	c.Helper()
	cmd := exec.CommandContext(c.Context(), "git", args...)
	cmd.Dir = c.work
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=ann", "GIT_AUTHOR_EMAIL=ann@example.test",
		"GIT_COMMITTER_NAME=ann", "GIT_COMMITTER_EMAIL=ann@example.test")
	out, err := cmd.CombinedOutput()
	require.NoError(c, err, string(out))
	return strings.TrimSpace(string(out))
}

func (c *commented) commit(files map[string]string) {
	c.Helper()
	for name, text := range files {
		path := filepath.Join(c.work, name)
		require.NoError(c, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(c, os.WriteFile(path, []byte(text), 0o644))
	}
	c.git("add", "-A")
	c.git("commit", "-qm", "change")
}

// say runs the command and gives its exit code and both outputs.
func (c *commented) say(revs string, more ...string) (code int, out, problems string) {
	var stdout, stderr bytes.Buffer
	args := append([]string{"comment", "--git", c.work, revs}, append(c.flags[:len(c.flags):len(c.flags)], more...)...)
	code = run(c.Context(), args, streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	require.NotContains(c, stdout.String()+stderr.String(), "CANARY")
	return code, stdout.String(), stderr.String()
}

func TestComment(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *commented{
		"github": func(t *testing.T) *commented {
			return newCommented(t, "github", githubtest.New, githubtest.APIPath, "--account", job.Login)
		},
		"gitea":  func(t *testing.T) *commented { return newCommented(t, "gitea", giteatest.New, "") },
		"gitlab": func(t *testing.T) *commented { return newCommented(t, "gitlab", gitlabtest.New, "") },
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			code, out, problems := c.say("main..change")
			require.Zero(t, code, problems)
			all := c.forge.Comments(1)
			require.Len(t, all, 1)
			require.Equal(t, job, all[0].Author)
			marker, ok := webhooks.ParseMarker(all[0].Body)
			require.True(t, ok)
			require.Equal(t, c.git("rev-parse", "change"), marker.Head)
			require.Equal(t, c.git("rev-parse", "main"), marker.Base)
			require.Contains(t, out, "+two")
			require.True(t, strings.HasSuffix(all[0].Body, out), "what is printed is what is posted")
			require.Contains(t, problems, "comment created")

			// What is not ahead of the base was merged by CI: the head is its parent.
			c.git("checkout", "-q", "change")
			c.commit(map[string]string{"Cfg/a/a": "three\n"})
			c.git("push", "-q", c.forge.RepoDir(), "change")
			_, err := c.forge.EditPull(t.Context(), 1, forgetest.Edit{State: new("closed")})
			require.NoError(t, err)
			code, out, problems = c.say("main..change")
			require.Zero(t, code)
			require.Contains(t, problems, "nothing was posted")
			require.Contains(t, out, "+three")
			_, err = c.forge.EditPull(t.Context(), 1, forgetest.Edit{State: new("open")})
			require.NoError(t, err)
			c.git("checkout", "-q", "--detach", "main")
			c.git("merge", "-q", "--no-ff", "-m", "merged", "change")
			code, _, problems = c.say("HEAD^1..HEAD")
			require.Zero(t, code, problems)
			require.Contains(t, problems, "comment edited")
			require.Len(t, c.forge.Comments(1), 1)
			require.Contains(t, c.forge.Comments(1)[0].Body, "+three")

			// A job that is late finds that the pull request went on.
			code, _, problems = c.say("main..change~1")
			require.Zero(t, code)
			require.Contains(t, problems, "nothing was posted")
			require.Contains(t, c.forge.Comments(1)[0].Body, "+three")
		})
	}
}

// Fingerprints are others each time, and that is no reason to write. A controller that
// posts by the same account has its own comment, whoever comes first.
func TestCommentIsLeftAlone(t *testing.T) {
	for name, jobFirst := range map[string]bool{"job first": true, "controller first": false} {
		t.Run(name, func(t *testing.T) {
			c := newCommented(t, "gitea", giteatest.New, "")
			c.commit(map[string]string{"Cfg/a/a": "password = CANARY-s3cret-word\nother = 1\n"})
			c.git("push", "-q", c.forge.RepoDir(), "change")
			_, err := c.forge.EditPull(t.Context(), 1, forgetest.Edit{State: new("open")})
			require.NoError(t, err)
			forge, err := gitea.New(gitea.Config{URL: c.flags[3], Repo: "acme/site", Token: jobToken})
			require.NoError(t, err)
			seq := int64(0)
			controller := func(body string) webhooks.Outcome {
				seq++
				posted, err := forge.Post(t.Context(), webhooks.Post{Number: 1, Body: body, Marker: webhooks.Marker{Head: "a", Base: "b", Seq: seq, Digest: "c"}})
				require.NoError(t, err)
				return posted.Outcome
			}
			if !jobFirst {
				require.Equal(t, webhooks.Created, controller("of the controller"))
			}
			code, first, problems := c.say("main..change")
			require.Zero(t, code, problems)
			require.Contains(t, problems, "comment created")
			require.Contains(t, first, "‹secret ")
			if jobFirst {
				require.Equal(t, webhooks.Created, controller("of the controller"))
			}
			before, edits := c.forge.Comments(1), c.forge.Calls("PATCH", "/comments/")
			require.Len(t, before, 2)

			code, second, problems := c.say("main..change")
			require.Zero(t, code, problems)
			require.Contains(t, problems, "comment unchanged")
			require.NotEqual(t, first, second, "the key is new")
			require.Equal(t, before, c.forge.Comments(1))
			require.Equal(t, webhooks.Unchanged, controller("of the controller"))
			require.Equal(t, edits, c.forge.Calls("PATCH", "/comments/"))

			require.Equal(t, webhooks.Edited, controller("something newer"))
			c.commit(map[string]string{"Cfg/a/a": "password = CANARY-s3cret-word\nother = 2\n"})
			c.git("push", "-q", c.forge.RepoDir(), "change")
			code, _, problems = c.say("main..change")
			require.Zero(t, code, problems)
			require.Contains(t, problems, "comment edited")
			var all string
			for _, one := range c.forge.Comments(1) {
				all += one.Body
			}
			require.Equal(t, 1, strings.Count(all, "something newer"))
			require.Equal(t, 1, strings.Count(all, "+other = 2"))
			require.NotContains(t, all, "CANARY")
		})
	}
}

// A change that does not build fails the job, and says so to everybody.
func TestCommentOnWhatDoesNotBuild(t *testing.T) {
	c := newCommented(t, "gitea", giteatest.New, "")
	c.commit(map[string]string{"Bundler/a.xml": "<Bundle"})
	c.git("push", "-q", c.forge.RepoDir(), "change")
	_, err := c.forge.EditPull(t.Context(), 1, forgetest.Edit{State: new("closed")})
	require.NoError(t, err)
	_, err = c.forge.EditPull(t.Context(), 1, forgetest.Edit{State: new("open")})
	require.NoError(t, err)
	code, _, problems := c.say("main..change")
	require.Equal(t, exitFindings, code, problems)
	require.Contains(t, c.forge.Comments(1)[0].Body, "Bundler/a.xml")
}

// A job of a fork has a token that only reads; it has shown the report all the same.
func TestCommentMayBeForbidden(t *testing.T) {
	c := newCommented(t, "github", githubtest.New, githubtest.APIPath)
	_, err := c.forge.OpenPull(t.Context(), forgetest.Pull{Title: "Count", Head: "change", BaseRef: "main", Author: ann, Fork: true})
	require.NoError(t, err)
	c.forge.Inject(forgetest.Fault{Match: []string{"POST", "/comments"}, Times: 9, Code: http.StatusForbidden})
	code, out, problems := c.say("main..change", "--pull", "2")
	require.Equal(t, exitUnavailable, code)
	require.Contains(t, out, "+two")
	require.Contains(t, problems, "in a fork")
}

func TestCommentRefusesWhatCannotWork(t *testing.T) {
	t.Setenv("BINDERY_GITHUB_TOKEN", "x")
	t.Setenv("BINDERY_GITEA_TOKEN", "")
	t.Setenv("BINDERY_GOGS_TOKEN", "x")
	t.Setenv("BINDERY_GITLAB_TOKEN", "x")
	for want, args := range map[string][]string{
		"BINDERY_GITEA_TOKEN": {"--forge", "gitea", "--repo", "a/b", "--pull", "1"},
		"not \"gogs\"":        {"--forge", "gogs", "--repo", "a/b", "--pull", "1"},
		"--account":           {"--forge", "gitlab", "--repo", "a/b", "--pull", "1", "--account", "x"},
		"number":              {"--forge", "github", "--repo", "a/b", "--pull", "0"},
		"owner/name":          {"--forge", "github", "--repo", "b", "--pull", "1"},
		"required":            {"--forge", "github"},
	} {
		var problems bytes.Buffer
		code := run(t.Context(), append([]string{"comment", "--git", ".", "a..b"}, args...), streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &problems})
		require.Equal(t, exitUsage, code)
		require.Contains(t, problems.String(), want)
	}
}
