// SPDX-License-Identifier: Apache-2.0

// Package controller is the long-running program: it follows one specification
// repository, previews its pull requests, publishes its branch, and hears the
// hosts. It is level-triggered and crash-only: a webhook only wakes it, and what is
// to be done follows from refs, open pull requests and the store. The commands and
// the tests run it in-process. It must not know agents.
package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/metrics"
	"github.com/bindery/bindery/controller/publish"
	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/controller/web"
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
	c         Config
	seams     seams
	store     *store.Store
	mirror    *git.Mirror
	online    *keys.Online
	blobs     *dir.Dir
	publisher *publish.Publisher
	pipeline  *pipeline
	reader    *status.Reader
	metrics   *metrics.Metrics
	loop      *schedule.Loop
	sweep     *schedule.Loop
	public    net.Listener
	admin     net.Listener
	handlers  *api.API
	events    *events.Sender
	stop      []func() error
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
	ct := &Controller{c: c, seams: s}
	for _, step := range []func(context.Context) error{ct.openState, ct.openPipeline, ct.openLoops, ct.openServers} {
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
	ct.mirror, err = git.New(git.Config{
		URL: s.Repository.URL, Dir: filepath.Join(s.State, "mirror"), Username: s.Repository.Username,
		Token: ct.c.Secrets.gitToken, Tokens: ct.forgeToken, Logger: ct.c.Logger,
		SSHKey: ct.c.Secrets.gitKey, KnownHosts: s.Repository.KnownHostsFile,
	})
	if err != nil {
		return err
	}
	ct.stop = append(ct.stop, ct.mirror.Close)
	return nil
}

func (ct *Controller) openPipeline(ctx context.Context) error {
	s := ct.c.Settings
	var err error
	if ct.online, err = keys.Load(s.Keys); err != nil {
		return fmt.Errorf("load keys from %s: %w", s.Keys, err)
	}
	if ct.reader, err = status.New(status.Config{
		Fleet: ct.store, History: ct.store, Journal: ct.store, Repositories: []string{s.Repository.Name}, Now: ct.c.Now,
	}); err != nil {
		return err
	}
	if ct.metrics, err = metrics.New(metrics.Config{Hosts: ct.reader.Count, Version: ct.c.Version, Now: ct.c.Now, Logger: ct.c.Logger}); err != nil {
		return err
	}
	reviewKey, err := ct.online.Secret("review fingerprint v1")
	if err != nil {
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
	var kept rows = ct.store
	if ct.seams.rows != nil {
		kept = ct.seams.rows(kept)
	}
	ct.publisher, err = publish.New(publish.Config{Store: blobs, Keys: ct.online, Engine: ct.c.Version, Now: ct.c.Now})
	if err != nil {
		return err
	}
	if err := ct.publisher.Roots(ctx); err != nil {
		return err
	}
	forge, err := ct.forge()
	if err != nil {
		return err
	}
	ct.pipeline = &pipeline{
		repo: s.Repository.Name, branch: s.Repository.Branch, hold: s.Publish.Unreviewed == hold, adminURL: s.AdminURL,
		mirror: ct.mirror, store: kept, publisher: ct.publisher, forge: forge, key: reviewKey, secrets: ct.c.Secrets.encrypted,
		metrics: ct.metrics, log: ct.c.Logger, now: ct.c.Now, asked: map[string]asked{}, sure: map[string]int64{},
		merges: map[int]webhooks.Pull{}, heard: map[int]time.Time{}, pace: newPace(ct.seams.clock, func() { ct.loop.Wake() }),
		building: ct.seams.building,
	}
	ct.stop = append(ct.stop, ct.pipeline.pace.close)
	return nil
}

// mostJitter bounds how much later than its time a poll comes.
const mostJitter = 10 * time.Second

func (ct *Controller) openLoops(context.Context) error {
	poll, err := schedule.Parse(ct.c.Settings.Repository.Poll, "")
	if err != nil {
		return err
	}
	// Controllers that were started together do not all ask in the same second.
	jitter := min(poll.Interval(ct.c.Now())/10, mostJitter)
	ct.loop, err = schedule.New(schedule.Config{
		Name: "reconcile", Schedule: poll, AtStart: true, Timeout: time.Hour, Logger: ct.c.Logger,
		Jitter: jitter, Backoff: mostRest, Clock: ct.seams.clock,
	})
	if err != nil {
		return err
	}
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
	wake := func(context.Context, store.Host) { ct.pipeline.pace.stir(false) }
	pages, err := web.New(web.Config{Status: ct.reader, Journal: ct.reader, Version: ct.c.Version, Now: ct.c.Now, Logger: ct.c.Logger})
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		Enrolments: ct.store, Messages: ct.store, Files: ct.blobs, Probes: ct.pipeline, Status: ct.reader,
		Roots: ct.online.Roots, Secret: secret, FactsAccepted: wake, Enrolled: wake, ReportAccepted: ct.tell, Ready: ct.store.Ready,
		Webhooks: hooks, Metrics: ct.metrics.Handler(), Web: pages, Counts: ct.metrics, AdminNames: names, Version: ct.c.Version, Now: ct.c.Now, Logger: ct.c.Logger,
	})
}

// sweepOnce signs what ages again, and publishes anew what signing again cannot help.
func (ct *Controller) sweepOnce(ctx context.Context) error {
	f, err := ct.pipeline.fleet(ctx)
	if err != nil {
		return err
	}
	last := make(map[string]int64, len(f.hosts))
	for _, h := range f.hosts {
		last[h.ID] = f.releases[h.ID].Sequence
	}
	swept, err := ct.publisher.Sweep(ctx, last)
	if err != nil {
		return err
	}
	for id, err := range swept.Failed {
		ct.c.Logger.Warn("timestamp not renewed", "host", id, "err", err)
	}
	if len(swept.Ageing) > 0 {
		ct.pipeline.doubt(swept.Ageing)
		ct.pipeline.pace.stir(false)
	}
	if swept.Renewed > 0 {
		ct.c.Logger.Info("timestamps renewed", "hosts", swept.Renewed)
	}
	if len(swept.Failed) == 0 {
		ct.metrics.Succeeded("sweep")
	}
	return nil
}

// Run works until the context ends.
func (ct *Controller) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ct.loop.Run(ctx, ct.pipeline.reconcile) })
	group.Go(func() error { return ct.sweep.Run(ctx, ct.sweepOnce) })
	group.Go(func() error { return ct.events.Run(ctx) })
	group.Go(func() error { return ct.serve(ctx, ct.public, ct.handlers.Public()) })
	group.Go(func() error { return ct.serve(ctx, ct.admin, ct.handlers.Admin()) })
	public, admin := ct.Addresses()
	ct.c.Logger.Info("serving", "agents", "http://"+public, "administrators", "http://"+admin, "repo", ct.c.Settings.Repository.Name)
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
