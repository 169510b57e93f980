// SPDX-License-Identifier: Apache-2.0

// Package api is what the controller says over HTTP: to agents (published files,
// enrolment, facts, reports) on one address, to programs (read-only JSON, its
// document at /openapi.json) on another. It verifies and keeps what hosts send; it
// must not know how configurations are made or when they are published.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

// Enrolments is what enrolment needs of the database.
type Enrolments interface {
	Token(ctx context.Context, id string) (store.Token, error)
	HostNamed(ctx context.Context, name string) (store.Host, error)
	// Enrol uses a token up and adds its host in one transaction.
	Enrol(ctx context.Context, tokenID string, h store.Host) error
	Audit(ctx context.Context, r store.Record) error
}

// Messages is what facts and reports need of the database.
type Messages interface {
	Host(ctx context.Context, id string) (store.Host, error)
	PutFacts(ctx context.Context, f store.Facts) (changed bool, err error)
	PutReport(ctx context.Context, r store.Report) error
}

// Files is where published files are read from.
type Files interface {
	Get(ctx context.Context, key string) (data []byte, etag string, err error)
}

// Probes knows which probe sets are published.
type Probes interface {
	// ProbeNames gives the names in a probe set that a release of the host holds.
	// Ok is false for any other set; the host is then told to poll and ask again.
	ProbeNames(h store.Host, digest string) (names []string, ok bool)
}

// Counts counts what came of messages. Results are few stable words.
type Counts interface {
	Enrolment(result string)
	Facts(result string)
	Report(result string)
}

// Config is what an API needs. A *store.Store is Enrolments as well as Messages.
type Config struct {
	Enrolments Enrolments
	Messages   Messages
	Files      Files
	Probes     Probes
	Status     *status.Reader
	// Roots are all roots, any order. A token pins one of them.
	Roots []*release.Root
	// Secret makes enrolment challenges: keys.Online.Secret("enrolment challenge v1").
	Secret []byte
	// FactsAccepted is called when a host's answers were stored, Enrolled when a host
	// was added; they wake the controller and must not block. Nil: nobody is told.
	FactsAccepted, Enrolled func(ctx context.Context, host store.Host)
	// ReportAccepted is called with what came of a host's run, and must not block. Nil:
	// nobody is told.
	ReportAccepted func(host store.Host, report *release.Report)
	// Ready tells whether the controller can do its work. It has a few seconds.
	Ready func(ctx context.Context) error
	// Webhooks answer POST /webhooks/NAME on the public side.
	Webhooks map[string]http.Handler
	// Metrics answers /metrics and Web every other page of the admin side. Nil: not
	// found.
	Metrics, Web http.Handler
	// AdminNames are the host names, besides localhost, that the admin side answers
	// to; IP addresses always work. Other names are refused, so that no page
	// elsewhere can have its own name point here and read.
	AdminNames []string
	// Version of the program, for the API's document.
	Version string
	// Counts may be nil.
	Counts Counts
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger. Nil: nothing is logged.
	Logger *slog.Logger
}

const (
	// bodyTimeout is how long a message may take to arrive.
	bodyTimeout = 30 * time.Second
	// workTimeout is how long an answer may take to make.
	workTimeout = 20 * time.Second
	// maxMessages is how many messages are held in memory at a time.
	maxMessages = 64
	// maxBundles is how many bundles are held in memory at a time.
	maxBundles = 64
	// maxBundlesOfHost is how many of these may be one host's.
	maxBundlesOfHost = 2
	// Enrolment is asked for by strangers: all of them share this rate.
	enrolRate, enrolBurst = 100, 200
)

// API answers requests. It is safe for concurrent use.
type API struct {
	c           Config
	bodyTimeout time.Duration
	enrolments  *rate.Limiter
	senders     senders
	messages    chan struct{}
	bundles     chan struct{}
	readers     *readers
	operations  *http.ServeMux
	document    huma.API
}

// New makes an API.
func New(c Config) (*API, error) { return newAPI(c, bodyTimeout) }

func newAPI(c Config, bodyTimeout time.Duration) (*API, error) {
	switch {
	case c.Enrolments == nil || c.Messages == nil || c.Files == nil || c.Probes == nil || c.Status == nil || c.Ready == nil:
		return nil, errors.New("api: enrolments, messages, files, probes, status and ready are needed")
	case len(c.Roots) == 0 || len(c.Secret) < 16:
		return nil, errors.New("api: roots and a secret are needed")
	}
	if c.ReportAccepted == nil {
		c.ReportAccepted = func(store.Host, *release.Report) {}
	}
	if c.FactsAccepted == nil {
		c.FactsAccepted = func(context.Context, store.Host) {}
	}
	if c.Enrolled == nil {
		c.Enrolled = func(context.Context, store.Host) {}
	}
	if c.Counts == nil {
		c.Counts = uncounted{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{
		c: c, bodyTimeout: bodyTimeout, enrolments: rate.NewLimiter(enrolRate, enrolBurst), senders: newSenders(),
		messages: make(chan struct{}, maxMessages), bundles: make(chan struct{}, maxBundles),
		readers: &readers{host: map[string]int{}},
	}
	a.describe()
	return a, nil
}

// uncounted counts nothing.
type uncounted struct{}

func (uncounted) Enrolment(string) {}
func (uncounted) Facts(string)     {}
func (uncounted) Report(string)    {}

// Public is the side that agents and forges reach.
func (a *API) Public() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /root/{name}", a.root)
	mux.HandleFunc("GET /h/{host}/{name}", a.hostFile)
	for _, path := range []string{pathEnrol, pathFacts, pathReports} {
		mux.Handle("POST "+path, a.bounded(a.operations))
	}
	for name, h := range a.c.Webhooks {
		mux.Handle("/webhooks/"+name, h)
	}
	return a.guard(mux)
}

// Admin is the side that people, programs and monitoring reach. Nobody signs in to
// it: it belongs on loopback, or behind a proxy that asks who is there.
func (a *API) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", a.ready)
	mux.Handle("GET /api/v1/", a.operations)
	mux.Handle("GET /openapi.json", a.operations)
	if a.c.Metrics != nil {
		mux.Handle("GET /metrics", a.c.Metrics)
	}
	if a.c.Web != nil {
		mux.Handle("GET /", a.c.Web)
	}
	return a.guard(a.named(mux))
}

// Server wraps a handler with the limits of a server: slow or idle connections and
// long headers. The caller listens, serves and shuts down.
func Server(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * bodyTimeout, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

func healthy(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok") }

func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := a.c.Ready(ctx); err != nil {
		a.c.Logger.WarnContext(ctx, "not ready", "err", err)
		text(w, http.StatusServiceUnavailable, "not ready: the log says why")
		return
	}
	text(w, http.StatusOK, "ready")
}
