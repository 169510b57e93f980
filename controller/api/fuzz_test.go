// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/engine/release"
)

// Whatever is sent, the answer is a refusal, and nothing is kept.
func FuzzMessages(f *testing.F) {
	s := newSite(f)
	s.cfg.Logger = nil
	a, err := api.New(s.cfg)
	require.NoError(f, err)
	public := a.Public()
	server := listen(f, public)
	h := s.enrolled(f, server.URL, "web1")
	e := release.NewEnrolment(identity(f), s.token(f, "web2", false), "web2")
	first, err := e.Request()
	require.NoError(f, err)
	stranger := &host{name: h.name, id: h.id, identity: identity(f)}
	f.Add(uint8(0), first[:len(first)-2])
	f.Add(uint8(1), stranger.facts(f, nil))
	f.Add(uint8(2), stranger.report(f, nil))
	f.Add(uint8(3), []byte(`{"payloadType":"application/vnd.bindery.facts.v1+json","payload":"e30=","signatures":[{"sig":""}]}`))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		s.clock.skip(time.Second) // so that no rate limit hides what is behind it
		path := []string{"enroll", "facts", "reports"}[int(which)%3]
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/"+path, bytes.NewReader(body))
		w := httptest.NewRecorder()
		public.ServeHTTP(w, r)
		require.GreaterOrEqual(t, w.Code, 400)
		require.Less(t, w.Code, 500)
	})
}
