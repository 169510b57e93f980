// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

func TestEnrolment(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	id := identity(t)
	w, r := enrol(t, server.URL, id, s.token(t, "web1", false), "web1")
	require.NotNil(t, w, r.body)
	require.Equal(t, "web1", w.Host)
	require.Equal(t, s.root.Data, w.Root)
	require.Equal(t, s.clock.now(), w.Time)
	h, err := s.store.HostNamed(t.Context(), "web1")
	require.NoError(t, err)
	require.Equal(t, w.HostID, h.ID)
	require.EqualValues(t, id.Public().Signing, h.Identity)
	require.Equal(t, id.Public().Recipient, h.Recipient)
	require.Equal(t, []string{"enrolled web1"}, s.wakes())
	require.Equal(t, map[string]int{"host-enrolled": 1}, s.actions(t))
}

// The answer got lost: the same key asks again and gets the same id, without alarm.
func TestEnrolmentRepeated(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	id, token := identity(t), s.token(t, "web1", false)
	first, _ := enrol(t, server.URL, id, token, "web1")
	again, r := enrol(t, server.URL, id, token, "web1")
	require.NotNil(t, again, r.body)
	require.Equal(t, first.HostID, again.HostID)
	require.Equal(t, map[string]int{"host-enrolled": 1}, s.actions(t))
}

func TestStolenToken(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	token := s.token(t, "web1", false)
	first, _ := enrol(t, server.URL, identity(t), token, "web1")
	require.NotNil(t, first)

	w, r := enrol(t, server.URL, identity(t), token, "web1")
	require.Nil(t, w)
	require.Equal(t, http.StatusForbidden, r.code)
	require.Contains(t, r.body, "used before by another key")
	require.Equal(t, map[string]int{"host-enrolled": 1, "token-reused": 1}, s.actions(t))
	h, err := s.store.HostNamed(t.Context(), "web1")
	require.NoError(t, err)
	require.Equal(t, first.HostID, h.ID)

	// After the host was replaced or revoked, its own old token is as used.
	require.NoError(t, s.store.Revoke(t.Context(), first.HostID))
	_, r = enrol(t, server.URL, identity(t), token, "web1")
	require.Equal(t, http.StatusForbidden, r.code)
	require.Equal(t, 2, s.actions(t)["token-reused"])
}

// One who does not hold the secret cannot raise the alarm.
func TestAlarmNeedsTheSecret(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	token := s.token(t, "web1", false)
	w, _ := enrol(t, server.URL, identity(t), token, "web1")
	require.NotNil(t, w)
	forged := strings.Split(token.Text(), "-")
	forged[2] = strings.Repeat("a", len(forged[2]))
	guess, err := release.ParseToken(strings.Join(forged, "-"))
	require.NoError(t, err)
	_, r := enrol(t, server.URL, identity(t), guess, "web1")
	require.Equal(t, http.StatusForbidden, r.code)
	require.Zero(t, s.actions(t)["token-reused"])
}

func TestEnrolmentRefused(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	for name, c := range map[string]struct {
		token func() release.Token
		host  string
		want  int
		line  string
	}{
		"wrong host": {func() release.Token { return s.token(t, "db1", false) }, "web1", http.StatusForbidden, "for another name"},
		"unknown": {func() release.Token {
			token, _, err := api.MintToken("web1", "main", s.root, false, s.clock.now().Add(time.Hour))
			require.NoError(t, err)
			return token
		}, "web1", http.StatusForbidden, "unknown"},
		"expired": {func() release.Token {
			token, row, err := api.MintToken("web1", "main", s.root, false, s.clock.now())
			require.NoError(t, err)
			require.NoError(t, s.store.AddToken(t.Context(), row))
			return token
		}, "web1", http.StatusForbidden, "expired"},
		"another root": {func() release.Token {
			token, row, err := api.MintToken("web1", "main", newRoot(t), false, s.clock.now().Add(time.Hour))
			require.NoError(t, err)
			require.NoError(t, s.store.AddToken(t.Context(), row))
			return token
		}, "web1", http.StatusForbidden, "older than the root"},
	} {
		t.Run(name, func(t *testing.T) {
			_, r := enrol(t, server.URL, identity(t), c.token(), c.host)
			require.Equal(t, c.want, r.code, r.body)
			require.Contains(t, r.body, c.line)
			hosts, err := s.store.Hosts(t.Context())
			require.NoError(t, err)
			require.Empty(t, hosts)
			require.Empty(t, s.actions(t))
		})
	}
}

// The token ends between the two steps.
func TestExpiryBetweenSteps(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	e := release.NewEnrolment(identity(t), s.token(t, "web1", false), "web1")
	first, err := e.Request()
	require.NoError(t, err)
	second, err := e.Respond([]byte(post(t, server.URL+"/api/v1/enroll", first).body))
	require.NoError(t, err)
	s.clock.skip(release.TokenLife)
	require.Equal(t, http.StatusForbidden, post(t, server.URL+"/api/v1/enroll", second).code)
}

// Somebody between swaps the key: what the second step proves is not the first's.
func TestSwappedKey(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	token := s.token(t, "web1", false)
	honest := release.NewEnrolment(identity(t), token, "web1")
	other := release.NewEnrolment(identity(t), token, "web1")
	first, err := honest.Request()
	require.NoError(t, err)
	r := post(t, server.URL+"/api/v1/enroll", first)
	require.Equal(t, http.StatusOK, r.code)
	_, err = other.Respond([]byte(r.body))
	require.ErrorIs(t, err, release.ErrUntrusted)

	// A challenge that was answered for one key does not let another one in.
	second, err := honest.Respond([]byte(r.body))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, post(t, server.URL+"/api/v1/enroll", second).code)
	swapped, err := other.Request()
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, post(t, server.URL+"/api/v1/enroll", swapped).code)
	require.Equal(t, 1, s.actions(t)["token-reused"])
}

func TestRebind(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	old := s.enrolled(t, server.URL, "web1")
	_, r := enrol(t, server.URL, identity(t), s.token(t, "web1", false), "web1")
	require.Equal(t, http.StatusConflict, r.code)
	require.Contains(t, r.body, "--rebind")

	w, r := enrol(t, server.URL, identity(t), s.token(t, "web1", true), "web1")
	require.NotNil(t, w, r.body)
	require.NotEqual(t, old.id, w.HostID)
	for _, message := range []struct {
		path string
		data []byte
	}{{"facts", old.facts(t, nil)}, {"reports", old.report(t, nil)}} {
		r := post(t, server.URL+"/api/v1/"+message.path, message.data)
		require.Equal(t, http.StatusForbidden, r.code)
		require.Contains(t, r.body, "not enrolled here")
	}
}

// Many second steps of one host at once: one host, one id, no alarm.
func TestEnrolmentRace(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	e := release.NewEnrolment(identity(t), s.token(t, "web1", false), "web1")
	first, err := e.Request()
	require.NoError(t, err)
	second, err := e.Respond([]byte(post(t, server.URL+"/api/v1/enroll", first).body))
	require.NoError(t, err)
	ids := make([]string, 6)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			w, err := e.Finish([]byte(post(t, server.URL+"/api/v1/enroll", second).body))
			if err == nil {
				ids[i] = w.HostID
			}
		})
	}
	group.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.NotEmpty(t, ids[0])
	require.Equal(t, map[string]int{"host-enrolled": 1}, s.actions(t))
}

// broken fails where its fields say so.
type broken struct {
	api.Enrolments
	token, host, enrol, audit error
}

func (b broken) Token(ctx context.Context, id string) (store.Token, error) {
	if b.token != nil {
		return store.Token{}, b.token
	}
	return b.Enrolments.Token(ctx, id)
}

func (b broken) HostNamed(ctx context.Context, name string) (store.Host, error) {
	if b.host != nil {
		return store.Host{}, b.host
	}
	return b.Enrolments.HostNamed(ctx, name)
}

func (b broken) Enrol(ctx context.Context, token string, h store.Host) error {
	if b.enrol != nil {
		return b.enrol
	}
	return b.Enrolments.Enrol(ctx, token, h)
}

func (b broken) Audit(ctx context.Context, r store.Record) error {
	if b.audit != nil {
		return b.audit
	}
	return b.Enrolments.Audit(ctx, r)
}

// A database that fails is never taken for a refusal, and its words stay inside.
func TestDatabaseDown(t *testing.T) {
	down := errors.New("disk I/O error in canary.db")
	for name, b := range map[string]broken{"token": {token: down}, "enrol": {enrol: down}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b.Enrolments = s.store
			s.cfg.Enrolments = b
			server := s.serve(t, (*api.API).Public)
			_, r := enrol(t, server.URL, identity(t), s.token(t, "web1", false), "web1")
			require.Equal(t, http.StatusServiceUnavailable, r.code)
			require.NotContains(t, r.body, "canary")
			require.NotEmpty(t, r.header.Get("Retry-After"))
			require.Contains(t, s.log.String(), "disk I/O error")
		})
	}
	t.Run("audit", func(t *testing.T) {
		s := newSite(t)
		s.cfg.Enrolments = broken{Enrolments: s.store, audit: down}
		server := s.serve(t, (*api.API).Public)
		token := s.token(t, "web1", false)
		// The host is in the database: it is enrolled.
		w, _ := enrol(t, server.URL, identity(t), token, "web1")
		require.NotNil(t, w)
		require.Contains(t, s.log.String(), "missing in the audit trail")
		// An alarm that cannot be written down is still a refusal.
		_, r := enrol(t, server.URL, identity(t), token, "web1")
		require.Equal(t, http.StatusForbidden, r.code)
		require.Contains(t, s.log.String(), "a used token came again from another key")
	})
}

func TestEnrolmentsAreLimited(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	codes := map[int]int{}
	for range 250 {
		codes[post(t, server.URL+"/api/v1/enroll", []byte("{}")).code]++
	}
	require.Equal(t, map[int]int{http.StatusForbidden: 200, http.StatusTooManyRequests: 50}, codes)
	s.clock.skip(time.Second)
	require.Equal(t, http.StatusForbidden, post(t, server.URL+"/api/v1/enroll", []byte("{}")).code)
}
