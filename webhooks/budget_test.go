// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// over is a budget with a transport behind it.
type over struct {
	*webhooks.Budget
	http.RoundTripper
}

func overBudget(base http.RoundTripper, now func() time.Time) over {
	b := webhooks.NewBudget(now)
	return over{b, b.Over(base)}
}

func TestBudgetOfWrites(t *testing.T) {
	now, sent := time.Unix(1_800_000_000, 0), 0
	b := overBudget(roundTrip(func(*http.Request) (*http.Response, error) {
		sent++
		return httptest.NewRecorder().Result(), nil
	}), func() time.Time { return now })
	write := func(method, path string) error {
		_, err := b.RoundTrip(httptest.NewRequest(method, path, nil)) //nolint:bodyclose // there is no body
		return webhooks.Fail("write", nil, err)
	}
	for range 80 {
		require.NoError(t, write("POST", "/x"))
		now = now.Add(100 * time.Millisecond)
	}
	var limited *webhooks.Error
	require.ErrorAs(t, write("PATCH", "/x"), &limited)
	require.Equal(t, webhooks.RateLimited, limited.Reason)
	require.Equal(t, 52*time.Second, limited.After)
	require.NoError(t, write("GET", "/x"))
	require.NoError(t, write("POST", "/app/installations/1/access_tokens"))
	require.Equal(t, 82, sent)

	// At the pace of a minute an hour is full soon.
	refused := time.Duration(0)
	for range 1000 {
		now = now.Add(time.Second)
		if err := write("POST", "/x"); err != nil {
			require.ErrorAs(t, err, &limited)
			refused = max(refused, limited.After)
		}
	}
	require.Equal(t, 82+420, sent)
	require.Greater(t, refused, 40*time.Minute)
	now = now.Add(time.Hour)
	require.NoError(t, write("DELETE", "/x"))
}

func TestBudgetKeepsAReserve(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	left, prefix := 501, "X-RateLimit-"
	b := overBudget(roundTrip(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set(prefix+"Limit", "5000")
		w.Header().Set(prefix+"Remaining", strconv.Itoa(left))
		w.Header().Set(prefix+"Reset", strconv.FormatInt(now.Add(time.Hour).Unix(), 10))
		return w.Result(), nil
	}), func() time.Time { return now })
	get := func() {
		_, err := b.RoundTrip(httptest.NewRequest("GET", "/", nil)) //nolint:bodyclose // there is no body
		require.NoError(t, err)
	}
	require.NoError(t, b.Spare("list"), "nothing is known yet")
	get()
	require.NoError(t, b.Spare("list"))
	left, prefix = 500, "RateLimit-"
	get()
	var limited *webhooks.Error
	require.ErrorAs(t, b.Spare("list"), &limited)
	require.Equal(t, webhooks.RateLimited, limited.Reason)
	require.Equal(t, time.Hour, limited.After)
	get() // what was begun goes on
	now = now.Add(61 * time.Minute)
	require.NoError(t, b.Spare("list"))
}

// Whoever shares a budget leaves the forge alone as soon as one of them is asked to.
func TestBudgetIsOneForAll(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		after string
		rest  time.Duration
	}{
		"it says for how long": {http.StatusTooManyRequests, "3600", time.Hour},
		"it does not":          {http.StatusTooManyRequests, "", time.Minute},
		"secondary":            {http.StatusForbidden, "120", 2 * time.Minute},
		"only refused":         {http.StatusForbidden, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			now, sent := time.Unix(1_800_000_000, 0), 0
			b := webhooks.NewBudget(func() time.Time { return now })
			first := b.Over(roundTrip(func(*http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				w.Header().Set("Retry-After", c.after)
				w.Code = c.code
				return w.Result(), nil
			}))
			second := b.Over(roundTrip(func(*http.Request) (*http.Response, error) {
				sent++
				return httptest.NewRecorder().Result(), nil
			}))
			ask := func(by http.RoundTripper) error {
				_, err := by.RoundTrip(httptest.NewRequest("GET", "/", nil)) //nolint:bodyclose // there is no body
				return err
			}
			require.NoError(t, ask(second))
			require.NoError(t, ask(first))
			if c.rest > 0 {
				var limited *webhooks.Error
				require.ErrorAs(t, ask(second), &limited)
				require.Equal(t, webhooks.RateLimited, limited.Reason)
				require.Equal(t, c.rest, limited.After)
				require.Equal(t, 1, sent)
			}
			now = now.Add(c.rest)
			require.NoError(t, ask(second))
			require.Equal(t, 2, sent)
		})
	}
}
