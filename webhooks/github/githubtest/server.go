// SPDX-License-Identifier: Apache-2.0

// Package githubtest is a forge that is real where it matters: GitHub's HTTP API
// as far as we use it, git over HTTP from a bare repository on disk, merge refs,
// merges and signed deliveries, with faults on request. Tests and the demo run
// against it. It needs the git program, and it must not know the code that it
// tests.
package githubtest

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// APIPath is where the API begins, as on GitHub's own servers for companies.
const APIPath = "/api/v3/"

// keptCalls is how many requests Calls can count.
const keptCalls = 10_000

// User is an account.
type User struct {
	ID    int64
	Login string
}

// Config says what the forge offers.
type Config struct {
	// Dir holds the bare repository; it is made if absent.
	Dir string
	// Repo is "owner/name".
	Repo string
	// Users are the accounts by their tokens. At least one.
	Users map[string]User
	// HookURL gets deliveries, signed with HookSecret. "": none are sent; SetHook
	// changes it.
	HookURL    string
	HookSecret []byte
	// PageSize caps what a page of a list holds, whatever is asked. Zero: 100.
	PageSize int
	// Logger gets what happens. Nil: none.
	Logger *slog.Logger
}

// Server is the forge. It implements http.Handler and is safe for concurrent use.
type Server struct {
	c      Config
	git    *repository
	client *http.Client
	mux    *http.ServeMux

	mu       sync.Mutex
	next     int64
	pulls    []*pull
	comments []*comment
	statuses []*status
	hookURL  string
	secret   []byte
	sent     []Delivery
	faults   []*Fault
	calls    []string
}

// New makes a forge and its repository.
func New(ctx context.Context, c Config) (*Server, error) {
	if len(c.Users) == 0 {
		return nil, errors.New("githubtest: no users")
	}
	if owner, name, ok := strings.Cut(c.Repo, "/"); !ok || owner == "" || name == "" {
		return nil, fmt.Errorf("githubtest: repository %q is not owner/name", c.Repo)
	}
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("githubtest: %w", err)
	}
	if c.PageSize == 0 {
		c.PageSize = 100
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	repo, err := newRepository(ctx, program, c.Dir, c.Repo)
	if err != nil {
		return nil, err
	}
	s := &Server{
		c: c, git: repo, hookURL: c.HookURL, secret: c.HookSecret, next: 1000,
		client: &http.Client{Timeout: 10 * time.Second},
	}
	s.routes()
	return s, nil
}

// ClonePath is the repository's path below the server's address.
func (s *Server) ClonePath() string { return "/" + s.c.Repo + ".git" }

// RepoDir is the bare repository on disk.
func (s *Server) RepoDir() string { return s.git.dir }

// SetHook says where deliveries go from now on.
func (s *Server) SetHook(url string, secret []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hookURL, s.secret = url, secret
}

// Calls counts the requests so far whose "METHOD /path" contains all parts.
func (s *Server) Calls(parts ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, call := range s.calls {
		if containsAll(call, parts) {
			n++
		}
	}
	return n
}

func containsAll(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + r.URL.Path
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.calls = s.calls[max(0, len(s.calls)-keptCalls):]
	fault := s.takeFault(call)
	s.mu.Unlock()
	if fault != nil {
		fault.serve(w, r, s.mux)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// user finds who asks; the API takes a bearer token, git takes a password.
func (s *Server) user(r *http.Request) (User, bool) {
	_, token, basic := r.BasicAuth()
	if !basic {
		_, token, _ = strings.Cut(r.Header.Get("Authorization"), " ")
	}
	for known, user := range s.c.Users {
		if subtle.ConstantTimeCompare([]byte(known), []byte(token)) == 1 {
			return user, true
		}
	}
	return User{}, false
}

type handler func(r *http.Request, u User) (int, any, error)

func (s *Server) routes() {
	s.mux = http.NewServeMux()
	repo := APIPath + "repos/" + s.c.Repo
	for pattern, h := range map[string]handler{
		"GET " + APIPath + "user":                    s.getUser,
		"GET " + repo + "/pulls":                     s.listPulls,
		"POST " + repo + "/pulls":                    s.openPull,
		"GET " + repo + "/pulls/{number}":            s.getPull,
		"PATCH " + repo + "/pulls/{number}":          s.editPull,
		"PUT " + repo + "/pulls/{number}/merge":      s.mergePull,
		repo + "/issues/{first}/{second}":            s.issues,
		"GET " + repo + "/commits/{commit}/statuses": s.listStatuses,
		"POST " + repo + "/statuses/{commit}":        s.addStatus,
	} {
		s.mux.HandleFunc(pattern, s.api(h))
	}
	s.mux.HandleFunc(s.ClonePath()+"/", s.serveGit)
}

// issues tells issues/7/comments from issues/comments/7, which the router cannot.
func (s *Server) issues(r *http.Request, u User) (int, any, error) {
	first, second := r.PathValue("first"), r.PathValue("second")
	which := r.Method + " one"
	if second == "comments" {
		which = r.Method + " all"
		r.SetPathValue("number", first)
	} else {
		r.SetPathValue("id", second)
	}
	h, ok := map[string]handler{
		"GET all": s.listComments, "POST all": s.addComment,
		"GET one": s.getComment, "PATCH one": s.editComment, "DELETE one": s.deleteComment,
	}[which]
	if !ok || first != "comments" && second != "comments" {
		return http.StatusNotFound, nil, errNotFound
	}
	return h(r, u)
}

// api answers with what a handler gives.
func (s *Server) api(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, ok := s.user(r)
		if !ok {
			writeJSON(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		code, body, err := h(r, user)
		if err != nil {
			s.c.Logger.Info("request refused", "method", r.Method, "path", r.URL.Path, "err", err)
			writeJSON(w, code, map[string]string{"message": err.Error()})
			return
		}
		if list, ok := body.([]any); ok {
			body = s.page(w, r, list)
		}
		if code == http.StatusNoContent {
			w.WriteHeader(code)
			return
		}
		writeJSON(w, code, body)
	}
}
