// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrTooLarge is a response body beyond Config.MaxBytes.
var ErrTooLarge = errors.New("response is larger than allowed")

// attemptError is an attempt that got no whole answer.
type attemptError struct {
	err        error
	repeatable bool
}

func (e *attemptError) Error() string { return e.err.Error() }
func (e *attemptError) Unwrap() error { return e.err }

// limited bounds what is read of a response. With whole, the body is in memory
// before the caller sees it.
type limited struct {
	base  http.RoundTripper
	max   int64
	whole bool
}

// CloseIdleConnections lets a client begin anew.
func (l *limited) CloseIdleConnections() { (&http.Client{Transport: l.base}).CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.base.RoundTrip(r)
	if err != nil {
		return nil, &attemptError{err: err, repeatable: repeatable(r)}
	}
	if resp.ContentLength > l.max {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%d bytes: %w", resp.ContentLength, ErrTooLarge)
	}
	resp.Body = &limitedBody{body: resp.Body, left: l.max}
	if !l.whole {
		return resp, nil
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, &attemptError{err: fmt.Errorf("read answer: %w", err), repeatable: repeatable(r)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, nil
}

type limitedBody struct {
	body io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	// One byte more than allowed is asked for, so that a body of exactly the
	// allowed size still ends with io.EOF.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), ErrTooLarge
	}
	b.left -= int64(n)
	return n, err
}

func (b *limitedBody) Close() error { return b.body.Close() }
