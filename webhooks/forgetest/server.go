// SPDX-License-Identifier: Apache-2.0

// Package forgetest is a forge that is real where it matters: git over HTTP from a
// bare repository on disk, pull requests with their refs, merges, comments, statuses,
// accounts and signed deliveries, with faults on request. What its HTTP API looks like
// is a Skin: packages beside each forge's own bring one. Tests and the demo run
// against it. It needs the git program, and it must not know the code that it tests.
package forgetest

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// keptCalls is how many requests Calls can count.
const keptCalls = 10_000

// User is an account.
type User struct {
	ID    int64
	Login string
	// Reader may read and comment, and no more.
	Reader bool
}

// Object is a piece of JSON.
type Object = map[string]any

// Handler answers a request of the API: with a code and what goes out as JSON. A []any
// is cut into pages.
type Handler func(r *http.Request, u User) (int, any, error)

// Skin is what one kind of forge looks like from outside.
type Skin struct {
	// APIPath is where the API begins.
	APIPath string
	// RefRoot is where pull requests have their refs, such as refs/pull/. MergeRefs
	// says that there is one of the merge too.
	RefRoot   string
	MergeRefs bool
	// PerPage is the parameter that says how long a page shall be.
	PerPage string
	// Routes are the API: patterns below APIPath, with a method.
	Routes func(s *Server) map[string]Handler
	// Open are routes that look after themselves who asks.
	Open func(s *Server) map[string]Handler
	// Headers are those of a delivery.
	Headers func(d Delivery, secret []byte) http.Header
	// Pushed, Changed and Said are the events of a push, of a pull request and of a new
	// comment.
	Pushed  func(s *Server, ref, before, after string) (event string, payload Object)
	Changed func(s *Server, p Pull, action string) (event string, payload Object)
	Said    func(s *Server, c Comment) (event string, payload Object)
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
	skin   Skin
	git    *repository
	client *http.Client
	mux    *http.ServeMux

	mu       sync.Mutex
	next     int64
	pulls    []*Pull
	comments []*Comment
	statuses []Status
	hookURL  string
	secret   []byte
	sent     []Delivery
	faults   []*Fault
	calls    []string
}

// New makes a forge and its repository.
func New(ctx context.Context, c Config, skin Skin) (*Server, error) {
	if len(c.Users) == 0 {
		return nil, errors.New("forgetest: no users")
	}
	if owner, name, ok := strings.Cut(c.Repo, "/"); !ok || owner == "" || name == "" {
		return nil, fmt.Errorf("forgetest: repository %q is not owner/name", c.Repo)
	}
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("forgetest: %w", err)
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
		c: c, skin: skin, git: repo, hookURL: c.HookURL, secret: c.HookSecret, next: 1000,
		client: &http.Client{Timeout: 10 * time.Second},
	}
	s.routes()
	return s, nil
}

// Repo is "owner/name".
func (s *Server) Repo() string { return s.c.Repo }

// ClonePath is the repository's path below the server's address.
func (s *Server) ClonePath() string { return "/" + s.c.Repo + ".git" }

// Root is the folder that the repository is in.
func (s *Server) Root() string { return s.git.root }

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

// user finds who asks; the API takes a token in one of two headers, git takes a
// password.
func (s *Server) user(r *http.Request) (User, bool) {
	_, token, basic := r.BasicAuth()
	if !basic {
		_, token, _ = strings.Cut(r.Header.Get("Authorization"), " ")
	}
	if token == "" {
		token = r.Header.Get("Private-Token")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for known, user := range s.c.Users {
		if subtle.ConstantTimeCompare([]byte(known), []byte(token)) == 1 {
			return user, true
		}
	}
	return User{}, false
}

// Admit gives an account another token.
func (s *Server) Admit(token string, u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.c.Users = maps.Clone(s.c.Users)
	s.c.Users[token] = u
}

// Known finds an account.
func (s *Server) Known(is func(User) bool) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.c.Users {
		if is(u) {
			return u, true
		}
	}
	return User{}, false
}

func (s *Server) routes() {
	s.mux = http.NewServeMux()
	add := func(routes map[string]Handler, wrap func(Handler) http.HandlerFunc) {
		for pattern, h := range routes {
			method, path, _ := strings.Cut(pattern, " ")
			s.mux.HandleFunc(strings.TrimSpace(method+" "+s.skin.APIPath+path), wrap(h))
		}
	}
	add(s.skin.Routes(s), s.api)
	if s.skin.Open != nil {
		add(s.skin.Open(s), func(h Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, h, User{}) }
		})
	}
	s.mux.HandleFunc(s.ClonePath()+"/", s.serveGit)
}

// api answers those whom it knows.
func (s *Server) api(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, ok := s.user(r)
		if !ok {
			writeJSON(w, http.StatusUnauthorized, Object{"message": "Bad credentials"})
			return
		}
		s.answer(w, r, h, user)
	}
}

// answer answers with what a handler gives.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, h Handler, user User) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	code, body, err := h(r, user)
	if refused, ok := errors.AsType[*Refusal](err); ok {
		code = refused.Code
	}
	if err != nil {
		s.c.Logger.Info("request refused", "method", r.Method, "path", r.URL.Path, "err", err)
		writeJSON(w, max(code, http.StatusBadRequest), Object{"message": err.Error()})
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

// Refusal is an error with the code that the API answers.
type Refusal struct {
	Code int
	Text string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Text }

func refuse(code int, text string) error { return &Refusal{code, text} }

// ErrNotFound is what is not there.
var ErrNotFound = refuse(http.StatusNotFound, "not found")

func writeJSON(w http.ResponseWriter, code int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(data)
}

// page cuts a list and says where the next page is, as all three do.
func (s *Server) page(w http.ResponseWriter, r *http.Request, list []any) []any {
	size, page := s.c.PageSize, 1
	if n, err := strconv.Atoi(r.URL.Query().Get(s.skin.PerPage)); err == nil && n > 0 {
		size = min(n, s.c.PageSize)
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		page = n
	}
	from, to := min((page-1)*size, len(list)), min(page*size, len(list))
	if to < len(list) {
		next := *r.URL
		query := next.Query()
		query.Set("page", strconv.Itoa(page+1))
		next.RawQuery = query.Encode()
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s>; rel="next"`, r.Host, next.RequestURI()))
		w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
	}
	return list[from:to]
}
