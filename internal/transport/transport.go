// SPDX-License-Identifier: Apache-2.0

// Package transport makes the HTTP clients that everything of ours speaks
// through: with time-outs, a limit on what is read, redirects that stay where
// they were sent and errors that hold no credential. It is the only importer of
// go-retryablehttp. It must not know any API, and it brings no CA roots: the
// mains import those.
package transport

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	defaultTimeout  = 30 * time.Second
	defaultMaxBytes = 8 << 20
	defaultRetries  = 4
	defaultMinWait  = 500 * time.Millisecond
	defaultMaxWait  = 30 * time.Second

	dialTimeout    = 10 * time.Second
	maxHeaderBytes = 64 << 10
	maxRedirects   = 5
)

// Config says how a client behaves. Every zero value is usable.
type Config struct {
	// Timeout bounds one attempt, body included. Zero: 30 s.
	Timeout time.Duration
	// MaxBytes bounds the body of one response. Zero: 8 MiB.
	MaxBytes int64
	// Retries is how often New's client tries again. Zero: 4. Plain never does.
	Retries int
	// MinWait and MaxWait bound the wait between two attempts. A server that
	// asks for longer than MaxWait gets its answer handed up at once, so that
	// the caller decides. Zero: 0.5 s and 30 s.
	MinWait, MaxWait time.Duration
	// Base sends the requests. Nil: an own http.Transport with time-outs.
	Base http.RoundTripper
	// Logger gets one line for each retry. Nil: none.
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Timeout < 0 || c.MaxBytes < 0 || c.Retries < 0 || c.MinWait < 0 || c.MaxWait < 0 {
		return c, errors.New("transport: negative limit")
	}
	c.Timeout = orDefault(c.Timeout, defaultTimeout)
	c.MaxBytes = orDefault(c.MaxBytes, defaultMaxBytes)
	c.Retries = orDefault(c.Retries, defaultRetries)
	c.MinWait = orDefault(c.MinWait, defaultMinWait)
	c.MaxWait = max(orDefault(c.MaxWait, defaultMaxWait), c.MinWait)
	if c.Base == nil {
		c.Base = newBase(c.Timeout)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func orDefault[T int | int64 | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

func newBase(timeout time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  timeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// New makes a client that tries again: after a connection error, a body that
// was cut off, 429, and 500 and above, honouring Retry-After and GitHub's rate
// limit headers up to MaxWait. Each body is read whole within its attempt, so
// that a cut-off answer is an error before anybody decodes half of it. A POST
// is repeated only when the server said that it did nothing (429, 403 with
// Retry-After, 503 with Retry-After): repeating one that may have worked would
// do it twice. When all attempts fail, the last answer is handed up.
func New(c Config) (*http.Client, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	retrying := retryablehttp.NewClient()
	retrying.HTTPClient = &http.Client{
		Transport:     &limited{base: c.Base, max: c.MaxBytes, whole: true},
		Timeout:       c.Timeout,
		CheckRedirect: sameOrigin,
	}
	retrying.Logger = nil
	retrying.RetryMax = c.Retries
	retrying.RetryWaitMin = c.MinWait
	retrying.RetryWaitMax = c.MaxWait
	retrying.CheckRetry = checkRetry(c.MaxWait)
	retrying.Backoff = backoff
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	retrying.RequestLogHook = func(_ retryablehttp.Logger, r *http.Request, attempt int) {
		if attempt > 0 {
			c.Logger.Warn("request repeated", "method", r.Method, "url", RedactURL(r.URL.String()), "attempt", attempt+1)
		}
	}
	return &http.Client{
		Transport:     &redacting{base: &retryablehttp.RoundTripper{Client: retrying}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// Plain makes a client that tries once and streams the body, with the same
// limits. A body that is longer than MaxBytes ends with ErrTooLarge. It suits
// a loop that asks again anyway.
func Plain(c Config) (*http.Client, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     &redacting{base: &limited{base: c.Base, max: c.MaxBytes}},
		Timeout:       c.Timeout,
		CheckRedirect: sameOrigin,
	}, nil
}

// sameOrigin refuses a redirect that leaves the server: a RoundTripper that adds
// a credential would hand it to whoever the answer names.
func sameOrigin(next *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	first := via[0].URL
	if next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
		return fmt.Errorf("redirect to another server %s refused", RedactURL(next.URL.String()))
	}
	return nil
}
