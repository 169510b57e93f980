// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/controller/blob/dir"
	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

// site is a controller's HTTP side on real storage.
type site struct {
	store  *store.Store
	files  *dir.Dir
	root   *release.Root
	cfg    api.Config
	clock  *clock
	log    *buffer
	probes probes

	mu    sync.Mutex
	woken []string
}

// clock is set by tests and read by handlers.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) skip(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// buffer is a log that may be written by several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// probes are the published sets, by digest.
type probes map[string][]string

func (p probes) ProbeNames(_ store.Host, digest string) ([]string, bool) {
	names, ok := p[digest]
	return names, ok
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{clock: &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, log: &buffer{}}
	s.probes = probes{"set": {"os", "rack"}}
	var err error
	s.store, err = store.New(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "state.db"), Now: s.clock.now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.store.Close()) })
	s.files, err = dir.New(dir.Config{Path: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.files.Close()) })
	s.root = newRoot(t)
	reader, err := status.New(status.Config{
		Fleet: s.store, History: s.store, Journal: s.store, Environments: []status.Environment{{Name: "main", Repo: "o/r", Branch: "main"}}, Now: s.clock.now,
	})
	require.NoError(t, err)
	s.cfg = api.Config{
		Enrolments: s.store, Messages: s.store, Files: s.files, Probes: s.probes, Status: reader, Roots: []*release.Root{s.root},
		Secret: []byte("0123456789abcdef0123456789abcdef"), Ready: s.store.Ready, Now: s.clock.now, Version: "test",
		FactsAccepted: func(_ context.Context, h store.Host) { s.wake("facts " + h.Name) },
		Enrolled:      func(_ context.Context, h store.Host) { s.wake("enrolled " + h.Name) },
		Logger:        slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return s
}

func (s *site) wake(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken = append(s.woken, what)
}

func (s *site) wakes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.woken)
}

func newRoot(t testing.TB) *release.Root {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signer, err := signature.LoadED25519Signer(private)
	require.NoError(t, err)
	role := release.RoleKeys{Keys: []crypto.PublicKey{pub}, Threshold: 1}
	root, err := release.NewRoot(release.RootSpec{
		Version: 1, Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Root: role, Targets: role, Snapshot: role, Timestamp: role,
	}, signer)
	require.NoError(t, err)
	return root
}

// serve starts a side on a real connection.
func (s *site) serve(t testing.TB, side func(*api.API) http.Handler) *httptest.Server {
	t.Helper()
	a, err := api.New(s.cfg)
	require.NoError(t, err)
	return listen(t, side(a))
}

func listen(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.Server(h, slog.New(slog.DiscardHandler))
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// reply is an answer that was read.
type reply struct {
	code   int
	header http.Header
	body   string
}

func do(t testing.TB, method, url string, body []byte, header map[string]string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return reply{resp.StatusCode, resp.Header, string(data)}
}

func post(t testing.TB, url string, body []byte) reply {
	t.Helper()
	return do(t, http.MethodPost, url, body, nil)
}

func get(t testing.TB, url string) reply {
	t.Helper()
	return do(t, http.MethodGet, url, nil, nil)
}

// token makes a token and puts it into the database.
func (s *site) token(t testing.TB, host string, rebind bool) release.Token {
	t.Helper()
	token, row, err := api.MintToken(host, "main", s.root, rebind, s.clock.now().Add(release.TokenLife))
	require.NoError(t, err)
	require.NoError(t, s.store.AddToken(t.Context(), row))
	return token
}

func identity(t testing.TB) *release.Identity {
	t.Helper()
	id, err := release.NewIdentity()
	require.NoError(t, err)
	return id
}

// host is an enrolled host.
type host struct {
	name, id string
	identity *release.Identity
	counter  int64
}

// enrol goes through both steps.
func enrol(t testing.TB, url string, id *release.Identity, token release.Token, name string) (*release.Welcome, reply) {
	t.Helper()
	e := release.NewEnrolment(id, token, name)
	first, err := e.Request()
	require.NoError(t, err)
	r := post(t, url+"/api/v1/enroll", first)
	if r.code != http.StatusOK {
		return nil, r
	}
	second, err := e.Respond([]byte(r.body))
	require.NoError(t, err)
	r = post(t, url+"/api/v1/enroll", second)
	if r.code != http.StatusOK {
		return nil, r
	}
	w, err := e.Finish([]byte(r.body))
	require.NoError(t, err)
	return w, r
}

func (s *site) enrolled(t testing.TB, url, name string) *host {
	t.Helper()
	h := &host{name: name, identity: identity(t)}
	w, r := enrol(t, url, h.identity, s.token(t, name, true), name)
	require.NotNil(t, w, r.body)
	h.id = w.HostID
	return h
}

func (h *host) facts(t testing.TB, change func(*release.Facts)) []byte {
	t.Helper()
	h.counter++
	f := release.Facts{
		HostID: h.id, Host: h.name, Counter: h.counter, ProbeDigest: "set", Answers: map[string]string{"os": "debian\n", "rack": "7\n"},
	}
	if change != nil {
		change(&f)
	}
	data, err := h.identity.SignFacts(f)
	require.NoError(t, err)
	return data
}

func (h *host) report(t testing.TB, change func(*release.Report)) []byte {
	t.Helper()
	h.counter++
	r := release.Report{
		HostID: h.id, Host: h.name, Counter: h.counter, Sequence: 10, Commit: "c1", ConfigDigest: "d1", Mode: release.ModeApply,
		State: release.StateClean, Agent: "test", Total: 3, Good: 3,
	}
	if change != nil {
		change(&r)
	}
	data, err := h.identity.SignReport(r)
	require.NoError(t, err)
	return data
}

func (s *site) actions(t testing.TB) map[string]int {
	t.Helper()
	trail, err := s.store.AuditTrail(t.Context(), 100)
	require.NoError(t, err)
	out := map[string]int{}
	for _, r := range trail {
		out[r.Action]++
	}
	return out
}

func TestConfigIsChecked(t *testing.T) {
	s := newSite(t)
	for name, spoil := range map[string]func(*api.Config){
		"no enrolments": func(c *api.Config) { c.Enrolments = nil },
		"no messages":   func(c *api.Config) { c.Messages = nil },
		"no files":      func(c *api.Config) { c.Files = nil },
		"no probes":     func(c *api.Config) { c.Probes = nil },
		"no status":     func(c *api.Config) { c.Status = nil },
		"no roots":      func(c *api.Config) { c.Roots = nil },
		"short secret":  func(c *api.Config) { c.Secret = []byte("short") },
	} {
		c := s.cfg
		spoil(&c)
		_, err := api.New(c)
		require.Error(t, err, name)
	}
}
