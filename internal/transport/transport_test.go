// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/transport"
)

const canary = "CANARYsecret"

// server answers the n-th request with the n-th handler, the last one for ever.
func server(t *testing.T, handlers ...http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		handlers[min(int(n), len(handlers))-1](w, r)
	}))
	t.Cleanup(s.Close)
	return s, &calls
}

func code(c int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(c)
	}
}

func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte("half"))
}

func fine(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("fine")) }

func retrying(t *testing.T, log io.Writer) *http.Client {
	t.Helper()
	c, err := transport.New(transport.Config{
		Timeout: 20 * time.Second, MaxBytes: 1000, Retries: 2, MinWait: time.Millisecond, MaxWait: 2 * time.Second,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	require.NoError(t, err)
	return c
}

func do(t *testing.T, c *http.Client, method, url string) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(""))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+canary)
	resp, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(body), err
}

func TestRetries(t *testing.T) {
	refused := code(http.StatusForbidden, "Retry-After", "0")
	reset := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	for name, c := range map[string]struct {
		method   string
		handlers []http.HandlerFunc
		code     int
		calls    int64
	}{
		"500 then fine":              {http.MethodGet, []http.HandlerFunc{code(500), fine}, 200, 2},
		"cut off then fine":          {http.MethodGet, []http.HandlerFunc{cutOff, cutOff, fine}, 200, 3},
		"500 for ever":               {http.MethodGet, []http.HandlerFunc{code(500)}, 500, 3},
		"404 once":                   {http.MethodGet, []http.HandlerFunc{code(404)}, 404, 1},
		"429 then fine":              {http.MethodGet, []http.HandlerFunc{code(429), fine}, 200, 2},
		"403 that asks to wait":      {http.MethodGet, []http.HandlerFunc{refused, fine}, 200, 2},
		"403 that asks too long":     {http.MethodGet, []http.HandlerFunc{code(403, "Retry-After", "3600")}, 403, 1},
		"rate limit that lasts long": {http.MethodGet, []http.HandlerFunc{code(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset)}, 403, 1},
		"403 that means no":          {http.MethodGet, []http.HandlerFunc{code(403)}, 403, 1},
		"POST is not repeated":       {http.MethodPost, []http.HandlerFunc{code(500), fine}, 500, 1},
		"POST that was refused is":   {http.MethodPost, []http.HandlerFunc{code(429), fine}, 200, 2},
		"PATCH is":                   {http.MethodPatch, []http.HandlerFunc{code(502), fine}, 200, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, calls := server(t, c.handlers...)
			var log bytes.Buffer
			got, _, err := do(t, retrying(t, &log), c.method, s.URL+"/?token="+canary)
			require.NoError(t, err)
			require.Equal(t, c.code, got)
			require.Equal(t, c.calls, calls.Load())
			require.NotContains(t, log.String(), canary)
		})
	}
}

// The library's own logger prints every request, with its address, to standard error,
// which it takes hold of when a program starts: hence another process.
func TestNothingIsPrinted(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	var printed bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestRetries$")
	cmd.Stderr = &printed
	said, err := cmd.Output()
	require.NoError(t, err)
	require.Contains(t, string(said), "PASS")
	require.Empty(t, printed.String())
}

func TestPostCutOffIsAnErrorOnce(t *testing.T) {
	s, calls := server(t, cutOff)
	_, _, err := do(t, retrying(t, io.Discard), http.MethodPost, s.URL+"/?token="+canary)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NotContains(t, transport.Redact(err).Error(), canary)
	require.EqualValues(t, 1, calls.Load())
}

func TestSizeLimit(t *testing.T) {
	long := func(n int, announce bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if announce {
				w.Header().Set("Content-Length", fmt.Sprint(n))
			}
			for range n / 10 {
				_, _ = w.Write([]byte("0123456789"))
				w.(http.Flusher).Flush()
			}
		}
	}
	plain, err := transport.Plain(transport.Config{MaxBytes: 1000})
	require.NoError(t, err)
	for _, c := range []*http.Client{plain, retrying(t, io.Discard)} {
		for _, announce := range []bool{true, false} {
			s, calls := server(t, long(1010, announce))
			_, _, err := do(t, c, http.MethodGet, s.URL)
			require.ErrorIs(t, err, transport.ErrTooLarge)
			require.EqualValues(t, 1, calls.Load())
			s, _ = server(t, long(1000, announce))
			_, body, err := do(t, c, http.MethodGet, s.URL)
			require.NoError(t, err)
			require.Len(t, body, 1000)
		}
	}
}

func TestRedirectsStay(t *testing.T) {
	other, calls := server(t, fine)
	away, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/?"+canary, http.StatusFound)
	})
	near, _ := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, fine)
	plain, err := transport.Plain(transport.Config{})
	require.NoError(t, err)
	for _, c := range []*http.Client{plain, retrying(t, io.Discard)} {
		_, _, err := do(t, c, http.MethodGet, away.URL)
		require.ErrorContains(t, err, "redirect to another server")
		_, body, err := do(t, c, http.MethodGet, near.URL)
		require.NoError(t, err)
		require.Equal(t, "fine", body)
	}
	require.Zero(t, calls.Load())
}

func TestPlainAsksOnce(t *testing.T) {
	s, calls := server(t, code(500))
	plain, err := transport.Plain(transport.Config{})
	require.NoError(t, err)
	got, _, err := do(t, plain, http.MethodGet, s.URL)
	require.NoError(t, err)
	require.Equal(t, 500, got)
	require.EqualValues(t, 1, calls.Load())
}

func TestCredentialsInURLsAreRefused(t *testing.T) {
	for _, raw := range []string{"http://" + canary + "@127.0.0.1:1/", "http://u:" + canary + "@127.0.0.1:1/"} {
		_, _, err := do(t, retrying(t, io.Discard), http.MethodGet, raw)
		require.Error(t, err)
		require.NotContains(t, transport.Redact(err).Error(), canary)
	}
	require.Equal(t, "redacted", transport.RedactURL("http://"+canary+"\x7f"))
	inner := &url.Error{Op: "Get", URL: "https://h/?a=" + canary, Err: context.Canceled}
	wrapped := transport.Redact(fmt.Errorf("outer: %w", inner))
	require.ErrorIs(t, wrapped, context.Canceled)
	require.NotContains(t, wrapped.Error(), canary)
}

func TestContextEndsTheWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	_, err = retrying(t, io.Discard).Do(r) //nolint:bodyclose // there is no response
	require.ErrorIs(t, err, context.Canceled)
}

func TestNegativeLimitsAreRefused(t *testing.T) {
	_, err := transport.New(transport.Config{Timeout: -1})
	require.Error(t, err)
	_, err = transport.Plain(transport.Config{MaxBytes: -1})
	require.Error(t, err)
}

// Limits are by the hour: who asks for more is believed for two, be it a slip or a
// number that no duration holds.
func TestAskedForTooLongARest(t *testing.T) {
	far := time.Now().AddDate(1, 0, 0)
	for name, h := range map[string]http.Header{
		"seconds": {"Retry-After": {"9223372036854775807"}},
		"date":    {"Retry-After": {far.UTC().Format(http.TimeFormat)}},
		"reset":   {"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(far.Unix(), 10)}},
	} {
		after, asked := transport.RetryAfter(&http.Response{StatusCode: http.StatusTooManyRequests, Header: h})
		require.True(t, asked, name)
		require.Equal(t, 2*time.Hour, after, name)
	}
	after, asked := transport.RetryAfter(&http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"90"}}})
	require.True(t, asked)
	require.Equal(t, 90*time.Second, after)
}
