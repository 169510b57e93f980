// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/engine/release"
)

// slow is somebody who reads nothing of an answer before the end of the test.
type slow struct {
	*httptest.ResponseRecorder
	started func()
	end     chan struct{}
}

// Write implements http.ResponseWriter.
func (w *slow) Write(data []byte) (int, error) {
	w.started()
	<-w.end
	return w.ResponseRecorder.Write(data)
}

// Whoever knows one host's id reads its bundle many times, slowly. The bundles of all
// others go on to be served.
func TestSlowReadersOfOneBundle(t *testing.T) {
	s := newSite(t)
	name := release.BundleName(strings.Repeat("a", 64))
	other := strings.Repeat("f", 32)
	s.put(t, release.HostPath(hostID, name), "sealed")
	s.put(t, release.HostPath(other, name), "sealed")
	a, err := api.New(s.cfg)
	require.NoError(t, err)
	handler := a.Public()

	end := make(chan struct{})
	var started, done sync.WaitGroup
	const attackers = 100
	codes := make(chan int, attackers)
	for range attackers {
		started.Add(1)
		done.Go(func() {
			w := &slow{ResponseRecorder: httptest.NewRecorder(), started: sync.OnceFunc(started.Done), end: end}
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+release.HostPath(hostID, name), nil))
			codes <- w.Code
		})
	}
	started.Wait()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+release.HostPath(other, name), nil))
	require.Equal(t, http.StatusOK, w.Code)
	close(end)
	done.Wait()
	close(codes)
	count := map[int]int{}
	for c := range codes {
		count[c]++
	}
	require.Equal(t, map[int]int{http.StatusOK: 2, http.StatusServiceUnavailable: attackers - 2}, count)

	w = httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+release.HostPath(hostID, name), nil))
	require.Equal(t, http.StatusOK, w.Code, "and the host itself when they are gone")
}
