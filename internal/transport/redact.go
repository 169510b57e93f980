// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

const redacted = "redacted"

// RedactURL gives a URL that may be shown: without user, password, query values
// and fragment. What does not parse is not shown at all.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return redacted
	}
	if u.User != nil {
		u.User = url.User(redacted)
	}
	if u.RawQuery != "" {
		u.RawQuery = redacted
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

// Redact gives an error whose text holds no credential of a URL. errors.Is and
// errors.As still see the causes.
func Redact(err error) error {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return err
	}
	return &url.Error{Op: failed.Op, URL: RedactURL(failed.URL), Err: Redact(failed.Err)}
}

// redacting is outermost. A URL that carries a credential is refused: the
// standard client would show its user part in every error.
type redacting struct {
	base http.RoundTripper
}

// CloseIdleConnections lets a client begin anew.
func (t *redacting) CloseIdleConnections() { (&http.Client{Transport: t.base}).CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (t *redacting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.User != nil {
		return nil, fmt.Errorf("%s: a URL with a user or password is refused", RedactURL(r.URL.String()))
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, Redact(err)
	}
	return resp, nil
}
