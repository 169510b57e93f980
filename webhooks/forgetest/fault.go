// SPDX-License-Identifier: Apache-2.0

package forgetest

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Fault makes some requests go wrong.
type Fault struct {
	// Match are parts that "METHOD /path" must contain; none matches all.
	Match []string
	// Times is how many requests it spoils.
	Times int
	// Code answers with this code instead of working, with a Retry-After where After is
	// set; see also RateLimit.
	Code  int
	After time.Duration
	// RateLimit answers 403 as an exhausted rate limit that resets after this.
	RateLimit time.Duration
	// Secondary answers 403 as the secondary rate limit, with Retry-After.
	Secondary time.Duration
	// Left does the work and says that so many of 5,000 requests are left for an hour.
	Left int
	// CutOff does the work and breaks the answer off in the middle.
	CutOff bool
	// Stall holds the answer back for this long, or until the client leaves.
	Stall time.Duration
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Faults counts the requests that are still to be spoiled.
func (s *Server) Faults() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		n += f.Times
	}
	return n
}

// takeFault finds the fault for a call. The caller holds the lock.
func (s *Server) takeFault(call string) *Fault {
	for _, f := range s.faults {
		if f.Times > 0 && containsAll(call, f.Match) {
			f.Times--
			return f
		}
	}
	return nil
}

func (f *Fault) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch {
	case f.RateLimit > 0:
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(f.RateLimit).Unix(), 10))
		writeJSON(w, http.StatusForbidden, Object{"message": "API rate limit exceeded"})
	case f.Secondary > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(f.Secondary/time.Second)))
		writeJSON(w, http.StatusForbidden, Object{
			"message":           "You have exceeded a secondary rate limit",
			"documentation_url": "https://docs.example.test/rest/overview#secondary-rate-limits",
		})
	case f.Left > 0:
		for _, prefix := range []string{"X-RateLimit-", "RateLimit-"} {
			w.Header().Set(prefix+"Limit", "5000")
			w.Header().Set(prefix+"Remaining", strconv.Itoa(f.Left))
			w.Header().Set(prefix+"Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		}
		next.ServeHTTP(w, r)
	case f.Code != 0:
		if f.After > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.After/time.Second)))
		}
		writeJSON(w, f.Code, Object{"message": http.StatusText(f.Code)})
	case f.CutOff:
		cutOff(w, r, next)
	default:
		select {
		case <-r.Context().Done():
		case <-time.After(f.Stall):
			next.ServeHTTP(w, r)
		}
	}
}

// cutOff lets the request work, then sends half of the answer and hangs up.
func cutOff(w http.ResponseWriter, r *http.Request, next http.Handler) {
	kept := &keptAnswer{header: http.Header{}, code: http.StatusOK}
	next.ServeHTTP(kept, r)
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "connection cannot be cut", http.StatusInternalServerError)
		return
	}
	defer func() { _ = conn.Close() }()
	kept.header.Del("Transfer-Encoding")
	kept.header.Set("Content-Length", strconv.Itoa(kept.body.Len()))
	_, _ = fmt.Fprintf(out, "HTTP/1.1 %d %s\r\n", kept.code, http.StatusText(kept.code))
	_ = kept.header.Write(out)
	_, _ = out.WriteString("\r\n")
	_, _ = out.Write(kept.body.Bytes()[:kept.body.Len()/2])
	_ = out.Flush()
}

// keptAnswer is an answer that is not sent yet.
type keptAnswer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (k *keptAnswer) Header() http.Header         { return k.header }
func (k *keptAnswer) WriteHeader(code int)        { k.code = code }
func (k *keptAnswer) Write(p []byte) (int, error) { return k.body.Write(p) }
