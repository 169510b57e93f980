// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rooted brings the roots of trust for TLS where the system has none. They are
// read before the first https request: an agent that speaks plain http, because
// everything is signed and sealed anyway, spends neither time nor memory on them.
type rooted struct {
	base http.RoundTripper
	once sync.Once
	err  error
}

// CloseIdleConnections lets a client begin anew.
func (r *rooted) CloseIdleConnections() { (&http.Client{Transport: r.base}).CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (r *rooted) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "https" {
		r.once.Do(func() {
			var pool *x509.CertPool
			if pool, r.err = roots(); r.err == nil {
				x509.SetFallbackRoots(pool)
			}
		})
		if r.err != nil {
			return nil, r.err
		}
	}
	return r.base.RoundTrip(req)
}

// roots is the pool that package fallback installs.
func roots() (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			return nil, fmt.Errorf("read roots of trust: %w", err)
		}
		if root.Constraint == nil {
			pool.AddCert(cert)
		} else {
			pool.AddCertWithConstraint(cert, root.Constraint)
		}
	}
	return pool, nil
}
