// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// wire stands between the controller and the forge: it keeps what the controller
// sends, and can be cut. People are not touched by it.
type wire struct {
	next http.Handler

	mu   sync.Mutex
	sent bytes.Buffer
	down bool
	cut  int
	step func(do func() error) error
}

// ServeHTTP implements http.Handler.
func (x *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, password, _ := r.BasicAuth()
	auth := r.Header.Get("Authorization") + r.Header.Get("Private-Token")
	if auth == "" || password == personToken || strings.HasSuffix(auth, " "+personToken) {
		x.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	x.mu.Lock()
	fmt.Fprintf(&x.sent, "%s %s\n", r.Method, r.URL)
	for name, values := range r.Header {
		if name != "Authorization" && name != "Private-Token" {
			fmt.Fprintf(&x.sent, "%s: %s\n", name, strings.Join(values, ", "))
		}
	}
	x.sent.Write(append(body, '\n'))
	down := x.down
	if down {
		x.cut++
	}
	step := x.step
	x.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch {
	case err != nil || down:
		hangUp(w)
	case step == nil:
		x.next.ServeHTTP(w, r)
	default:
		answer := httptest.NewRecorder()
		if step(func() error { x.next.ServeHTTP(answer, r); return nil }) != nil {
			hangUp(w)
			return
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}
}

// hangUp ends a connection without an answer.
func hangUp(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// setStep puts something between the controller and each of its requests; nil: nothing.
func (x *wire) setStep(step func(do func() error) error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.step = step
}

func (x *wire) setDown(down bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.down = down
}

// refused counts the requests that met a dead line.
func (x *wire) refused() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.cut
}

func (x *wire) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.sent.String()
}
