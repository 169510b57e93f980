// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/events"
)

func TestEventsAreSignedAndARefusalIsLogged(t *testing.T) {
	secret := []byte("a secret of the receiver")
	got := make(chan events.Event, 2)
	good := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		var e events.Event
		if err == nil && r.Header.Get(events.SignatureHeader) == "sha256="+hex.EncodeToString(mac.Sum(nil)) && json.Unmarshal(body, &e) == nil {
			got <- e
		}
	}))
	defer good.Close()
	refused := make(chan struct{}, 2)
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		refused <- struct{}{}
	}))
	defer bad.Close()
	var log bytes.Buffer
	s, err := events.New(events.Config{
		Hooks:  []events.Hook{{URL: bad.URL + "/CANARY", Secret: secret}, {URL: good.URL, Secret: secret}, {URL: "http://127.0.0.1:1/CANARY", Secret: secret}},
		Client: good.Client(), Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	want := events.Event{Event: "report", Host: "web1", Profile: "web", Groups: []string{"a", "b"}, State: "clean", Total: 3, Good: 3}
	s.Send(want)
	require.Equal(t, want, <-got)
	<-refused
	s.Send(want)
	<-refused // the first refusal is in the log by now
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Contains(t, log.String(), "it answered 418")
	require.NotContains(t, log.String(), "CANARY")
}

// A receiver that never answers costs nobody time: what does not fit is dropped.
func TestASlowReceiverHoldsNothingUp(t *testing.T) {
	var log bytes.Buffer
	s, err := events.New(events.Config{Hooks: []events.Hook{{URL: "http://127.0.0.1:1"}}, Client: http.DefaultClient, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	for range 1001 {
		s.Send(events.Event{Host: "web1"})
	}
	require.Contains(t, log.String(), "event dropped")
}

func TestIncomplete(t *testing.T) {
	_, err := events.New(events.Config{})
	require.Error(t, err)
}
