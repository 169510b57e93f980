// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/bindery/bindery/internal/transport"
)

// Fail turns what a call ended with into an *Error; nil stays nil. resp is the
// forge's answer, nil where there was none. It is for the packages of forges.
func Fail(op string, resp *http.Response, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return &Error{Op: op, Reason: own.Reason, After: own.After, Err: own.Err}
	}
	reason, after := classify(resp, err)
	return &Error{Op: op, Reason: reason, After: after, Err: transport.Redact(err)}
}

func classify(resp *http.Response, err error) (Reason, time.Duration) {
	if resp != nil && resp.StatusCode >= http.StatusBadRequest {
		return classifyAnswer(resp)
	}
	var broken *url.Error
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, transport.ErrTooLarge):
		return Invalid, 0
	case errors.As(err, &broken), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Unreachable, 0
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, io.ErrUnexpectedEOF):
		// Something between us and the forge answered instead of it.
		return Unavailable, 0
	}
	return Invalid, 0
}

func classifyAnswer(resp *http.Response) (Reason, time.Duration) {
	after, asked := transport.RetryAfter(resp)
	switch code := resp.StatusCode; {
	case asked, code == http.StatusTooManyRequests:
		return RateLimited, after
	case code >= http.StatusInternalServerError:
		return Unavailable, 0
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return Denied, 0
	case code == http.StatusNotFound, code == http.StatusGone:
		return Missing, 0
	}
	return Invalid, 0
}
