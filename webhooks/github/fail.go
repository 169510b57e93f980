// SPDX-License-Identifier: Apache-2.0

package github

import (
	"errors"
	"net/http"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
)

// fail turns what a call ended with into a *webhooks.Error; nil stays nil. A secondary
// limit may stand in the words of an answer alone.
func (f *Forge) fail(op string, err error) error {
	limited := func(after time.Duration) error {
		return &webhooks.Error{Op: op, Reason: webhooks.RateLimited, After: after, Err: transport.Redact(err)}
	}
	if primary, ok := errors.AsType[*github.RateLimitError](err); ok {
		return limited(max(time.Until(primary.Rate.Reset.Time), 0))
	}
	if secondary, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
		f.budget.Rest(secondary.GetRetryAfter())
		return limited(secondary.GetRetryAfter())
	}
	var answer *http.Response
	if refused, ok := errors.AsType[*github.ErrorResponse](err); ok {
		answer = refused.Response
	}
	if refused, ok := errors.AsType[*ghinstallation.HTTPError](err); ok && refused.Response != nil {
		answer, err = refused.Response, errors.New("the App got no token: the server answered "+refused.Response.Status)
	}
	return webhooks.Fail(op, answer, err)
}
