// SPDX-License-Identifier: Apache-2.0

package githubtest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bindery/bindery/webhooks/forgetest"
)

// App is an App with one installation, and its check runs.
type App struct {
	ID, Installation int64
	// Slug is its name; it posts as "Slug[bot]", which is account Bot.
	Slug string
	Bot  User
	// Key is the public half of its key.
	Key *rsa.PublicKey

	mu   sync.Mutex
	runs []*Run
}

// Run is a check run.
type Run struct {
	ID                               int64
	Commit, Name, Status, Conclusion string
	Title, Summary, Text, URL        string
	Annotations                      []Annotation
}

// Annotation is a line that a check run points at.
type Annotation struct {
	Path    string `json:"path"`
	Line    int    `json:"start_line"`
	End     int    `json:"end_line"`
	Level   string `json:"annotation_level"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

// NewWithApp makes a forge where an App is installed.
func NewWithApp(ctx context.Context, c Config, a *App) (*Server, error) {
	s := skin()
	base := s.Routes
	s.Routes = func(srv *Server) map[string]forgetest.Handler {
		out := base(srv)
		repo := "repos/" + srv.Repo()
		out["GET "+repo+"/commits/{commit}/check-runs"] = a.list
		out["POST "+repo+"/check-runs"] = a.only(a.create)
		out["PATCH "+repo+"/check-runs/{id}"] = a.only(a.update)
		// A token of an installation is nobody's.
		asked := out["GET user"]
		out["GET user"] = func(r *http.Request, u User) (int, any, error) {
			if u == a.Bot {
				return 0, nil, &forgetest.Refusal{Code: http.StatusForbidden, Text: "Resource not accessible by integration"}
			}
			return asked(r, u)
		}
		return out
	}
	s.Open = func(srv *Server) map[string]forgetest.Handler {
		return map[string]forgetest.Handler{
			"GET app": a.signed(func(*http.Request, User) (int, any, error) {
				return http.StatusOK, object{"id": a.ID, "slug": a.Slug}, nil
			}),
			"POST app/installations/{id}/access_tokens": a.signed(func(r *http.Request, _ User) (int, any, error) {
				if r.PathValue("id") != strconv.FormatInt(a.Installation, 10) {
					return 0, nil, forgetest.ErrNotFound
				}
				token := "ghs_CANARY" + rand.Text()
				srv.Admit(token, a.Bot)
				return http.StatusCreated, object{"token": token, "expires_at": time.Now().Add(time.Hour).Format(time.RFC3339)}, nil
			}),
		}
	}
	return forgetest.New(ctx, c, s)
}

// Runs lists the check runs of a commit, oldest first.
func (a *App) Runs(commit string) (out []Run) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.runs {
		if r.Commit == commit {
			out = append(out, *r)
		}
	}
	return out
}

// signed answers those who come with a token that the App's key has signed.
func (a *App) signed(h forgetest.Handler) forgetest.Handler {
	return func(r *http.Request, u User) (int, any, error) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !a.verify(token) {
			return 0, nil, &forgetest.Refusal{Code: http.StatusUnauthorized, Text: "A JSON web token could not be decoded"}
		}
		return h(r, u)
	}
}

func (a *App) verify(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(a.Key, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var claims struct {
		Issuer  string  `json:"iss"`
		Expires float64 `json:"exp"`
		Issued  float64 `json:"iat"`
	}
	now := float64(time.Now().Unix())
	return json.Unmarshal(data, &claims) == nil && claims.Issuer == fmt.Sprint(a.ID) &&
		claims.Expires > now && claims.Expires-claims.Issued <= 600 && claims.Issued <= now
}

// only lets the App alone through: check runs are not for people.
func (a *App) only(h forgetest.Handler) forgetest.Handler {
	return func(r *http.Request, u User) (int, any, error) {
		if u != a.Bot {
			return 0, nil, &forgetest.Refusal{Code: http.StatusForbidden, Text: "You must authenticate via a GitHub App."}
		}
		return h(r, u)
	}
}

func (a *App) json(r *Run) object {
	return object{
		"id": r.ID, "name": r.Name, "head_sha": r.Commit, "status": r.Status, "conclusion": r.Conclusion, "details_url": r.URL,
		"output": object{"title": r.Title, "summary": r.Summary, "text": r.Text, "annotations_count": len(r.Annotations)}, "app": object{"id": a.ID, "slug": a.Slug},
	}
}

func (a *App) list(r *http.Request, _ User) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	latest := map[string]*Run{}
	for _, run := range a.runs {
		if run.Commit == r.PathValue("commit") && run.Name == r.URL.Query().Get("check_name") {
			latest[run.Name] = run
		}
	}
	list := []object{}
	for _, run := range latest {
		list = append(list, a.json(run))
	}
	return http.StatusOK, object{"total_count": len(list), "check_runs": list}, nil
}

// change is what a request says of a run.
type change struct {
	Name, Status, Conclusion string
	Commit                   string `json:"head_sha"`
	URL                      string `json:"details_url"`
	Output                   struct {
		Title, Summary, Text string
		Annotations          []Annotation
	}
}

func (in *change) to(r *Run) error {
	out := in.Output
	switch {
	case len(out.Annotations) > 50:
		return &forgetest.Refusal{Code: http.StatusUnprocessableEntity, Text: "No more than 50 annotations are allowed"}
	case in.Status == "completed" && in.Conclusion == "", out.Title == "" || out.Summary == "", len([]rune(out.Text)) > 65535:
		return &forgetest.Refusal{Code: http.StatusUnprocessableEntity, Text: "Invalid request: conclusion, title and summary are needed"}
	}
	for _, n := range out.Annotations {
		if n.Path == "" || n.Line < 1 || n.End < n.Line || n.Message == "" || !slices.Contains([]string{"notice", "warning", "failure"}, n.Level) {
			return &forgetest.Refusal{Code: http.StatusUnprocessableEntity, Text: "Invalid request: an annotation lacks something"}
		}
	}
	if in.Status != "" {
		r.Status, r.Conclusion, r.URL = in.Status, in.Conclusion, in.URL
	}
	r.Title, r.Summary, r.Text = out.Title, out.Summary, out.Text
	r.Annotations = append(r.Annotations, out.Annotations...)
	return nil
}

func (a *App) create(r *http.Request, _ User) (int, any, error) {
	var in change
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	run := &Run{ID: int64(len(a.runs) + 1), Commit: in.Commit, Name: in.Name, Status: "queued"}
	if err := in.to(run); err != nil {
		return 0, nil, err
	}
	a.runs = append(a.runs, run)
	return http.StatusCreated, a.json(run), nil
}

func (a *App) update(r *http.Request, _ User) (int, any, error) {
	var in change
	if err := forgetest.Decode(r, &in); err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.runs, func(run *Run) bool { return strconv.FormatInt(run.ID, 10) == r.PathValue("id") })
	if i < 0 {
		return 0, nil, forgetest.ErrNotFound
	}
	return http.StatusOK, a.json(a.runs[i]), in.to(a.runs[i])
}
