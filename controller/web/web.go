// SPDX-License-Identifier: Apache-2.0

// Package web shows people how the fleet is: pages made on the server, readable in
// light and in dark, that need no script; a review can be searched with one. Everything
// shown is escaped, and nothing is loaded from elsewhere. It must not know where its values come from, and it
// changes nothing.
package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/engine/review/page"
)

//go:embed page
var files embed.FS

// workTimeout is how long a page may take to make.
const workTimeout = 20 * time.Second

// policy lets a page load our style sheets and the script of reviews, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Status is what the pages show.
type Status interface {
	Overview(ctx context.Context, environment string) (*status.Overview, error)
	Hosts(ctx context.Context, environment string) ([]status.Host, error)
	Host(ctx context.Context, name string) (*status.Detail, error)
	Releases(ctx context.Context, environment string) ([]status.Commit, error)
}

// Journal is what the pages show of the controller's own work.
type Journal interface {
	Reviews(ctx context.Context, environment string, limit int, whole bool) ([]status.Review, error)
	Review(ctx context.Context, repo string, pull int) (*status.Review, error)
	Events(ctx context.Context, limit int) ([]status.Event, error)
}

// Config says what to show. A *status.Reader is Status as well as Journal.
type Config struct {
	Status  Status
	Journal Journal
	// Version of the program.
	Version string
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger. Nil: nothing is logged.
	Logger *slog.Logger
}

// Web is the handler of all pages. It is safe for concurrent use.
type Web struct {
	c     Config
	pages map[string]*template.Template
	style []byte
	// reports shows reviews as bindery diff does.
	reports *page.Pages
	mux     *http.ServeMux
}

// New makes the pages.
func New(c Config) (*Web, error) {
	if c.Status == nil || c.Journal == nil {
		return nil, errors.New("web: status and journal are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	w := &Web{c: c, pages: map[string]*template.Template{}, mux: http.NewServeMux()}
	for _, name := range []string{"front", "hosts", "host", "releases", "reviews", "review", "events", "problem"} {
		t, err := template.New("layout.html").Funcs(w.functions()).ParseFS(files, "page/layout.html", "page/parts.html", "page/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		w.pages[name] = t
	}
	var err error
	if w.style, err = files.ReadFile("page/style.css"); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if w.reports, err = page.New(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	w.mux.HandleFunc("GET /{$}", w.front)
	w.mux.HandleFunc("GET /hosts", w.hosts)
	w.mux.HandleFunc("GET /hosts/{name}", w.host)
	w.mux.HandleFunc("GET /releases", w.releases)
	w.mux.HandleFunc("GET /reviews", w.reviews)
	w.mux.HandleFunc("GET /reviews/{pull...}", w.review)
	w.mux.HandleFunc("GET /audit", w.events)
	w.mux.HandleFunc("GET /style.css", w.asset("text/css", w.style))
	w.mux.HandleFunc("GET /report.css", w.asset("text/css", []byte(w.reports.Style())))
	w.mux.HandleFunc("GET /report.js", w.asset("text/javascript", []byte(w.reports.Script())))
	w.mux.HandleFunc("GET /", func(out http.ResponseWriter, r *http.Request) {
		w.say(out, r, http.StatusNotFound, "There is no such page.")
	})
	return w, nil
}

// ServeHTTP implements http.Handler.
func (w *Web) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	h := out.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	ctx, cancel := context.WithTimeout(r.Context(), workTimeout)
	defer cancel()
	w.mux.ServeHTTP(out, r.WithContext(ctx))
}

// view is what every page gets.
type view struct {
	// Title names the page, Here its place in the navigation.
	Title, Here string
	Version     string
	Now         time.Time
	Data        any
}

// show makes the whole page before its first byte is sent.
func (w *Web) show(out http.ResponseWriter, r *http.Request, code int, page string, v view) {
	v.Version, v.Now = w.c.Version, w.c.Now()
	var b bytes.Buffer
	if err := w.pages[page].Execute(&b, v); err != nil {
		w.c.Logger.ErrorContext(r.Context(), "page cannot be made", "page", page, "err", err)
		http.Error(out, "internal error", http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	out.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	out.WriteHeader(code)
	_, _ = out.Write(b.Bytes()) // a reader that went away misses nothing
}

// say shows one sentence.
func (w *Web) say(out http.ResponseWriter, r *http.Request, code int, sentence string) {
	w.show(out, r, code, "problem", view{Title: http.StatusText(code), Data: sentence})
}

// fail tells that something cannot be shown. The log says why.
func (w *Web) fail(out http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, status.ErrNotFound) {
		w.say(out, r, http.StatusNotFound, "Nothing of this name is known here.")
		return
	}
	w.c.Logger.ErrorContext(r.Context(), "state cannot be read", "err", err)
	w.say(out, r, http.StatusServiceUnavailable, "The controller's state cannot be read now. Its log says why.")
}

// asset serves a file of ours.
func (w *Web) asset(kind string, data []byte) http.HandlerFunc {
	return func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", kind+"; charset=utf-8")
		out.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = out.Write(data) // as above
	}
}
