// SPDX-License-Identifier: Apache-2.0

package github

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
)

// fail turns what a call ended with into a *webhooks.Error; nil stays nil.
func fail(op string, err error) error {
	if err == nil {
		return nil
	}
	reason, after := classify(err)
	return &webhooks.Error{Op: op, Reason: reason, After: after, Err: transport.Redact(err)}
}

func classify(err error) (webhooks.Reason, time.Duration) {
	if primary, ok := errors.AsType[*github.RateLimitError](err); ok {
		return webhooks.RateLimited, max(time.Until(primary.Rate.Reset.Time), 0)
	}
	if secondary, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
		return webhooks.RateLimited, secondary.GetRetryAfter()
	}
	if refused, ok := errors.AsType[*github.ErrorResponse](err); ok {
		return classifyAnswer(refused.Response)
	}
	var broken *url.Error
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, transport.ErrTooLarge):
		return webhooks.Invalid, 0
	case errors.As(err, &broken), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return webhooks.Unreachable, 0
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, io.ErrUnexpectedEOF):
		// Something between us and the forge answered instead of it.
		return webhooks.Unavailable, 0
	}
	return webhooks.Invalid, 0
}

func classifyAnswer(resp *http.Response) (webhooks.Reason, time.Duration) {
	after, asked := transport.RetryAfter(resp)
	switch code := resp.StatusCode; {
	case asked, code == http.StatusTooManyRequests:
		return webhooks.RateLimited, after
	case code >= http.StatusInternalServerError:
		return webhooks.Unavailable, 0
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return webhooks.Denied, 0
	case code == http.StatusNotFound, code == http.StatusGone:
		return webhooks.Missing, 0
	}
	return webhooks.Invalid, 0
}
