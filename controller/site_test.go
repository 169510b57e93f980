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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/webhooks/github/githubtest"
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
	forge  *githubtest.Server
	server *httptest.Server
	work   string // a person's clone
	root   *release.Root
	log    *syncBuffer

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

func newWorld(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), log: &syncBuffer{}}
	var err error
	w.forge, err = githubtest.New(t.Context(), githubtest.Config{
		Dir: filepath.Join(w.dir, "forge"), Repo: repo, HookSecret: []byte(hookSecret),
		Users: map[string]githubtest.User{botToken: {ID: 91234, Login: "bindery"}, personToken: {ID: 7, Login: "alice"}},
	})
	require.NoError(t, err)
	w.server = httptest.NewServer(w.forge)
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
repository: {name: %s, url: "%s%s", token_file: git.token, poll: "@every 24h"}
github: {api: "%s/api/v3/", token_file: git.token, webhook_secret_files: [hook.secret]}
`, repo, w.server.URL, w.forge.ClonePath(), w.server.URL))
	return w
}

func (w *world) write(name, text string) {
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600))
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
	settings, err := controller.LoadSettings(filepath.Join(w.dir, "controller.yaml"))
	require.NoError(w.t, err)
	secrets, err := settings.LoadSecrets(func(string) string { return "" })
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	w.ct, err = controller.New(ctx, controller.Config{
		Settings: settings, Secrets: secrets, Version: "test",
		Logger: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(w.t, err)
	public, _ := w.ct.Addresses()
	w.forge.SetHook("http://"+public+"/webhooks/github", []byte(hookSecret))
	w.cancel, w.done = cancel, make(chan error, 1)
	go func() { w.done <- w.ct.Run(ctx) }()
	w.t.Cleanup(w.stop)
}

func (w *world) stop() {
	if w.cancel == nil {
		return
	}
	w.cancel()
	<-w.done
	w.ct.Close()
	w.cancel = nil
}

// until waits for something that the controller will bring about.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	w.t.Fatalf("%s: it did not come about\n%s", what, w.log)
}

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
	data, err := json.Marshal(body)
	require.NoError(w.t, err)
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+"/api/v3"+path, bytes.NewReader(data))
	require.NoError(w.t, err)
	req.Header.Set("Authorization", "Bearer "+personToken)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	require.Less(w.t, resp.StatusCode, 300, "%s", text)
	var out map[string]any
	require.NoError(w.t, json.Unmarshal(text, &out))
	return out
}

// open opens a pull request of a branch and gives its number.
func (w *world) open(branch string) int {
	w.t.Helper()
	out := w.call(http.MethodPost, "/repos/"+repo+"/pulls", map[string]any{"title": "change", "head": branch, "base": "main"})
	return int(out["number"].(float64))
}

func (w *world) merge(number int) {
	w.t.Helper()
	w.call(http.MethodPut, fmt.Sprintf("/repos/%s/pulls/%d/merge", repo, number), map[string]any{})
}
