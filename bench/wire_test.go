// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A wire counts every byte of a request and its answer, and changes none.
func TestWire(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, _ = w.Write(body)
		}
	}))
	t.Cleanup(server.Close)
	w, err := newWire(server.Listener.Addr().String())
	require.NoError(t, err)
	transport := &http.Transport{}
	client := &http.Client{Transport: transport}
	body := strings.Repeat("x", 10_000)
	for range 3 {
		resp, err := client.Post("http://"+w.address()+"/echo", "text/plain", strings.NewReader(body))
		require.NoError(t, err)
		back, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Len(t, back, len(body))
	}
	transport.CloseIdleConnections()
	w.close()
	require.Equal(t, int64(3), w.counts.requests.Load())
	for _, n := range []int64{w.counts.sent.Load(), w.counts.received.Load()} {
		require.Greater(t, n, int64(3*len(body)))
		require.Less(t, n, int64(3*len(body)+3000))
	}
	settled, err := w.settled(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(3), settled.requests)
}

// An agent of another user, or one that ended, is an error and no zero.
func TestProcessFigures(t *testing.T) {
	memory, err := memoryOf(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, memory["VmRSS"])
	_, err = memoryOf(-1)
	require.Error(t, err)
	spent, err := taskTime(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, spent)
	_, err = taskTime(-1)
	require.Error(t, err)
}
