// SPDX-License-Identifier: Apache-2.0

package api

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

// MintToken makes a one-time token for a host of an environment, and the row to add to
// the database.
// Rebind lets it replace a host of that name. The token's text is shown once; the
// row does not hold its secret.
func MintToken(host, environment string, root *release.Root, rebind bool, expires time.Time) (release.Token, store.Token, error) {
	token, rec, err := release.MintToken(host, root, expires)
	if err != nil {
		return release.Token{}, store.Token{}, err
	}
	// The column holds the key and then the pinned root's fingerprint.
	return token, store.Token{
		ID: rec.ID, Host: rec.Host, Environment: environment, Verifier: append(rec.Key[:], rec.Root...), Rebind: rebind, Expires: rec.Expires,
	}, nil
}

// recordOf reads a row back. UsedBy is for the caller.
func recordOf(t store.Token) (release.TokenRecord, error) {
	if len(t.Verifier) <= sha256.Size {
		return release.TokenRecord{}, fmt.Errorf("token %s: %w", t.ID, errors.New("its row is damaged"))
	}
	return release.TokenRecord{
		ID: t.ID, Host: t.Host, Key: [sha256.Size]byte(t.Verifier), Root: string(t.Verifier[sha256.Size:]), Expires: t.Expires,
	}, nil
}
