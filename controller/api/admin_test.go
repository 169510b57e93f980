// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/controller/store"
)

func decode[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	dec := json.NewDecoder(strings.NewReader(body))
	require.NoError(t, dec.Decode(&v))
	return v
}

func TestAdmin(t *testing.T) {
	s := newSite(t)
	public, admin := s.serve(t, (*api.API).Public), s.serve(t, (*api.API).Admin)
	require.JSONEq(t, `{"hosts":[]}`, get(t, admin.URL+"/api/v1/hosts").body)

	h := s.enrolled(t, public.URL, "web1")
	require.NoError(t, s.store.PutReleases(t.Context(), []store.Release{{
		Environment: "main", HostID: h.id, Sequence: 10, ConfigDigest: "d1", ProbeDigest: "set", Recipient: "r", Format: 1, Commit: "c1", Tree: "t1",
	}}))
	require.NoError(t, s.store.PutRef(t.Context(), store.Ref{Repo: "o/r", Name: "refs/heads/main", Commit: "c1", Outcome: "published"}))
	_, err := s.store.PutReview(t.Context(), store.Review{Repo: "o/r", Pull: 3, Head: "c0", State: "success", Body: []byte(`{"n":1}`)})
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, post(t, public.URL+"/api/v1/facts", h.facts(t, nil)).code)
	require.Equal(t, http.StatusNoContent, post(t, public.URL+"/api/v1/reports", h.report(t, nil)).code)

	hosts := decode[struct{ Hosts []map[string]any }](t, get(t, admin.URL+"/api/v1/hosts").body).Hosts
	require.Len(t, hosts, 1)
	require.Equal(t, "web1", hosts[0]["name"])
	require.Equal(t, "applied", hosts[0]["state"])
	require.Equal(t, "c1", hosts[0]["release"].(map[string]any)["commit"])
	require.Equal(t, true, hosts[0]["facts"].(map[string]any)["current"])
	require.EqualValues(t, 0, hosts[0]["report"].(map[string]any)["drift"])

	one := decode[map[string]any](t, get(t, admin.URL+"/api/v1/hosts/web1").body)
	require.Equal(t, []any{"os", "rack"}, one["probes"])
	require.Len(t, one["reports"], 1)
	r := get(t, admin.URL+"/api/v1/hosts/ghost")
	require.Equal(t, http.StatusNotFound, r.code)
	require.Contains(t, r.header.Get("Content-Type"), "application/problem+json")

	require.Contains(t, get(t, admin.URL+"/api/v1/overview").body, `"applied":1`)
	require.Contains(t, get(t, admin.URL+"/api/v1/releases").body, `"hosts":["web1"]`)
	plain := get(t, admin.URL+"/api/v1/reviews").body
	require.Contains(t, plain, `"pull":3`)
	require.NotContains(t, plain, `"n":1`)
	require.Contains(t, get(t, admin.URL+"/api/v1/reviews?reports=true").body, `"report":{"n":1}`)
	require.Contains(t, get(t, admin.URL+"/api/v1/reviews/3").body, `"report":{"n":1}`)
	require.Equal(t, http.StatusNotFound, get(t, admin.URL+"/api/v1/reviews/4").code)
	require.Contains(t, get(t, admin.URL+"/api/v1/events?limit=1").body, `"host-enrolled"`)
	require.Equal(t, http.StatusUnprocessableEntity, get(t, admin.URL+"/api/v1/events?limit=100000").code)
	for _, list := range []string{"hosts", "overview", "releases", "reviews"} {
		require.Equal(t, http.StatusOK, get(t, admin.URL+"/api/v1/"+list+"?environment=main").code, list)
		require.Equal(t, http.StatusNotFound, get(t, admin.URL+"/api/v1/"+list+"?environment=typo").code, list)
	}
	require.Equal(t, http.StatusOK, get(t, admin.URL+"/api/v1/reviews/3?repo=o/r").code)
	require.Equal(t, http.StatusNotFound, get(t, admin.URL+"/api/v1/reviews/3?repo=o/s").code)
	require.Equal(t, "ready\n", get(t, admin.URL+"/readyz").body)
	require.Equal(t, "ok\n", get(t, admin.URL+"/healthz").body)

	// Agents are not taken in here, and nothing can be changed.
	require.Equal(t, http.StatusMethodNotAllowed, post(t, admin.URL+"/api/v1/reports", h.report(t, nil)).code)
	require.Equal(t, http.StatusMethodNotAllowed, post(t, admin.URL+"/api/v1/hosts", nil).code)
	require.Equal(t, http.StatusNotFound, get(t, admin.URL+"/metrics").code)
}

// The document names every operation of both sides.
func TestDocument(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Admin)
	r := get(t, server.URL+"/openapi.json")
	require.Equal(t, http.StatusOK, r.code)
	doc := decode[struct {
		OpenAPI string
		Info    struct{ Version string }
		Paths   map[string]map[string]any
	}](t, r.body)
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.Equal(t, "test", doc.Info.Version)
	require.Equal(t, []string{
		"/api/v1/enroll", "/api/v1/events", "/api/v1/facts", "/api/v1/hosts", "/api/v1/hosts/{name}", "/api/v1/overview",
		"/api/v1/releases", "/api/v1/reports", "/api/v1/reviews", "/api/v1/reviews/{pull}",
	}, slices.Sorted(maps.Keys(doc.Paths)))
	for path, operations := range doc.Paths {
		require.Len(t, operations, 1, path)
	}
	require.Contains(t, r.body, `"payloadType"`)
}

func TestMountedHandlers(t *testing.T) {
	s := newSite(t)
	says := func(what string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, what) })
	}
	s.cfg.Webhooks, s.cfg.Metrics, s.cfg.Web = map[string]http.Handler{"github": says("hook")}, says("metrics"), says("page")
	public, admin := s.serve(t, (*api.API).Public), s.serve(t, (*api.API).Admin)
	require.Equal(t, "hook", post(t, public.URL+"/webhooks/github", []byte("{}")).body)
	require.Equal(t, http.StatusNotFound, post(t, public.URL+"/webhooks/gitea", []byte("{}")).code)
	require.Equal(t, "metrics", get(t, admin.URL+"/metrics").body)
	for _, path := range []string{"/", "/hosts", "/hosts/web1"} {
		require.Equal(t, "page", get(t, admin.URL+path).body)
	}
	require.Equal(t, http.StatusNotFound, get(t, public.URL+"/metrics").code)
	require.Equal(t, http.StatusNotFound, get(t, public.URL+"/").code)
	require.Equal(t, http.StatusMethodNotAllowed, post(t, admin.URL+"/webhooks/github", []byte("{}")).code)
}

// A page elsewhere that has its own name point here gets nothing.
func TestForeignNames(t *testing.T) {
	s := newSite(t)
	s.cfg.AdminNames = []string{"bindery.example.org"}
	server := s.serve(t, (*api.API).Admin)
	for host, want := range map[string]int{
		"localhost:8080": http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:8080": http.StatusOK, "Bindery.example.org.:443": http.StatusOK,
		"evil.example.com": http.StatusMisdirectedRequest, "localhost.evil.example.com": http.StatusMisdirectedRequest,
		"127.0.0.1.nip.io": http.StatusMisdirectedRequest,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/hosts", nil)
		require.NoError(t, err)
		req.Host = host
		resp, err := server.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode, host)
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
	}
}

func TestNotReady(t *testing.T) {
	s := newSite(t)
	s.cfg.Ready = func(context.Context) error { return errors.New("mirror is missing: canary") }
	server := s.serve(t, (*api.API).Admin)
	r := get(t, server.URL+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, r.code)
	require.NotContains(t, r.body, "canary")
	require.Contains(t, s.log.String(), "mirror is missing")
}

// A database that is down is said to be down.
func TestStateDown(t *testing.T) {
	s := newSite(t)
	require.NoError(t, s.store.Close())
	server := s.serve(t, (*api.API).Admin)
	for _, path := range []string{"hosts", "hosts/web1", "overview", "releases", "reviews", "reviews/1", "events"} {
		r := get(t, server.URL+"/api/v1/"+path)
		require.Equal(t, http.StatusServiceUnavailable, r.code, path)
		require.NotContains(t, r.body, "sql")
	}
}

// A handler that panics costs one answer, which tells nothing.
func TestPanics(t *testing.T) {
	s := newSite(t)
	s.cfg.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			_, _ = io.WriteString(w, "begun")
		}
		panic("canary")
	})
	server := s.serve(t, (*api.API).Admin)
	r := get(t, server.URL+"/")
	require.Equal(t, http.StatusInternalServerError, r.code)
	require.Equal(t, "internal error\n", r.body)
	require.Contains(t, s.log.String(), "panic in a handler")
	require.Equal(t, "begun", get(t, server.URL+"/late").body)
	require.Equal(t, http.StatusOK, get(t, server.URL+"/healthz").code)
}
