// SPDX-License-Identifier: Apache-2.0

// Package agenttest is a controller for the tests of agents: real enrolment, real
// signatures, a map for a store, and a way to break any answer. It must not know
// the controller.
package agenttest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/internal/transport"
)

// HostName is the one host that tests are about.
const HostName = "web1.example.org"

// Site is a controller in a test. Its exported fields are guarded by Mu while its
// server may be asked.
type Site struct {
	t       *testing.T
	load    LoadSigner
	rootKey ed25519.PrivateKey
	Server  *httptest.Server
	Root    *release.Root
	signers release.Signers
	secret  []byte

	Mu       sync.Mutex
	Blobs    map[string][]byte
	tokens   map[string]*release.TokenRecord
	Hosts    map[string]release.PublicIdentity
	Version  map[string]int64
	requests []string
	Facts    []*release.Facts
	Reports  []*release.Report
	Alarms   int
	// OnFacts, if set, is called for accepted facts.
	OnFacts func(*release.Facts)
	// Broken, if set, may answer a request in the site's place.
	Broken func(http.ResponseWriter, *http.Request) bool
}

// LoadSigner makes a signer of a key. Tests bring it, so that this package needs
// no library of keys.
type LoadSigner func(ed25519.PrivateKey) (release.Signer, error)

// New starts a site with fresh keys.
func New(t *testing.T, load LoadSigner) *Site {
	t.Helper()
	s := &Site{
		t: t, load: load, secret: []byte("a secret of the controller"), Blobs: map[string][]byte{}, tokens: map[string]*release.TokenRecord{},
		Hosts: map[string]release.PublicIdentity{}, Version: map[string]int64{},
	}
	s.renew(1)
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Server.Close)
	return s
}

// Rotate publishes the next root, which trusts fresh keys only.
func (s *Site) Rotate() {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.renew(s.Root.Version + 1)
}

// Extend publishes the next root, which trusts the same keys.
func (s *Site) Extend() {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	spec := release.RootSpec{Version: s.Root.Version + 1, Expires: time.Now().Add(365 * 24 * time.Hour)}
	rootSigner, err := s.load(s.rootKey)
	require.NoError(s.t, err)
	for _, r := range []struct {
		signer release.Signer
		into   *release.RoleKeys
	}{
		{rootSigner, &spec.Root}, {s.signers.Targets, &spec.Targets}, {s.signers.Snapshot, &spec.Snapshot}, {s.signers.Timestamp, &spec.Timestamp},
	} {
		pub, err := r.signer.PublicKey()
		require.NoError(s.t, err)
		*r.into = release.RoleKeys{Keys: []crypto.PublicKey{pub}, Threshold: 1}
	}
	s.Root, err = release.NewRoot(spec, rootSigner)
	require.NoError(s.t, err)
	s.Blobs[release.RootPath(s.Root.Version)] = s.Root.Data
}

// renew makes fresh online keys, and a root of the given version that trusts them.
func (s *Site) renew(version int64) {
	role := func(key ed25519.PrivateKey) (release.Signer, release.RoleKeys) {
		if key == nil {
			var err error
			_, key, err = ed25519.GenerateKey(nil)
			require.NoError(s.t, err)
		}
		signer, err := s.load(key)
		require.NoError(s.t, err)
		return signer, release.RoleKeys{Keys: []crypto.PublicKey{key.Public()}, Threshold: 1}
	}
	if s.rootKey == nil {
		var err error
		_, s.rootKey, err = ed25519.GenerateKey(nil)
		require.NoError(s.t, err)
	}
	spec := release.RootSpec{Version: version, Expires: time.Now().Add(365 * 24 * time.Hour)}
	var rootSigner release.Signer
	rootSigner, spec.Root = role(s.rootKey)
	s.signers.Targets, spec.Targets = role(nil)
	s.signers.Snapshot, spec.Snapshot = role(nil)
	s.signers.Timestamp, spec.Timestamp = role(nil)
	var err error
	s.Root, err = release.NewRoot(spec, rootSigner)
	require.NoError(s.t, err)
	s.Blobs[release.RootPath(version)] = s.Root.Data
}

func (s *Site) serve(w http.ResponseWriter, r *http.Request) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if s.Broken != nil && s.Broken(w, r) {
		return
	}
	if r.Method == http.MethodPost {
		s.take(w, r)
		return
	}
	data, ok := s.Blobs[strings.TrimPrefix(r.URL.Path, "/")]
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

func (s *Site) take(w http.ResponseWriter, r *http.Request) {
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

func (s *Site) enrol(body []byte) ([]byte, error) {
	req, err := release.ParseEnrolRequest(body)
	if err != nil {
		return nil, err
	}
	rec := s.tokens[req.TokenID]
	if rec == nil {
		return nil, release.ErrToken
	}
	if err := req.Authenticate(*rec, time.Now()); err != nil {
		s.Alarms++
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
	s.Hosts[id] = req.Identity
	return req.Welcome(*rec, release.Welcome{HostID: id, Host: req.Host, Root: s.Root.Data, Time: time.Now().Add(-150 * time.Hour)})
}

func (s *Site) keyOf(hostID string) (ed25519.PublicKey, error) { return s.Hosts[hostID].Signing, nil }

func (s *Site) takeFacts(body []byte) error {
	f, err := release.OpenFacts(body, s.keyOf)
	if err != nil {
		return err
	}
	s.Facts = append(s.Facts, f)
	if s.OnFacts != nil {
		s.OnFacts(f)
	}
	return nil
}

func (s *Site) takeReport(body []byte) error {
	r, err := release.OpenReport(body, s.keyOf)
	if err == nil {
		s.Reports = append(s.Reports, r)
	}
	return err
}

// Token makes a token for a host.
func (s *Site) Token(host string) release.Token {
	t, rec, err := release.MintToken(host, s.Root, time.Now().Add(time.Hour))
	require.NoError(s.t, err)
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.tokens[rec.ID] = &rec
	return t
}

// Taken gives the requests since it was last called.
func (s *Site) Taken() []string {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	out := s.requests
	s.requests = nil
	return out
}

// Release is what a test may vary about a release.
type Release struct {
	Entries []config.Entry
	Bundles []*config.Bundle
	Probes  []config.Probe
	Mode    release.Mode
	// Policy is all of the policy but its mode.
	Policy  release.Policy
	Waiting bool
	Host    string
	Version int64
	Now     time.Time
}

// Publish signs and stores a release. The caller must not hold the lock.
func (s *Site) Publish(hostID string, p Release) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.PublishLocked(hostID, p)
}

// PublishLocked is Publish for callers that hold Mu, such as OnFacts.
func (s *Site) PublishLocked(hostID string, p Release) {
	if p.Host == "" {
		p.Host = HostName
	}
	if p.Mode == "" {
		p.Mode = release.ModeApply
	}
	if p.Now.IsZero() {
		p.Now = time.Now()
	}
	if p.Version == 0 {
		p.Version = max(s.Version[hostID]+1, p.Now.Unix())
	}
	s.Version[hostID] = p.Version
	p.Policy.Mode = p.Mode
	var cfg *config.Config
	if !p.Waiting {
		if p.Bundles == nil {
			p.Bundles = []*config.Bundle{Structure("Bundle", "base", p.Entries...)}
		}
		cfg = &config.Config{Host: p.Host, Revision: "c0ffee", Bundles: p.Bundles}
	}
	b, err := release.NewBundle(release.Identified{
		Host: p.Host, HostID: hostID, Commit: "c0ffee", Tree: "7ree", Engine: "test", Sequence: p.Version,
	}, cfg, p.Probes, p.Policy)
	require.NoError(s.t, err)
	plain, err := release.Pack(b)
	require.NoError(s.t, err)
	sealed, err := release.Seal(plain, s.Hosts[hostID].Recipient)
	require.NoError(s.t, err)
	docs, err := s.signers.Sign(release.Draft{
		HostID: hostID, Version: p.Version, Sealed: sealed, Now: p.Now,
		Custom: release.Custom{Format: release.Format, Commit: "c0ffee", Engine: "test", Created: p.Now.UTC().Truncate(time.Second)},
	})
	require.NoError(s.t, err)
	s.Blobs[release.HostPath(hostID, docs.BundleName)] = docs.Sealed
	s.Blobs[release.HostPath(hostID, release.TargetsName(p.Version))] = docs.Targets
	s.Blobs[release.HostPath(hostID, release.SnapshotName(p.Version))] = docs.Snapshot
	s.Blobs[release.HostPath(hostID, release.TimestampName)] = docs.Timestamp
}

// Structure makes a Bundle or Independent.
func Structure(tag, name string, entries ...config.Entry) *config.Bundle {
	made := make([]*config.Entry, len(entries))
	for i := range entries {
		made[i] = config.NewEntry(entries[i])
	}
	return config.NewBundle(tag, []config.Attr{{Name: "name", Value: name}}, made)
}

// Entry makes an entry of "name=value" words.
func Entry(tag, text string, words ...string) config.Entry {
	e := config.Entry{Tag: tag, Text: text}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

// File makes a Path of type file that is owned by root.
func File(name, text string) config.Entry {
	return Entry("Path", text, "type=file", "name="+name, "owner=root", "group=root", "mode=0644")
}

// Client makes a client as agents use it.
func (s *Site) Client() *http.Client {
	c, err := transport.Plain(transport.Config{MaxBytes: release.MaxSealed})
	require.NoError(s.t, err)
	return c
}
