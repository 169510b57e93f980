// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/internal/transport"
)

const hostName = "web1.example.org"

// site is a controller in a test: real enrolment, real signatures, a map for a
// store.
type site struct {
	t       *testing.T
	server  *httptest.Server
	root    *release.Root
	signers release.Signers
	secret  []byte

	mu       sync.Mutex
	blobs    map[string][]byte
	tokens   map[string]*release.TokenRecord
	hosts    map[string]release.PublicIdentity
	version  map[string]int64
	requests []string
	facts    []*release.Facts
	reports  []*release.Report
	alarms   int
	// onFacts, if set, is called for accepted facts.
	onFacts func(*release.Facts)
	// broken, if set, may answer a request in the site's place.
	broken func(http.ResponseWriter, *http.Request) bool
}

func newSigner(t *testing.T) (release.Signer, crypto.PublicKey) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	s, err := signature.LoadED25519Signer(key)
	require.NoError(t, err)
	return s, pub
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		t: t, secret: []byte("a secret of the controller"), blobs: map[string][]byte{}, tokens: map[string]*release.TokenRecord{},
		hosts: map[string]release.PublicIdentity{}, version: map[string]int64{},
	}
	role := func() (release.Signer, release.RoleKeys) {
		signer, pub := newSigner(t)
		return signer, release.RoleKeys{Keys: []crypto.PublicKey{pub}, Threshold: 1}
	}
	spec := release.RootSpec{Version: 1, Expires: time.Now().Add(365 * 24 * time.Hour)}
	var rootSigner release.Signer
	rootSigner, spec.Root = role()
	s.signers.Targets, spec.Targets = role()
	s.signers.Snapshot, spec.Snapshot = role()
	s.signers.Timestamp, spec.Timestamp = role()
	var err error
	s.root, err = release.NewRoot(spec, rootSigner)
	require.NoError(t, err)
	s.blobs[release.RootPath(1)] = s.root.Data
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.server.Close)
	return s
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if s.broken != nil && s.broken(w, r) {
		return
	}
	if r.Method == http.MethodPost {
		s.take(w, r)
		return
	}
	data, ok := s.blobs[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(data)
}

func (s *site) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, release.MaxReport))
	var answer []byte
	if err == nil {
		switch r.URL.Path {
		case "/api/v1/enroll":
			answer, err = s.enrol(body)
		case "/api/v1/facts":
			err = s.takeFacts(body)
		default:
			err = s.takeReport(body)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	_, _ = w.Write(answer)
}

func (s *site) enrol(body []byte) ([]byte, error) {
	req, err := release.ParseEnrolRequest(body)
	if err != nil {
		return nil, err
	}
	rec := s.tokens[req.TokenID]
	if rec == nil {
		return nil, release.ErrToken
	}
	if err := req.Authenticate(*rec, time.Now()); err != nil {
		s.alarms++
		return nil, err
	}
	if !req.Final() {
		return req.Challenge(*rec, s.secret)
	}
	if err := req.Opened(s.secret); err != nil {
		return nil, err
	}
	id, err := release.NewHostID()
	if err != nil {
		return nil, err
	}
	rec.UsedBy = req.Identity.Fingerprint()
	s.hosts[id] = req.Identity
	return req.Welcome(*rec, release.Welcome{HostID: id, Host: req.Host, Root: s.root.Data, Time: time.Now().Add(-150 * time.Hour)})
}

func (s *site) keyOf(hostID string) (ed25519.PublicKey, error) { return s.hosts[hostID].Signing, nil }

func (s *site) takeFacts(body []byte) error {
	f, err := release.OpenFacts(body, s.keyOf)
	if err != nil {
		return err
	}
	s.facts = append(s.facts, f)
	if s.onFacts != nil {
		s.onFacts(f)
	}
	return nil
}

func (s *site) takeReport(body []byte) error {
	r, err := release.OpenReport(body, s.keyOf)
	if err == nil {
		s.reports = append(s.reports, r)
	}
	return err
}

func (s *site) token(host string) release.Token {
	t, rec, err := release.MintToken(host, s.root, time.Now().Add(time.Hour))
	require.NoError(s.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[rec.ID] = &rec
	return t
}

// taken gives the requests since it was last called.
func (s *site) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.requests
	s.requests = nil
	return out
}

// published is what a test may vary about a release.
type published struct {
	entries []config.Entry
	bundles []*config.Bundle
	probes  []config.Probe
	mode    release.Mode
	waiting bool
	host    string
	version int64
	now     time.Time
}

// publish signs and stores a release. The caller must not hold the lock.
func (s *site) publish(hostID string, p published) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publishLocked(hostID, p)
}

func (s *site) publishLocked(hostID string, p published) {
	if p.host == "" {
		p.host = hostName
	}
	if p.mode == "" {
		p.mode = release.ModeApply
	}
	if p.now.IsZero() {
		p.now = time.Now()
	}
	if p.version == 0 {
		p.version = max(s.version[hostID]+1, p.now.Unix())
	}
	s.version[hostID] = p.version
	var cfg *config.Config
	if !p.waiting {
		if p.bundles == nil {
			p.bundles = []*config.Bundle{structure("Bundle", "base", p.entries...)}
		}
		cfg = &config.Config{Host: p.host, Revision: "c0ffee", Bundles: p.bundles}
	}
	b, err := release.NewBundle(release.Identified{
		Host: p.host, HostID: hostID, Commit: "c0ffee", Tree: "7ree", Engine: "test", Sequence: p.version,
	}, cfg, p.probes, release.Policy{Mode: p.mode})
	require.NoError(s.t, err)
	plain, err := release.Pack(b)
	require.NoError(s.t, err)
	sealed, err := release.Seal(plain, s.hosts[hostID].Recipient)
	require.NoError(s.t, err)
	docs, err := s.signers.Sign(release.Draft{
		HostID: hostID, Version: p.version, Sealed: sealed, Now: p.now,
		Custom: release.Custom{Format: release.Format, Commit: "c0ffee", Engine: "test", Created: p.now.UTC().Truncate(time.Second)},
	})
	require.NoError(s.t, err)
	s.blobs[release.HostPath(hostID, docs.BundleName)] = docs.Sealed
	s.blobs[release.HostPath(hostID, release.TargetsName(p.version))] = docs.Targets
	s.blobs[release.HostPath(hostID, release.SnapshotName(p.version))] = docs.Snapshot
	s.blobs[release.HostPath(hostID, release.TimestampName)] = docs.Timestamp
}

// structure makes a Bundle or Independent.
func structure(tag, name string, entries ...config.Entry) *config.Bundle {
	made := make([]*config.Entry, len(entries))
	for i := range entries {
		made[i] = config.NewEntry(entries[i])
	}
	return config.NewBundle(tag, []config.Attr{{Name: "name", Value: name}}, made)
}

// entry makes an entry of "name=value" words.
func entry(tag, text string, words ...string) config.Entry {
	e := config.Entry{Tag: tag, Text: text}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

func file(name, text string) config.Entry {
	return entry("Path", text, "type=file", "name="+name, "owner=root", "group=root", "mode=0644")
}

// node is an enrolled host in a test.
type node struct {
	*site
	agent  *agent.Agent
	dir    *state.Dir
	root   string
	hostID string
	log    *strings.Builder
	config agent.Config
}

func enrol(t *testing.T, s *site, dir string) *agent.Enrolment {
	t.Helper()
	d, err := state.Open(state.Config{Path: dir, Create: true})
	require.NoError(t, err)
	defer d.Close()
	e, err := agent.Enrol(t.Context(), agent.EnrolConfig{State: d, Client: s.client(), URL: s.server.URL, Host: hostName, Token: s.token(hostName)})
	require.NoError(t, err)
	return e
}

func (s *site) client() *http.Client {
	c, err := transport.Plain(transport.Config{MaxBytes: release.MaxSealed})
	require.NoError(s.t, err)
	return c
}

// newNode enrols a host with a root of its own.
func newNode(t *testing.T, s *site, change func(*agent.Config)) *node {
	t.Helper()
	root, dir := t.TempDir(), t.TempDir()+"/state"
	e := enrol(t, s, dir)
	n := &node{site: s, root: root, hostID: e.HostID, log: &strings.Builder{}}
	d, err := state.Open(state.Config{Path: dir})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	m, err := system.New(system.Config{Root: root})
	require.NoError(t, err)
	n.dir = d
	n.config = agent.Config{
		State: d, Machine: m, Client: s.client(), Version: "test", FactsWait: time.Second, Logger: slog.New(slog.NewTextHandler(n.log, nil)),
	}
	if change != nil {
		change(&n.config)
	}
	n.open()
	s.taken()
	return n
}

// open starts the agent anew, as after a restart.
func (n *node) open() {
	var err error
	n.agent, err = agent.New(n.config)
	require.NoError(n.t, err)
}

func (n *node) run(o agent.Options) *agent.Result {
	n.t.Helper()
	r, err := n.agent.Run(n.t.Context(), o)
	require.NoError(n.t, err)
	return r
}

// contextAfter ends when the given number of milliseconds is over.
func contextAfter(t *testing.T, ms int) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), time.Duration(ms)*time.Millisecond)
}
