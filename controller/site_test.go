// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
	"github.com/bindery/bindery/webhooks/gitea/giteatest"
	"github.com/bindery/bindery/webhooks/github/githubtest"
	"github.com/bindery/bindery/webhooks/gitlab/gitlabtest"
)

const (
	repo        = "example/site"
	botToken    = "bot-token-0123456789"
	personToken = "person-token-012345"
	hookSecret  = "0123456789abcdef-hook"
)

// world is a forge with a specification, and a controller that can be stopped and
// started.
type world struct {
	t      *testing.T
	dir    string
	kind   kind
	forge  *githubtest.Server
	server *httptest.Server
	work   string // a person's clone
	root   *release.Root
	log    *syncBuffer
	wire   *wire
	skew   atomic.Int64 // seconds that the controller's clock is ahead
	pings  int

	ct     *controller.Controller
	cancel context.CancelFunc
	done   chan error
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// basic is a small specification: two hosts, one probe on db1 alone.
var basic = map[string]string{
	"Metadata/clients.xml": `<Clients><Client name="web1" profile="web"/><Client name="db1" profile="db"/></Clients>` + "\n",
	"Metadata/groups.xml":  `<Groups><Group name="web" profile="true"><Bundle name="motd"/></Group><Group name="db" profile="true"><Bundle name="motd"/></Group></Groups>` + "\n",
	"Bundler/motd.xml":     `<Bundle name="motd"><Path name="/etc/motd"/><Group name="big"><Path name="/etc/big"/></Group></Bundle>` + "\n",
	"Cfg/etc/motd/motd":    "hello\n",
	"Cfg/etc/big/big":      "big\n",
	"Probes/size.H_db1":    "#!/bin/sh\necho group:big\n",
}

// kind is a kind of forge.
type kind struct {
	name     string
	fake     func(context.Context, forgetest.Config) (*forgetest.Server, error)
	settings string // of the forge; %s is its address
}

var (
	atGitHub = kind{"github", githubtest.New, `github: {api: "%s/api/v3/", token_file: git.token, webhook_secret_files: [hook.secret]}`}
	atGitLab = kind{"gitlab", gitlabtest.New, `gitlab: {url: "%s", token_file: git.token, webhook_secret_files: [hook.secret]}`}
	atGitea  = kind{"gitea", giteatest.New, `gitea: {url: "%s", token_file: git.token, webhook_secret_files: [hook.secret]}`}
)

// newWorld makes a world; extra goes to the end of controller.yaml.
func newWorld(t *testing.T, files map[string]string, extra ...string) *world {
	t.Helper()
	return newWorldAt(t, atGitHub, files, extra...)
}

func newWorldAt(t *testing.T, k kind, files map[string]string, extra ...string) *world {
	t.Helper()
	w := &world{t: t, kind: k, dir: t.TempDir(), log: &syncBuffer{}}
	var err error
	w.forge, err = k.fake(t.Context(), githubtest.Config{
		Dir: filepath.Join(w.dir, "forge"), Repo: repo, HookSecret: []byte(hookSecret),
		Users: map[string]githubtest.User{botToken: {ID: 91234, Login: "bindery"}, personToken: {ID: 7, Login: "alice"}},
	})
	require.NoError(t, err)
	w.wire = &wire{next: w.forge}
	w.server = httptest.NewServer(w.wire)
	t.Cleanup(w.server.Close)
	w.work = filepath.Join(w.dir, "work")
	w.git("init", "-q", "-b", "main", w.work)
	w.commit("start", files)
	w.push("main")

	w.root, err = keys.Init(keys.Ceremony{
		Offline: filepath.Join(w.dir, "offline"), Online: filepath.Join(w.dir, "keys"), Expires: time.Now().Add(365 * 24 * time.Hour),
	})
	require.NoError(t, err)
	w.write("git.token", botToken)
	w.write("hook.secret", hookSecret)
	w.write("controller.yaml", fmt.Sprintf(`listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
state: state
keys: keys
repositories:
- {name: %s, url: "%s%s", token_file: git.token, poll: "@every 24h", %s}
%s`, repo, w.server.URL, w.forge.ClonePath(), fmt.Sprintf(k.settings, w.server.URL), strings.Join(extra, "\n")))
	return w
}

// now is the controller's clock. Each start moves it, so that no release waits for
// the second after the last one.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.skew.Load()) * time.Second) }

func (w *world) write(name, text string) {
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600))
}

// replaceSetting edits controller.yaml.
func (w *world) replaceSetting(old, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "controller.yaml")
	data, err := os.ReadFile(path)
	require.NoError(w.t, err)
	require.Contains(w.t, string(data), old)
	require.NoError(w.t, os.WriteFile(path, []byte(strings.Replace(string(data), old, text, 1)), 0o600))
}

func (w *world) git(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	if args[0] != "init" {
		cmd.Dir = w.work
	}
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.test",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.test", "GIT_TERMINAL_PROMPT=0")
	out, err := cmd.CombinedOutput()
	require.NoError(w.t, err, "git %s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

// commit writes files ("" removes one) and commits them.
func (w *world) commit(msg string, files map[string]string) string {
	w.t.Helper()
	for name, text := range files {
		path := filepath.Join(w.work, name)
		if text == "" {
			require.NoError(w.t, os.Remove(path))
			continue
		}
		require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(w.t, os.WriteFile(path, []byte(text), 0o644))
	}
	w.git("add", "-A")
	w.git("commit", "-qm", msg)
	return w.git("rev-parse", "HEAD")
}

func (w *world) push(branch string) {
	w.t.Helper()
	w.git("push", "-q", "-f", w.remote(), "HEAD:refs/heads/"+branch)
}

// remote is where a person pushes to.
func (w *world) remote() string {
	return strings.Replace(w.server.URL, "http://", "http://alice:"+personToken+"@", 1) + w.forge.ClonePath()
}

// start runs the controller until stop, or the end of the test.
func (w *world) start() {
	w.t.Helper()
	require.NoError(w.t, w.tryStart(controller.New))
}

type maker func(context.Context, controller.Config) (*controller.Controller, error)

func (w *world) tryStart(open maker) error {
	settings, err := controller.LoadSettings(filepath.Join(w.dir, "controller.yaml"))
	require.NoError(w.t, err)
	secrets, err := settings.LoadSecrets(func(string) string { return "" })
	require.NoError(w.t, err)
	w.skew.Add(60)
	ctx, cancel := context.WithCancel(context.Background())
	ct, err := open(ctx, controller.Config{
		Settings: settings, Secrets: secrets, Version: "test", Now: w.now,
		Logger: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		cancel()
		return err
	}
	w.ct = ct
	public, _ := ct.Addresses()
	w.forge.SetHook("http://"+public+"/webhooks/"+w.kind.name, []byte(hookSecret))
	w.cancel, w.done = cancel, make(chan error, 1)
	go func() { w.done <- ct.Run(ctx) }()
	w.t.Cleanup(w.stop)
	return nil
}

func (w *world) stop() {
	if w.cancel == nil {
		return
	}
	w.cancel()
	w.t.Log("the controller was stopped:", <-w.done)
	w.ct.Close()
	w.cancel = nil
}

// until waits for something that the controller will bring about by itself.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	w.wait(what, ok, func() {})
}

// untilWoken waits for something that the next polls will bring about.
func (w *world) untilWoken(what string, ok func() bool) {
	w.t.Helper()
	w.wait(what, ok, w.wake)
}

func (w *world) wait(what string, ok func() bool, poke func()) {
	w.t.Helper()
	for i := range 1800 { // a minute and a half: the budget of a forge is of a real minute
		if ok() {
			return
		}
		if i%10 == 0 {
			poke()
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.t.Fatalf("%s: it did not come about\n%s", what, w.log)
}

// wake makes the controller look, as its poll does.
func (w *world) wake() {
	w.pings++
	require.Less(w.t, w.deliver("push", fmt.Sprintf("ping-%d", w.pings), hookSecret, []byte(`{"repository":{"full_name":"example/site"},"project":{"path_with_namespace":"example/site"}}`)), 300)
}

// deliver sends a delivery to the public address and gives the answer's code.
func (w *world) deliver(event, id, secret string, body []byte) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url("/webhooks/"+w.kind.name), bytes.NewReader(body))
	require.NoError(w.t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, forge := range []string{"GitHub", "Gitea"} {
		req.Header.Set("X-"+forge+"-Event", event)
		req.Header.Set("X-"+forge+"-Delivery", id)
	}
	req.Header.Set("X-Gitlab-Event", strings.ReplaceAll(event, "push", "Push Hook"))
	req.Header.Set("X-Gitlab-Event-UUID", id)
	req.Header.Set("X-Gitlab-Token", secret)
	if secret != "" {
		req.Header.Set("X-Hub-Signature-256", githubtest.Sign([]byte(secret), body))
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	require.NoError(w.t, resp.Body.Close())
	return resp.StatusCode
}

// looks waits until the controller has looked at everything once more.
func (w *world) looks() {
	w.t.Helper()
	n := w.ended()
	w.wake()
	w.until("a look ends", func() bool { return w.ended() > n })
	w.wake()
	w.until("another look ends", func() bool { return w.ended() > n+1 })
}

// ended counts the looks that have ended, well or not.
func (w *world) ended() int { return strings.Count(w.log.String(), " job=reconcile dur=") }

func (w *world) url(path string) string {
	public, _ := w.ct.Addresses()
	return "http://" + public + path
}

func (w *world) database() *store.Store {
	w.t.Helper()
	st, err := store.New(w.t.Context(), store.Config{Path: filepath.Join(w.dir, "state", "bindery.db")})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { st.Close() })
	return st
}

// outcome is what came of a commit of the branch.
func (w *world) outcome(st *store.Store) store.Ref {
	ref, err := st.Ref(w.t.Context(), repo, "refs/heads/main")
	if err != nil {
		return store.Ref{}
	}
	return ref
}

// call asks the forge's API as a person.
func (w *world) call(method, path string, body any) map[string]any {
	w.t.Helper()
	return w.callAs(personToken, method, path, body)
}

func (w *world) callAs(token, method, path string, body any) map[string]any {
	w.t.Helper()
	data, err := json.Marshal(body)
	require.NoError(w.t, err)
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+"/api/v3"+path, bytes.NewReader(data))
	require.NoError(w.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	require.Less(w.t, resp.StatusCode, 300, "%s", text)
	var out map[string]any
	if len(text) == 0 {
		return nil
	}
	require.NoError(w.t, json.Unmarshal(text, &out))
	return out
}

// open opens a pull request of a branch and gives its number.
func (w *world) open(branch string, more ...string) int {
	w.t.Helper()
	p, err := w.forge.OpenPull(w.t.Context(), forgetest.Pull{
		Title: "change", Head: branch, BaseRef: "main", Author: forgetest.User{ID: 7, Login: "alice"},
		Draft: slices.Contains(more, "draft"), Fork: slices.Contains(more, "fork"),
	})
	require.NoError(w.t, err)
	return p.Number
}

// propose commits on a branch from main's tip and opens a pull request.
func (w *world) propose(branch string, files map[string]string, more ...string) (number int, head string) {
	w.t.Helper()
	w.git("checkout", "-q", "-B", branch, "main")
	head = w.commit(branch, files)
	w.push(branch)
	w.git("checkout", "-q", "main")
	return w.open(branch, more...), head
}

// direct commits on main without a pull request.
func (w *world) direct(msg string, files map[string]string) string {
	w.t.Helper()
	w.git("checkout", "-q", "main")
	id := w.commit(msg, files)
	w.push("main")
	return id
}

func (w *world) merge(number int, method string) {
	w.t.Helper()
	_, err := w.forge.MergePull(w.t.Context(), number, method, "", forgetest.User{ID: 7, Login: "alice"})
	require.NoError(w.t, err)
	w.git("checkout", "-q", "main")
	w.git("fetch", "-q", w.remote(), "main")
	w.git("reset", "-q", "--hard", "FETCH_HEAD")
}

// status is the newest of a commit.
func (w *world) status(commit string) githubtest.Status {
	if all := w.forge.Statuses(commit); len(all) > 0 {
		return all[0]
	}
	return githubtest.Status{}
}

// untilStatus waits for the state of a commit's check.
func (w *world) untilStatus(commit string, want webhooks.State) {
	w.t.Helper()
	w.untilWoken("the check of "+commit+" says "+string(want), func() bool { return w.status(commit).State == string(want) })
}

// untilSettled waits for what comes of main's tip.
func (w *world) untilSettled(st *store.Store, commit, outcome string) store.Ref {
	w.t.Helper()
	var ref store.Ref
	w.untilWoken(commit+" is "+outcome, func() bool {
		ref = w.outcome(st)
		return ref.Commit == commit && ref.Outcome == outcome
	})
	return ref
}

// comment is the one that a pull request has.
func (w *world) comment(number int) githubtest.Comment {
	w.t.Helper()
	all := w.forge.Comments(number)
	require.Len(w.t, all, 1)
	return all[0]
}

// trail is the audit trail as text.
func (w *world) trail(st *store.Store) string {
	w.t.Helper()
	all, err := st.AuditTrail(w.t.Context(), 1000)
	require.NoError(w.t, err)
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "%s %s: %s\n", r.Action, r.Subject, r.Detail)
	}
	return b.String()
}

func linesWith(text, part string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			out = append(out, line)
		}
	}
	return out
}
