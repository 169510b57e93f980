// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
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
}

// ServeHTTP implements http.Handler.
func (x *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, password, _ := r.BasicAuth()
	if password != botToken && !strings.HasSuffix(r.Header.Get("Authorization"), " "+botToken) && r.Header.Get("Private-Token") != botToken {
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
	x.mu.Unlock()
	if err != nil || down {
		w.Header().Set("Connection", "close")
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	x.next.ServeHTTP(w, r)
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
