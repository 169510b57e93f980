// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// checkRetry decides whether an attempt is repeated. It never waits longer than
// limit for a server: the answer goes up instead, with its headers.
func checkRetry(limit time.Duration) retryablehttp.CheckRetry {
	return func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			return retryableError(ctx, resp, err)
		}
		wait, asked := RetryAfter(resp)
		if asked && wait > limit {
			return false, nil
		}
		switch {
		case resp.StatusCode == http.StatusTooManyRequests:
			return true, nil
		case resp.StatusCode == http.StatusForbidden:
			return asked, nil
		case resp.StatusCode == http.StatusNotImplemented:
			return false, nil
		case resp.StatusCode >= http.StatusInternalServerError:
			return repeatable(resp.Request) || (asked && resp.StatusCode == http.StatusServiceUnavailable), nil
		}
		return false, nil
	}
}

func retryableError(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if errors.Is(err, ErrTooLarge) {
		return false, err
	}
	if attempt, ok := errors.AsType[*attemptError](err); ok {
		if !attempt.repeatable {
			return false, err
		}
		return true, nil
	}
	// What is left are errors of the client itself: a refused redirect, a bad
	// URL. The library knows which of them are permanent.
	return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
}

// repeatable says whether doing a request twice is the same as doing it once.
// Our only PATCH sets a comment's whole body, which is.
func repeatable(r *http.Request) bool {
	return r != nil && r.Method != http.MethodPost
}

func backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil {
		if wait, asked := RetryAfter(resp); asked {
			return max(wait, least)
		}
	}
	wait := least
	for range attempt {
		wait = min(wait*2, most)
	}
	return wait
}

// RetryAfter says how long a server wants to be left alone: by Retry-After, or
// by an exhausted X-RateLimit-Remaining with its X-RateLimit-Reset. The second
// result is false when it does not ask.
func RetryAfter(resp *http.Response) (time.Duration, bool) {
	if v := resp.Header.Get("Retry-After"); v != "" {
		if seconds, err := strconv.Atoi(v); err == nil && seconds >= 0 {
			return time.Duration(min(seconds, int(longest/time.Second))) * time.Second, true
		}
		if at, err := http.ParseTime(v); err == nil {
			return bounded(time.Until(at)), true
		}
	}
	limited := resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusTooManyRequests
	if limited && resp.Header.Get("X-RateLimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return bounded(time.Until(time.Unix(reset, 0))), true
		}
	}
	return 0, false
}

// longest is what a server is believed that asks for its rest. Limits are by the hour;
// who is off by a clock or a digit is asked again, and obeyed again.
const longest = 2 * time.Hour

func bounded(d time.Duration) time.Duration { return min(max(d, 0), longest) }
