// SPDX-License-Identifier: Apache-2.0

//go:build gitea

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/fixtures/site"
)

const (
	hookSecret = "0123456789abcdef-of-this-test"
	host       = "web1.example.org"
)

// world is a Gitea with a specification, a controller that only its deliveries wake,
// and one host with an agent.
type world struct {
	*testing.T
	forge         *forge
	dir           string
	bindery       string
	agent         string
	public, admin string
	alice         *clone
}

func newWorld(t *testing.T, dress ...func(t *testing.T, dir string)) *world {
	t.Helper()
	w := &world{
		T: t, forge: newForge(t, dress...), dir: t.TempDir(), bindery: program(t, "bindery"), agent: program(t, "bindery-agent"),
		public: freePort(t), admin: freePort(t),
	}
	w.forge.settle("http://"+w.public+"/webhooks/gitea", hookSecret)
	w.alice = w.forge.clone(alice, repo)
	w.alice.git("checkout", "-q", "-b", "main")
	unpack(t, site.Site(), w.alice.dir)
	w.alice.commit("", nil)
	w.alice.push("main")
	until(t, "the server has noticed the push", func() bool {
		var r struct{ Empty bool }
		w.forge.of("GET", "", nil, &r)
		return !r.Empty
	})
	w.forge.of("POST", "branch_protections", object{
		"rule_name": "main", "enable_status_check": true, "status_check_contexts": []string{"bindery/preview"}, "enable_push": true,
	}, nil)

	write(t, w.dir, "bot.token", w.forge.tokens[robot])
	write(t, w.dir, "hook.secret", hookSecret)
	ran(t, w.dir, w.bindery, "root", "init", "--dir", "offline", "--online", "keys", "--no-passphrase")
	write(t, w.dir, "controller.yaml", fmt.Sprintf(`listen: %s
admin_listen: %s
admin_url: https://bindery.example.org
state: state
keys: keys
repositories:
- name: %s
  url: "%s/%[3]s.git"
  token_file: bot.token
  poll: "@every 24h"
  gitea: {url: "%[4]s", token_file: bot.token, webhook_secret_files: [hook.secret]}
publish: {unreviewed: hold}
`, w.public, w.admin, repo, w.forge.url))
	alive := started(t, w.dir, "controller", w.bindery, "serve", "--config", "controller.yaml", "--log-level", "debug")
	until(t, "the controller answers", func() bool { require.True(t, alive(), "it ended"); return answers("http://" + w.public + "/healthz") })
	w.settled(w.alice.git("rev-parse", "HEAD"), "published")

	w.enrol(host, "web1")
	w.applied("web1/etc/motd", "This host is kept by its specification.")
	return w
}

// enrol gives a host its agent, below a root of its own.
func (w *world) enrol(name, root string) {
	w.Helper()
	accounts := "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\npostgres:x:110:110::/var/lib/postgresql:/bin/sh\n"
	for file, text := range map[string]string{
		"etc/passwd": accounts, "etc/group": "root:x:0:\nwww-data:x:33:\npostgres:x:110:\n", "etc/os-release": "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n",
	} {
		write(w.T, w.dir, root+"/"+file, text)
	}
	write(w.T, w.dir, root+".token", ran(w.T, w.dir, w.bindery, "hosts", "add", name, "--config", "controller.yaml"))
	ran(w.T, w.dir, w.agent, "enroll", "--url", "http://"+w.public, "--host", name, "--root", root, "--token-file", root+".token")
}

// settled waits until the controller has said what comes of a commit of main.
func (w *world) settled(commit, outcome string) (detail string) {
	w.Helper()
	var o struct {
		Repositories []struct{ Ref, Commit, Outcome, Detail string }
	}
	until(w.T, commit+" is "+outcome, func() bool {
		resp, err := http.Get("http://" + w.admin + "/api/v1/overview")
		if err != nil {
			return false
		}
		data, err := io.ReadAll(resp.Body)
		require.NoError(w, err)
		require.NoError(w, resp.Body.Close())
		require.NoError(w, json.Unmarshal(data, &o))
		for _, r := range o.Repositories {
			if r.Ref == "refs/heads/main" && r.Commit == commit && r.Outcome == outcome {
				detail = r.Detail
				return true
			}
		}
		return false
	})
	return detail
}

// applied runs the agent until a file of its host says something.
func (w *world) applied(file, part string) {
	w.Helper()
	root, _, _ := strings.Cut(file, "/")
	until(w.T, file+" says "+part, func() bool {
		// What has no driver below another root is a failed entry, which is told: 1.
		// Before the first release there is nothing to fetch: 3.
		_, code, problems := ended(w.T, w.dir, nil, w.agent, "run", "--once", "--root", root)
		require.Contains(w, []int{0, 1, 3}, code, problems)
		data, err := os.ReadFile(filepath.Join(w.dir, file))
		return err == nil && strings.Contains(string(data), part)
	})
}

// propose pushes files on a branch and opens a pull request.
func (w *world) propose(branch string, files map[string]string) (number int, head string) {
	w.Helper()
	head = w.alice.commit(branch, files)
	w.alice.push(branch)
	return w.open(alice, branch), head
}

func (w *world) open(who, head string) int {
	w.Helper()
	var p pull
	require.Equal(w, 201, w.forge.ask(who, "POST", "repos/"+repo+"/pulls", object{"title": "A change: " + head, "head": head, "base": "main"}, &p))
	return p.Number
}

func motd(text string) map[string]string { return map[string]string{"Cfg/etc/motd/motd": text + "\n"} }

// TestGitea is the story of changes, at a real Gitea.
func TestGitea(t *testing.T) {
	w := newWorld(t)
	// Each part goes on where the one before ended.
	for _, part := range []struct {
		name string
		do   func(*world)
	}{
		{"a change goes all the way", (*world).allTheWay},
		{"what is wrong cannot be merged", (*world).broken},
		{"the fake is like it", (*world).shapes},
		{"commands", (*world).commands},
		{"a fork", (*world).fork},
		{"behind its base", (*world).behind},
		{"closed", (*world).closed},
		{"from a job", (*world).job},
		{"without a review", (*world).direct},
	} {
		ok := t.Run(part.name, func(t *testing.T) {
			inner := *w
			inner.T, inner.forge.t, inner.alice.t = t, t, t
			part.do(&inner)
		})
		w.forge.t, w.alice.t = t, t
		require.True(t, ok)
	}
}

// allTheWay: push, pull request, comment; pushed again and by force, edited; deleted,
// posted anew; merged, published, applied.
func (w *world) allTheWay() {
	number, first := w.propose("greet", motd("Welcome."))
	c := w.forge.preview(number, "head="+first, "+Welcome.", "6 hosts")
	w.forge.check(first, "success")
	shown := w.forge.page(c.HTML)
	for _, part := range []string{"<summary>", "<th>What will happen</th>", "+Welcome."} {
		require.Contains(w, shown, part, "the server makes of it what it shall be")
	}

	second := w.alice.commit("", motd("Welcome back."))
	w.alice.push("greet")
	edited := w.forge.preview(number, "head="+second, "+Welcome back.")
	require.Equal(w, c.ID, edited.ID, "the same comment")
	w.forge.check(second, "success")

	third := w.alice.commit("greet", motd("Welcome again."))
	w.alice.push("greet")
	edited = w.forge.preview(number, "head="+third, "+Welcome again.")
	require.Equal(w, c.ID, edited.ID, "the same comment")
	w.forge.check(third, "success")

	w.forge.of("DELETE", fmt.Sprintf("issues/comments/%d", c.ID), nil, nil)
	fourth := w.alice.commit("", motd("Welcome at last."))
	w.alice.push("greet")
	anew := w.forge.preview(number, "head="+fourth, "+Welcome at last.")
	require.NotEqual(w, c.ID, anew.ID)
	w.forge.check(fourth, "success")

	merged := w.forge.merge(number, "squash")
	// What no review showed would be held: this is published because it is within what
	// was reviewed.
	require.NotContains(w, w.settled(merged, "published"), "unreviewed")
	w.applied("web1/etc/motd", "Welcome at last.")
}

func (w *world) broken() {
	number, head := w.propose("tidy", broken(w.T))
	w.forge.preview(number, "head="+head, site.BrokenFile)
	w.forge.check(head, "failure")
	require.Equal(w, 405, w.forge.ask(eve, "POST", fmt.Sprintf("repos/%s/pulls/%d/merge", repo, number), object{"Do": "merge"}, nil))
	w.forge.of("PATCH", fmt.Sprintf("pulls/%d", number), object{"state": "closed"}, nil)
}

func broken(t *testing.T) map[string]string {
	data, err := fs.ReadFile(site.Broken().Files, site.BrokenFile)
	require.NoError(t, err)
	return map[string]string{site.BrokenFile: string(data)}
}

func (w *world) commands() {
	number, head := w.propose("ask", motd("Ask me."))
	w.forge.preview(number, "head="+head)
	asked := w.forge.comment(alice, number, "/bindery diff "+host+" Path:/etc/motd")
	reply := w.forge.said(number, "<!-- bindery-reply:v1 ", "+Ask me.", fmt.Sprintf("seq=%d", asked.ID))
	until(w.T, "both reactions are there", func() bool { return len(w.forge.reactions(asked.ID)) == 2 })
	w.forge.check(head, "success")
	require.ElementsMatch(w, []string{"eyes", "+1"}, w.forge.reactions(asked.ID))

	// Who may only read gets no answer.
	nosy := w.forge.comment(eve, number, "/bindery show "+host)
	until(w.T, "a reader is refused", func() bool { return len(w.forge.reactions(nosy.ID)) > 0 })
	require.Equal(w, []string{"-1"}, w.forge.reactions(nosy.ID))

	// Nor has what was edited into a command; the next question edits the answer.
	later := w.forge.comment(alice, number, "Looks good.")
	until(w.T, "the second is over: the server tells no less", func() bool { return time.Now().Unix() > later.Created.Unix() })
	w.forge.of("PATCH", fmt.Sprintf("issues/comments/%d", later.ID), object{"body": "/bindery purge"}, nil)
	again := w.forge.comment(alice, number, "/bindery why "+host+" Path:/etc/motd")
	second := w.forge.said(number, "<!-- bindery-reply:v1 ", fmt.Sprintf("seq=%d", again.ID), "Cfg/etc/motd/motd")
	require.Equal(w, reply.ID, second.ID)
	require.Empty(w, w.forge.reactions(later.ID))

	merged := w.forge.merge(number, "merge")
	w.settled(merged, "published")
	w.applied("web1/etc/motd", "Ask me.")
}

// fork: what a stranger proposes is read, and built once somebody allows that commit.
func (w *world) fork() {
	require.Equal(w, 202, w.forge.ask(eve, "POST", "repos/"+repo+"/forks", object{"name": "fork"}, nil))
	theirs := w.forge.clone(eve, eve+"/fork")
	theirs.git("fetch", "-q", w.forge.url+"/"+repo+".git", "main")
	theirs.git("checkout", "-q", "-B", "strange", "FETCH_HEAD")
	head := theirs.commit("", motd("From a stranger."))
	theirs.push("strange")
	number := w.open(eve, eve+":strange")
	c := w.forge.preview(number, "head="+head, "read and not built")
	require.NotContains(w, c.Body, "+From a stranger.")
	w.forge.check(head, "pending")

	allow := w.forge.comment(alice, number, "/bindery preview "+head)
	built := w.forge.preview(number, "head="+head, "+From a stranger.")
	require.Equal(w, c.ID, built.ID)
	w.forge.check(head, "success")
	until(w.T, "the permission is answered", func() bool { return len(w.forge.reactions(allow.ID)) == 2 })
	w.forge.of("PATCH", fmt.Sprintf("pulls/%d", number), object{"state": "closed"}, nil)
}

// closed: a pull request that is closed keeps its comment and gets no other.
func (w *world) closed() {
	number, head := w.propose("stale", motd("Never mind."))
	c := w.forge.preview(number, "head="+head)
	w.forge.of("PATCH", fmt.Sprintf("pulls/%d", number), object{"state": "closed"}, nil)
	w.alice.commit("", motd("Really, never mind."))
	w.alice.push("stale")
	other, next := w.propose("fresh", motd("Do mind."))
	w.forge.preview(other, "head="+next)
	require.Equal(w, c.Body, w.forge.preview(number).Body)
	w.forge.of("PATCH", fmt.Sprintf("pulls/%d", other), object{"state": "closed"}, nil)
}

// direct: what nobody reviewed is held.
func (w *world) direct() {
	commit := w.alice.commit("main", motd("Nobody saw this."))
	w.alice.push("main")
	require.Contains(w, w.settled(commit, "held"), "Path:/etc/motd")
	w.applied("web1/etc/motd", "Late, but here.")
}

// job comments without a controller, from a checkout as CI has it.
func (w *world) job() {
	number, head := w.propose("ci", motd("From a job."))
	checkout := filepath.Join(w.dir, "checkout")
	say := func() string {
		require.NoError(w, os.RemoveAll(checkout))
		ran(w.T, w.dir, "git", "clone", "-q", w.forge.url+"/"+repo+".git", checkout)
		ran(w.T, checkout, "git", "fetch", "-q", "origin", fmt.Sprintf("refs/pull/%d/head", number))
		ran(w.T, checkout, "git", "merge", "-q", "--no-ff", "-m", "merged", "FETCH_HEAD")
		out, code, problems := ended(w.T, w.dir, []string{"BINDERY_GITEA_TOKEN=" + w.forge.tokens[jobs]}, w.bindery, "comment", "--git", checkout,
			"HEAD^1..HEAD", "--forge", "gitea", "--forge-url", w.forge.url, "--repo", repo, "--pull", fmt.Sprint(number))
		require.Zero(w, code, problems)
		require.NotContains(w, problems+out, w.forge.tokens[jobs])
		return problems
	}
	require.Contains(w, say(), "comment created "+w.forge.url)
	require.Contains(w, say(), "comment unchanged", "only fingerprints would change, which are made anew in each run")
	first := w.forge.comments(number, jobs)
	require.Len(w, first, 1)
	require.Contains(w, first[0].Body, "head="+head)

	head = w.alice.commit("", motd("From another job."))
	w.alice.push("ci")
	until(w.T, "the server knows the new head", func() bool {
		var p pull
		w.forge.of("GET", fmt.Sprintf("pulls/%d", number), nil, &p)
		return p.Head.SHA == head
	})
	require.Contains(w, say(), "comment edited")
	second := w.forge.comments(number, jobs)
	require.Len(w, second, 1)
	require.Equal(w, first[0].ID, second[0].ID)
	require.Contains(w, second[0].Body, "+From another job.")
	w.forge.of("PATCH", fmt.Sprintf("pulls/%d", number), object{"state": "closed"}, nil)
}

// page is a page of the forge as everybody sees it.
func (f *forge) page(url string) string {
	f.t.Helper()
	resp, err := http.Get(url)
	require.NoError(f.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(f.t, err)
	return string(data)
}

// behind: main went on since the branch was made.
func (w *world) behind() {
	number, head := w.propose("late", motd("Late, but here."))
	w.forge.preview(number, "head="+head)
	other, next := w.propose("early", map[string]string{"Cfg/etc/timezone/timezone": "Europe/Lisbon\n"})
	w.forge.preview(other, "head="+next)
	w.forge.check(next, "success")
	tip := w.forge.merge(other, "merge")
	w.settled(tip, "published")
	// Both changes are merged here, as the server makes no merge to look at.
	c := w.forge.preview(number, "head="+head, "base="+tip, "+Late, but here.")
	require.NotContains(w, c.Body, "Europe/Lisbon", "what the base has is no change")
	w.forge.check(head, "success")
	merged := w.forge.merge(number, "merge")
	w.settled(merged, "published")
	w.applied("web1/etc/motd", "Late, but here.")
}
