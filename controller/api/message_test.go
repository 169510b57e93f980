// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

func TestFacts(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	h := s.enrolled(t, server.URL, "web1")
	message := h.facts(t, nil)
	r := post(t, server.URL+"/api/v1/facts", message)
	require.Equal(t, http.StatusNoContent, r.code, r.body)
	require.Empty(t, r.body)
	got, err := s.store.Facts(t.Context(), h.id)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"os": "debian\n", "rack": "7\n"}, got.Answers)
	require.Equal(t, []string{"enrolled web1", "facts web1"}, s.wakes())

	// The same message again is refused and wakes nobody, also after a restart.
	require.Equal(t, http.StatusConflict, post(t, server.URL+"/api/v1/facts", message).code)
	again := s.serve(t, (*api.API).Public)
	for range 20 { // it costs its host nothing
		require.Equal(t, http.StatusConflict, post(t, again.URL+"/api/v1/facts", message).code)
	}
	// Equal answers are not old any more, and nothing else follows from them.
	require.Equal(t, http.StatusNoContent, post(t, again.URL+"/api/v1/facts", h.facts(t, nil)).code)
	require.Len(t, s.wakes(), 2)
	other := h.facts(t, func(f *release.Facts) { f.Answers["rack"] = "8\n" })
	require.Equal(t, http.StatusNoContent, post(t, again.URL+"/api/v1/facts", other).code)
	require.Len(t, s.wakes(), 3)
}

func TestFactsRefused(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	h, other := s.enrolled(t, server.URL, "web1"), s.enrolled(t, server.URL, "web2")
	forged := &host{name: h.name, id: h.id, identity: other.identity}
	stranger := &host{name: "ghost", id: strings.Repeat("0", 32), identity: identity(t)}
	for name, c := range map[string]struct {
		message []byte
		want    int
		line    string
	}{
		"another host's signature": {forged.facts(t, nil), http.StatusForbidden, "not signed by this host"},
		"another host's name":      {h.facts(t, func(f *release.Facts) { f.Host = "web2" }), http.StatusForbidden, "another host"},
		"unknown host":             {stranger.facts(t, nil), http.StatusForbidden, "not enrolled here"},
		"a path for an id":         {h.facts(t, func(f *release.Facts) { f.HostID = "../../etc/passwd" }), http.StatusForbidden, "malformed"},
		"unknown probes":           {h.facts(t, func(f *release.Facts) { f.ProbeDigest = "older" }), http.StatusServiceUnavailable, "poll and ask again"},
		"an answer too many":       {h.facts(t, func(f *release.Facts) { f.Answers["extra"] = "x" }), http.StatusUnprocessableEntity, "does not fit"},
		"an answer too few":        {h.facts(t, func(f *release.Facts) { delete(f.Answers, "os") }), http.StatusUnprocessableEntity, "does not fit"},
		"a report":                 {h.report(t, nil), http.StatusForbidden, "malformed"},
		"junk":                     {[]byte("\x00\xff junk"), http.StatusForbidden, "malformed"},
		"no body":                  {nil, http.StatusBadRequest, "required"},
	} {
		t.Run(name, func(t *testing.T) {
			r := post(t, server.URL+"/api/v1/facts", c.message)
			require.Equal(t, c.want, r.code, r.body)
			require.Contains(t, r.body, c.line)
			require.NotEmpty(t, r.header.Get("X-Request-Id"))
		})
	}
	all, err := s.store.AllFacts(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestReports(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	h := s.enrolled(t, server.URL, "web1")
	message := h.report(t, func(r *release.Report) {
		r.State, r.Good = release.StateDirty, 2
		r.Bad = []release.Item{{Key: config.Key{Tag: "Path", Name: "/etc/motd"}, Reason: "content differs"}}
	})
	require.Equal(t, http.StatusNoContent, post(t, server.URL+"/api/v1/reports", message).code)
	require.Equal(t, http.StatusConflict, post(t, server.URL+"/api/v1/reports", message).code)
	require.Equal(t, http.StatusNoContent, post(t, server.URL+"/api/v1/reports", h.report(t, nil)).code)
	kept, err := s.store.Reports(t.Context(), h.id, 10)
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.Equal(t, "clean", kept[0].State)
	var body release.Report
	require.NoError(t, json.Unmarshal(kept[1].Body, &body))
	require.Equal(t, "/etc/motd", body.Bad[0].Key.Name)

	forged := &host{name: h.name, id: h.id, identity: identity(t), counter: 99}
	for want, message := range map[int][]byte{
		http.StatusForbidden:           forged.report(t, nil),
		http.StatusUnprocessableEntity: h.report(t, func(r *release.Report) { r.Total = -1 }),
	} {
		require.Equal(t, want, post(t, server.URL+"/api/v1/reports", message).code)
	}
	r := post(t, server.URL+"/api/v1/reports", h.report(t, func(r *release.Report) { r.State = "fine" }))
	require.Equal(t, http.StatusForbidden, r.code)
}

// One host cannot fill the database: lists and texts are cut, and the report says so.
func TestLongReports(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	h := s.enrolled(t, server.URL, "web1")
	message := h.report(t, func(r *release.Report) {
		r.State, r.Error = release.StateFailed, strings.Repeat("é", 5000)
		r.Reported = []release.Reported{{Bundle: strings.Repeat("b", 5000)}}
		for i := range 4100 {
			r.NotVerified = append(r.NotVerified, release.Item{Key: config.Key{Tag: "Package", Name: fmt.Sprint(i)}, Reason: "no driver"})
		}
	})
	require.Equal(t, http.StatusNoContent, post(t, server.URL+"/api/v1/reports", message).code)
	kept, err := s.store.Reports(t.Context(), h.id, 1)
	require.NoError(t, err)
	var body release.Report
	require.NoError(t, json.Unmarshal(kept[0].Body, &body))
	require.Len(t, body.NotVerified, 4000)
	require.Less(t, len(body.Error), 1200)
	require.Contains(t, body.Error, "100 more entries")
	require.Less(t, len(body.Reported[0].Bundle), 1200)
}

func TestHostsAreLimited(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	h, other := s.enrolled(t, server.URL, "web1"), s.enrolled(t, server.URL, "web2")
	codes := map[int]int{}
	for range 20 {
		codes[post(t, server.URL+"/api/v1/facts", h.facts(t, nil)).code]++
	}
	require.Equal(t, map[int]int{http.StatusNoContent: 12, http.StatusTooManyRequests: 8}, codes)
	require.Equal(t, http.StatusNoContent, post(t, server.URL+"/api/v1/facts", other.facts(t, nil)).code)
	require.Equal(t, http.StatusNoContent, post(t, server.URL+"/api/v1/reports", h.report(t, nil)).code)
	s.clock.skip(time.Minute)
	require.Equal(t, http.StatusNoContent, post(t, server.URL+"/api/v1/facts", h.facts(t, nil)).code)
}

func TestOversizedBodies(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	for path, limit := range map[string]int{"enroll": release.MaxEnrolment, "facts": release.MaxFacts, "reports": release.MaxReport} {
		r := post(t, server.URL+"/api/v1/"+path, bytes.Repeat([]byte(" "), limit))
		require.Equal(t, http.StatusForbidden, r.code, path)
		r = post(t, server.URL+"/api/v1/"+path, bytes.Repeat([]byte(" "), limit+1))
		require.Equal(t, http.StatusRequestEntityTooLarge, r.code, path)
	}
}

// A body that never ends is given up, and others are served meanwhile.
func TestSlowBody(t *testing.T) {
	s := newSite(t)
	a, err := api.NewImpatient(s.cfg, 200*time.Millisecond)
	require.NoError(t, err)
	server := listen(t, a.Public())
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /api/v1/facts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, get(t, server.URL+"/healthz").code)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Contains(t, string(answer), "HTTP/1.1 408 ")
}

// hung is a database whose look-ups wait.
type hung struct {
	api.Messages
	entered chan struct{}
	release chan struct{}
}

func (h hung) Host(ctx context.Context, id string) (store.Host, error) {
	h.entered <- struct{}{}
	<-h.release
	return h.Messages.Host(ctx, id)
}

// Messages that wait are bounded; published files are served all the same.
func TestMessagesAreBounded(t *testing.T) {
	s := newSite(t)
	slow := hung{s.store, make(chan struct{}, 64), make(chan struct{})}
	s.cfg.Messages = slow
	server := s.serve(t, (*api.API).Public)
	h := &host{name: "ghost", id: strings.Repeat("0", 32), identity: identity(t)}
	message := h.facts(t, nil)
	codes := make([]int, 64)
	var group sync.WaitGroup
	for i := range codes {
		group.Go(func() { codes[i] = post(t, server.URL+"/api/v1/facts", message).code })
	}
	for range 64 {
		<-slow.entered
	}
	r := post(t, server.URL+"/api/v1/facts", message)
	require.Equal(t, http.StatusServiceUnavailable, r.code)
	require.NotEmpty(t, r.header.Get("Retry-After"))
	require.Equal(t, http.StatusNotFound, get(t, server.URL+"/root/9.root.json").code)
	close(slow.release)
	group.Wait()
	for _, code := range codes {
		require.Equal(t, http.StatusForbidden, code)
	}
}

// down is a database that fails.
type down struct {
	api.Messages
	host, facts, report error
}

func (d down) Host(ctx context.Context, id string) (store.Host, error) {
	if d.host != nil {
		return store.Host{}, d.host
	}
	return d.Messages.Host(ctx, id)
}

func (d down) PutFacts(ctx context.Context, f store.Facts) (bool, error) {
	if d.facts != nil {
		return false, d.facts
	}
	return d.Messages.PutFacts(ctx, f)
}

func (d down) PutReport(ctx context.Context, r store.Report) error {
	if d.report != nil {
		return d.report
	}
	return d.Messages.PutReport(ctx, r)
}

// What cannot be kept is not acknowledged, so that the host sends it again.
func TestNothingIsAcknowledgedUnkept(t *testing.T) {
	full := errors.New("database or disk is full")
	for name, d := range map[string]down{"host": {host: full}, "facts": {facts: full}, "report": {report: full}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			d.Messages = s.store
			s.cfg.Messages = d
			server := s.serve(t, (*api.API).Public)
			h := s.enrolled(t, server.URL, "web1")
			path, message := "facts", h.facts(t, nil)
			if name == "report" {
				path, message = "reports", h.report(t, nil)
			}
			r := post(t, server.URL+"/api/v1/"+path, message)
			require.Equal(t, http.StatusServiceUnavailable, r.code)
			require.NotContains(t, r.body, "full")
			require.Equal(t, []string{"enrolled web1"}, s.wakes())

			// The same message is taken once the database works again.
			s.cfg.Messages = s.store
			server = s.serve(t, (*api.API).Public)
			require.Equal(t, http.StatusNoContent, post(t, server.URL+"/api/v1/"+path, message).code)
		})
	}
}

// Answers and tokens are nowhere in the log or in an answer.
func TestCanary(t *testing.T) {
	const canary = "CANARY-8d1f"
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	token := s.token(t, "web1", false)
	h := &host{name: "web1", identity: identity(t)}
	w, _ := enrol(t, server.URL, h.identity, token, "web1")
	require.NotNil(t, w)
	h.id = w.HostID
	_, stolen := enrol(t, server.URL, identity(t), token, "web1")
	secret := strings.Split(token.Text(), "-")[2]

	shown := stolen.body
	with := func(f *release.Facts) { f.Answers["os"] = canary }
	accepted := h.facts(t, with)
	for _, message := range [][]byte{
		accepted, accepted, h.facts(t, func(f *release.Facts) { with(f); f.Answers["x"] = canary }),
		h.facts(t, func(f *release.Facts) { with(f); f.ProbeDigest = canary }),
		[]byte(`{"` + canary + `":"` + canary + `"}`),
	} {
		r := post(t, server.URL+"/api/v1/facts", message)
		shown += r.body + fmt.Sprint(r.header)
	}
	admin := s.serve(t, (*api.API).Admin)
	for _, path := range []string{"/api/v1/hosts", "/api/v1/hosts/web1", "/api/v1/events", "/api/v1/overview"} {
		r := get(t, admin.URL+path)
		require.Equal(t, http.StatusOK, r.code, r.body)
		shown += r.body
	}
	for _, out := range []string{shown, s.log.String()} {
		require.NotContains(t, out, canary)
		require.NotContains(t, out, secret)
		require.NotContains(t, out, "AGE-SECRET")
	}
}
