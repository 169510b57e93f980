// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/fixtures/fleet"
	"github.com/bindery/bindery/webhooks/forgetest"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

const (
	pullRepo   = "bench/fleet"
	pullToken  = "bench-token-0123456789"
	pullSecret = "bench-hook-0123456789"
	// publishTime bounds how long the first publication of a fleet takes.
	publishTime = 10 * time.Minute
)

// forged is a forge with a fleet's repository and a controller that follows it, both
// in this process.
type forged struct {
	folder string
	forge  *githubtest.Server
	gate   *gate
	state  *store.Store
	stop   []func()
}

// gate passes deliveries on and remembers when the first came.
type gate struct {
	next http.Handler
	mu   sync.Mutex
	came time.Time
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	if g.came.IsZero() {
		g.came = time.Now()
	}
	g.mu.Unlock()
	g.next.ServeHTTP(w, r)
}

// first gives the time of the first delivery since it was asked last.
func (g *gate) first() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	came := g.came
	g.came = time.Time{}
	return came
}

// pull opens pull requests one after the other on a fleet, each a one-line change, and
// waits for each one's comment.
func pull(ctx context.Context, n int) (record, error) {
	f, err := fleet.New(withTemplates(n))
	if err != nil {
		return record{}, err
	}
	changes, err := lines(ctx, f)
	if err != nil {
		return record{}, err
	}
	s, err := newForged(ctx, f)
	if err != nil {
		return record{}, err
	}
	defer s.close()
	var r record
	for _, c := range changes {
		if err := s.calm(ctx); err != nil {
			return record{}, err
		}
		debug.FreeOSMemory()
		before := cpuTime()
		took, err := s.propose(ctx, c)
		if err != nil {
			return record{}, fmt.Errorf("%s: %w", c.what, err)
		}
		r.Wall, r.CPU = r.Wall+took, r.CPU+cpuTime()-before
		r.Figures = append(r.Figures, figure{c.what, 1000 * took, "ms"})
	}
	return r, s.calm(ctx)
}

func newForged(ctx context.Context, f *fleet.Fleet) (s *forged, err error) {
	s = &forged{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.folder, err = os.MkdirTemp("", "bench-*"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	if s.forge, err = githubtest.New(ctx, githubtest.Config{
		Dir: filepath.Join(s.folder, "forge"), Repo: pullRepo, Users: map[string]githubtest.User{pullToken: {ID: 1, Login: "bindery"}},
	}); err != nil {
		return nil, err
	}
	if err := s.first(ctx, f); err != nil {
		return nil, err
	}
	server := httptest.NewServer(s.forge)
	s.stop = append(s.stop, server.Close)
	if _, err := keys.Init(keys.Ceremony{Offline: filepath.Join(s.folder, "offline"), Online: filepath.Join(s.folder, "keys"), Expires: time.Now().AddDate(1, 0, 0)}); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"token": pullToken, "secret": pullSecret,
		"controller.yaml": fmt.Sprintf("listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\nstate: state\nkeys: keys\n"+
			"repositories:\n- {name: %s, url: %q, token_file: token, poll: \"@every 24h\", github: {api: %q, token_file: token, webhook_secret_files: [secret]}}\n", pullRepo, server.URL+s.forge.ClonePath(), server.URL+"/api/v3/"),
	} {
		if err := os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("write settings: %w", err)
		}
	}
	if err := s.enrol(ctx, f.Hosts); err != nil {
		return nil, err
	}
	return s, s.serve(ctx)
}

// first commits the fleet to the forge's main branch.
func (s *forged) first(ctx context.Context, f *fleet.Fleet) error {
	work := filepath.Join(s.folder, "work")
	if err := f.Tree.Write(work); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", "."},
		{"add", "-A"},
		{"commit", "-qm", "bench"},
		{"push", "-q", s.forge.RepoDir(), "main"},
	} {
		if err := s.git(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *forged) git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = filepath.Join(s.folder, "work")
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@example.test",
		"GIT_COMMITTER_NAME=bench", "GIT_COMMITTER_EMAIL=bench@example.test")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// enrol writes down every host, each with answers to probes that nobody asks.
func (s *forged) enrol(ctx context.Context, hosts []string) (err error) {
	state := filepath.Join(s.folder, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return fmt.Errorf("enrol hosts: %w", err)
	}
	if s.state, err = store.New(ctx, store.Config{Path: filepath.Join(state, "bindery.db")}); err != nil {
		return err
	}
	s.stop = append(s.stop, func() { _ = s.state.Close() })
	known, err := enrolled(len(hosts))
	if err != nil {
		return err
	}
	for i, h := range known {
		token := store.Token{ID: h.ID, Host: hosts[i], Environment: "main", Verifier: []byte("bench"), Expires: time.Now().Add(time.Hour)}
		if err := s.state.AddToken(ctx, token); err != nil {
			return err
		}
		row := store.Host{ID: h.ID, Name: hosts[i], Identity: []byte(h.ID), Recipient: h.Recipient}
		if err := s.state.Enrol(ctx, token.ID, row); err != nil {
			return err
		}
		if _, err := s.state.PutFacts(ctx, store.Facts{HostID: h.ID, Counter: 1, ProbeDigest: "bench", Answers: map[string]string{}}); err != nil {
			return err
		}
	}
	return nil
}

// serve starts the controller and waits until its hosts are published.
func (s *forged) serve(ctx context.Context) error {
	settings, err := controller.LoadSettings(filepath.Join(s.folder, "controller.yaml"))
	if err != nil {
		return err
	}
	secrets, err := settings.LoadSecrets(func(string) string { return "" })
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ct, err := controller.New(ctx, controller.Config{Settings: settings, Secrets: secrets, Version: "bench", Logger: log})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	s.stop = append(s.stop, func() { cancel(); <-done; ct.Close() })
	public, _ := ct.Addresses()
	s.gate = &gate{next: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: public})}
	server := httptest.NewServer(s.gate)
	s.stop = append(s.stop, server.Close)
	s.forge.SetHook(server.URL+"/webhooks/github", []byte(pullSecret))
	go func() { done <- ct.Run(ctx) }()
	return until(ctx, publishTime, func() (bool, error) {
		ref, err := s.state.Ref(ctx, pullRepo, "refs/heads/main")
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err == nil && ref.Outcome != "published" {
			err = fmt.Errorf("the branch is %s: %s", ref.Outcome, ref.Detail)
		}
		return err == nil, err
	})
}

// calm waits until the controller has nothing left to do.
func (s *forged) calm(ctx context.Context) error {
	calls, since := -1, time.Now()
	return until(ctx, publishTime, func() (bool, error) {
		if now := s.forge.Calls(""); now != calls {
			calls, since = now, time.Now()
		}
		return time.Since(since) > time.Second, nil
	})
}

// propose opens a pull request and gives the seconds from its delivery to the comment.
func (s *forged) propose(ctx context.Context, c line) (float64, error) {
	branch := strings.ReplaceAll(c.what, " ", "-")
	if err := s.git(ctx, "checkout", "-q", "-B", branch, "main"); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(s.folder, "work", filepath.FromSlash(c.file)), c.data, 0o644); err != nil { //nolint:gosec // a sample
		return 0, fmt.Errorf("write change: %w", err)
	}
	for _, args := range [][]string{{"commit", "-qam", c.what}, {"push", "-q", s.forge.RepoDir(), branch}} {
		if err := s.git(ctx, args...); err != nil {
			return 0, err
		}
	}
	s.gate.first()
	p, err := s.forge.OpenPull(ctx, forgetest.Pull{Title: c.what, Head: branch, BaseRef: "main", Author: forgetest.User{ID: 1, Login: "bindery"}})
	if err != nil {
		return 0, err
	}
	var end time.Time
	if err := until(ctx, startTime, func() (bool, error) {
		end = time.Now()
		return len(s.forge.Comments(p.Number)) > 0, nil
	}); err != nil {
		return 0, err
	}
	return end.Sub(s.gate.first()).Seconds(), nil
}

func (s *forged) close() {
	for i := len(s.stop) - 1; i >= 0; i-- {
		s.stop[i]()
	}
	if s.folder != "" {
		_ = os.RemoveAll(s.folder)
	}
}

// until asks again and again, for that long.
func until(ctx context.Context, most time.Duration, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		if done, err := ok(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not come about in %s: %w", most, ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}
