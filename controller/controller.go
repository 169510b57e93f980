// SPDX-License-Identifier: Apache-2.0

// Package controller is the long-running program: it follows specification
// repositories, previews their pull requests, publishes their branches, and hears the
// hosts. It is level-triggered and crash-only: a webhook only wakes it, and what is
// to be done follows from refs, open pull requests and the store. The commands and
// the tests run it in-process. It must not know agents.
package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/controller/blob/dir"
	"github.com/bindery/bindery/controller/events"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/metrics"
	"github.com/bindery/bindery/controller/publish"
	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/controller/web"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/internal/schedule"
	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
)

// Config is what a Controller is made from.
type Config struct {
	Settings *Settings
	Secrets  *Secrets
	Logger   *slog.Logger
	// Version is that of this program.
	Version string
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Controller is one running controller. Run may be called once.
type Controller struct {
	c            Config
	seams        seams
	store        *store.Store
	online       *keys.Online
	blobs        *dir.Dir
	publisher    *publish.Publisher
	repositories []*repository
	environments map[string]*pipeline // by name
	reader       *status.Reader
	metrics      *metrics.Metrics
	parsed       *engine.Cache // of all repositories
	budgets      map[limited]*webhooks.Budget
	sweep        *schedule.Loop
	public       net.Listener
	admin        net.Listener
	handlers     *api.API
	events       *events.Sender
	stop         []func() error
}

// New opens everything that a controller needs and listens, so that whatever is
// wrong with the settings shows before anything is done.
func New(ctx context.Context, c Config) (*Controller, error) { return open(ctx, c, seams{}) }

// seams are where tests come between the pipeline and what it writes to.
type seams struct {
	clock schedule.Clock
	http  transport.Config
	// building is called before a commit is built.
	building func(ctx context.Context, commit string) error
	blobs    func(blob.Blob) blob.Blob
	rows     func(rows) rows
}

func open(ctx context.Context, c Config, s seams) (*Controller, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	ct := &Controller{c: c, seams: s, parsed: engine.NewCache(engine.CacheSize), budgets: map[limited]*webhooks.Budget{}}
	for _, step := range []func(context.Context) error{ct.openState, ct.openPublisher, ct.openRepositories, ct.openSweep, ct.openServers} {
		if err := step(ctx); err != nil {
			ct.Close()
			return nil, err
		}
	}
	return ct, nil
}

// Close releases what New opened, in reverse. It may be called after Run too.
func (ct *Controller) Close() {
	for _, stop := range slices.Backward(ct.stop) {
		if err := stop(); err != nil && !errors.Is(err, net.ErrClosed) {
			ct.c.Logger.Warn("shutdown", "err", err)
		}
	}
	ct.stop = nil
}

// Addresses are where the controller listens: for agents and webhooks, and for
// administrators. Ports that the settings left open are filled in.
func (ct *Controller) Addresses() (public, admin string) {
	return ct.public.Addr().String(), ct.admin.Addr().String()
}

func (ct *Controller) openState(ctx context.Context) (err error) {
	s := ct.c.Settings
	if err := os.MkdirAll(s.State, 0o700); err != nil {
		return fmt.Errorf("open state: %w", err)
	}
	if ct.store, err = store.New(ctx, store.Config{Path: s.Database(), Now: ct.c.Now}); err != nil {
		return err
	}
	ct.stop = append(ct.stop, ct.store.Close)
	return nil
}

func (ct *Controller) openPublisher(ctx context.Context) error {
	s := ct.c.Settings
	var err error
	if ct.online, err = keys.Load(s.Keys); err != nil {
		return fmt.Errorf("load keys from %s: %w", s.Keys, err)
	}
	if ct.reader, err = status.New(status.Config{
		Fleet: ct.store, History: ct.store, Journal: ct.store, Environments: s.Environments(), Now: ct.c.Now,
	}); err != nil {
		return err
	}
	if ct.metrics, err = metrics.New(metrics.Config{Hosts: ct.reader.Count, Version: ct.c.Version, Now: ct.c.Now, Logger: ct.c.Logger}); err != nil {
		return err
	}
	ct.blobs, err = dir.New(dir.Config{Path: filepath.Join(s.State, "published")})
	if err != nil {
		return err
	}
	var blobs blob.Blob = ct.blobs
	if ct.seams.blobs != nil {
		blobs = ct.seams.blobs(blobs)
	}
	ct.publisher, err = publish.New(publish.Config{Store: blobs, Keys: ct.online, Engine: ct.c.Version, Now: ct.c.Now})
	if err != nil {
		return err
	}
	return ct.publisher.Roots(ctx)
}

func (ct *Controller) openRepositories(ctx context.Context) error {
	var kept rows = ct.store
	if ct.seams.rows != nil {
		kept = ct.seams.rows(kept)
	}
	ct.environments = map[string]*pipeline{}
	turns := newTurns()
	for i := range ct.c.Settings.Repositories {
		r, err := ct.openRepository(i)
		if err != nil {
			return fmt.Errorf("repository %s: %w", ct.c.Settings.Repositories[i].Name, err)
		}
		for _, e := range r.settings.Environments {
			p, err := ct.openEnvironment(r, e, kept, turns)
			if err != nil {
				return fmt.Errorf("environment %s: %w", e.Name, err)
			}
			r.environments = append(r.environments, p)
			ct.environments[e.Name] = p
		}
		ct.repositories = append(ct.repositories, r)
	}
	return ct.findStrays(ctx)
}

// findStrays tells of hosts whose environment the settings do not name. They keep what
// they have.
func (ct *Controller) findStrays(ctx context.Context) error {
	hosts, err := ct.store.Hosts(ctx)
	if err != nil {
		return err
	}
	strays := map[string]int{}
	for _, h := range hosts {
		if ct.environments[h.Environment] == nil {
			strays[h.Environment]++
		}
	}
	for name, n := range strays {
		ct.c.Logger.Warn("hosts are in an environment that the settings do not name; they keep their last release: name it, or move them", "environment", name, "hosts", n)
	}
	return nil
}

func (ct *Controller) openSweep(context.Context) error {
	sweep, err := schedule.Parse(ct.c.Settings.Publish.Sweep, "")
	if err != nil {
		return err
	}
	ct.sweep, err = schedule.New(schedule.Config{Name: "sweep", Schedule: sweep, AtStart: true, Timeout: time.Hour, Logger: ct.c.Logger})
	return err
}

func (ct *Controller) openServers(ctx context.Context) error {
	s := ct.c.Settings
	var err error
	if ct.events, err = ct.sender(); err != nil {
		return err
	}
	if ct.handlers, err = ct.api(); err != nil {
		return err
	}
	var lc net.ListenConfig
	if ct.public, err = lc.Listen(ctx, "tcp", s.Listen); err != nil {
		return err
	}
	ct.stop = append(ct.stop, ct.public.Close)
	if ct.admin, err = lc.Listen(ctx, "tcp", s.AdminListen); err != nil {
		return err
	}
	ct.stop = append(ct.stop, ct.admin.Close)
	return nil
}

func (ct *Controller) api() (*api.API, error) {
	s := ct.c.Settings
	secret, err := ct.online.Secret("enrolment challenge v1")
	if err != nil {
		return nil, err
	}
	hooks, err := ct.receivers()
	if err != nil {
		return nil, err
	}
	var names []string
	if u, err := url.Parse(s.AdminURL); err == nil && u.Hostname() != "" {
		names = append(names, u.Hostname())
	}
	pages, err := web.New(web.Config{Status: ct.reader, Journal: ct.reader, Version: ct.c.Version, Now: ct.c.Now, Logger: ct.c.Logger})
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		Enrolments: ct.store, Messages: ct.store, Files: ct.blobs, Probes: asks(ct.environments), Status: ct.reader,
		Roots: ct.online.Roots, Secret: secret, FactsAccepted: ct.wake, Enrolled: ct.wake, ReportAccepted: ct.tell, Ready: ct.store.Ready,
		Webhooks: hooks, Metrics: ct.metrics.Handler(), Web: pages, Counts: ct.metrics, AdminNames: names, Version: ct.c.Version, Now: ct.c.Now, Logger: ct.c.Logger,
	})
}

// wake makes the environment of a host look.
func (ct *Controller) wake(_ context.Context, h store.Host) {
	if p := ct.environments[h.Environment]; p != nil {
		p.pace.stir(false)
	}
}

// asks knows which probes hosts were asked, by environment.
type asks map[string]*pipeline

// ProbeNames gives the keys of the probes of a set, if it is the one that the host's
// environment published last.
func (a asks) ProbeNames(h store.Host, digest string) ([]string, bool) {
	if p := a[h.Environment]; p != nil {
		return p.ProbeNames(h.ID, digest)
	}
	return nil, false
}

// sweepOnce signs what ages again, and publishes anew what signing again cannot help.
func (ct *Controller) sweepOnce(ctx context.Context) error {
	hosts, err := ct.store.Hosts(ctx)
	if err != nil {
		return err
	}
	releases, err := ct.store.LatestReleases(ctx)
	if err != nil {
		return err
	}
	last, environments := make(map[string]int64, len(hosts)), make(map[string]*pipeline, len(hosts))
	for _, h := range hosts {
		last[h.ID], environments[h.ID] = releases[h.ID].Sequence, ct.environments[h.Environment]
	}
	swept, err := ct.publisher.Sweep(ctx, last)
	if err != nil {
		return err
	}
	for id, err := range swept.Failed {
		ct.c.Logger.Warn("timestamp not renewed", "host", id, "err", err)
	}
	for _, id := range swept.Ageing {
		if p := environments[id]; p != nil {
			p.doubt(id)
			p.pace.stir(false)
		}
	}
	if swept.Renewed > 0 {
		ct.c.Logger.Info("timestamps renewed", "hosts", swept.Renewed)
	}
	if len(swept.Failed) == 0 {
		ct.metrics.Of("").Succeeded("sweep")
	}
	return nil
}

// Run works until the context ends.
func (ct *Controller) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range ct.environments {
		group.Go(func() error { return p.loop.Run(ctx, p.reconcile) })
	}
	group.Go(func() error { return ct.sweep.Run(ctx, ct.sweepOnce) })
	group.Go(func() error { return ct.events.Run(ctx) })
	group.Go(func() error { return ct.serve(ctx, ct.public, ct.handlers.Public()) })
	group.Go(func() error { return ct.serve(ctx, ct.admin, ct.handlers.Admin()) })
	public, admin := ct.Addresses()
	ct.c.Logger.Info("serving", "agents", "http://"+public, "administrators", "http://"+admin, "environments", slices.Sorted(maps.Keys(ct.environments)))
	return group.Wait()
}

// serve answers until the context ends, then lets requests end.
func (ct *Controller) serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := api.Server(h, ct.c.Logger)
	ended := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() {
		defer close(ended)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if srv.Shutdown(end) != nil {
			_ = srv.Close() // what does not end in time is cut off
		}
	})
	err := srv.Serve(l)
	if !stopped() {
		<-ended
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}
