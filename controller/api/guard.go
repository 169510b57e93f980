// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

const requestHeader = "X-Request-Id"

// guard is outermost: it bounds the time, names the request in the log and turns a
// panic into a plain 500.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.bodyTimeout+workTimeout)
		defer cancel()
		id := requestID()
		log := a.c.Logger.With("request", id, "method", r.Method)
		r = r.WithContext(context.WithValue(ctx, logKey{}, log))
		out := &recorder{ResponseWriter: w, id: id}
		started := a.c.Now()
		defer func() {
			p := recover()
			if p == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
				return
			}
			if p != nil {
				log.Error("panic in a handler", "pattern", r.Pattern, "panic", p, "stack", string(debug.Stack()))
				if out.code == 0 {
					text(out, http.StatusInternalServerError, "internal error")
				}
			}
			// The pattern stands for the path, which is not for logs: only the host
			// should know where its files are.
			log.Log(ctx, levelOf(out.code), "request", "pattern", r.Pattern, "code", out.code, "dur", a.c.Now().Sub(started))
		}()
		next.ServeHTTP(out, r)
	})
}

func levelOf(code int) slog.Level {
	if code >= http.StatusInternalServerError {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

func requestID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	return hex.EncodeToString(id[:])
}

type logKey struct{}

// log is the logger of a request, which names it.
func (a *API) log(ctx context.Context) *slog.Logger {
	if l, ok := ctx.Value(logKey{}).(*slog.Logger); ok {
		return l
	}
	return a.c.Logger
}

// recorder remembers the status, and names the request in answers that say no. The
// others stay short.
type recorder struct {
	http.ResponseWriter
	id   string
	code int
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
		if code >= http.StatusBadRequest {
			w.Header().Set(requestHeader, w.id)
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(data []byte) (int, error) {
	if w.code == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// bounded limits how many messages are in memory at a time.
func (a *API) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case a.messages <- struct{}{}:
			defer func() { <-a.messages }()
			next.ServeHTTP(w, r)
		default:
			busy(w)
		}
	})
}

func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	text(w, http.StatusServiceUnavailable, "busy, try again")
}

// named refuses names that are not ours, and says what browsers need to know.
func (a *API) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !a.ours(r.Host) {
			text(w, http.StatusMisdirectedRequest, "this name is not one of the admin address: add it to the configuration, or use localhost")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) ours(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	return name == "localhost" || net.ParseIP(name) != nil ||
		slices.ContainsFunc(a.c.AdminNames, func(n string) bool { return strings.EqualFold(n, name) })
}

func text(w http.ResponseWriter, code int, line string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if code >= http.StatusBadRequest && h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, line+"\n") // a client that went away misses nothing
}

// within gives a request longer than the server's own limit to be written.
func within(w http.ResponseWriter, d time.Duration) {
	// A writer that has no deadlines is a test's.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}
