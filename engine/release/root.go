// SPDX-License-Identifier: Apache-2.0

package release

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// Signer signs for one role. Keys may be files or live behind a plug-in.
type Signer = signature.Signer

// RoleKeys are the keys of one role and how many of them must sign.
type RoleKeys struct {
	Keys      []crypto.PublicKey
	Threshold int
}

// RootSpec says what a new root trusts.
type RootSpec struct {
	// Version is 1 for the first root, the previous one plus 1 afterwards.
	Version int64
	Expires time.Time

	Root, Targets, Snapshot, Timestamp RoleKeys
}

// Root is root metadata that verified against itself, or against its predecessor.
type Root struct {
	// Data are the exact bytes that were signed and are published.
	Data    []byte
	Version int64
	Expires time.Time
	// Thresholds and key ids by role.
	Thresholds map[string]int
	KeyIDs     map[string][]string
}

// Fingerprint pins the root. It is part of every enrolment token.
func (r *Root) Fingerprint() string { return rootFingerprint(r.Data) }

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func rootFingerprint(data []byte) string {
	sum := sha256.Sum256(data)
	return lowerBase32.EncodeToString(sum[:])
}

// NewRoot makes and signs root metadata. For a successor the signers must reach
// the threshold of the old root as well as of the new one; ParseSuccessor checks it.
func NewRoot(spec RootSpec, signers ...Signer) (*Root, error) {
	if spec.Version < 1 {
		return nil, fmt.Errorf("make root: version %d", spec.Version)
	}
	m := metadata.Root(spec.Expires.UTC().Truncate(time.Second))
	m.Signed.Version = spec.Version
	m.Signed.ConsistentSnapshot = true
	for role, keys := range map[string]RoleKeys{
		metadata.ROOT: spec.Root, metadata.TARGETS: spec.Targets, metadata.SNAPSHOT: spec.Snapshot, metadata.TIMESTAMP: spec.Timestamp,
	} {
		if keys.Threshold < 1 || keys.Threshold > len(keys.Keys) {
			return nil, fmt.Errorf("make root: role %s has %d keys and threshold %d", role, len(keys.Keys), keys.Threshold)
		}
		for _, pub := range keys.Keys {
			key, err := metadata.KeyFromPublicKey(pub)
			if err != nil {
				return nil, fmt.Errorf("make root: key of %s: %w", role, err)
			}
			if err := m.Signed.AddKey(key, role); err != nil {
				return nil, fmt.Errorf("make root: key of %s: %w", role, err)
			}
		}
		m.Signed.Roles[role].Threshold = keys.Threshold
	}
	for _, s := range signers {
		if _, err := m.Sign(s); err != nil {
			return nil, fmt.Errorf("sign root: %w", err)
		}
	}
	data, err := m.ToBytes(false)
	if err != nil {
		return nil, fmt.Errorf("encode root: %w", err)
	}
	return ParseRoot(data)
}

// ParseRoot reads root metadata and verifies it against itself. That is all that
// can be said of a first root: compare its Fingerprint with one that is trusted.
func ParseRoot(data []byte) (*Root, error) {
	if err := checkSize("root metadata", len(data), MaxRoot); err != nil {
		return nil, err
	}
	var out *Root
	err := guard("read root", func() error {
		t, err := trustedmetadata.New(data)
		if err != nil {
			return err
		}
		out, err = describeRoot(data, t.Root)
		return err
	})
	return out, err
}

// ParseSuccessor verifies root N+1 against root N and against itself.
func ParseSuccessor(old *Root, data []byte) (*Root, error) {
	if err := checkSize("root metadata", len(data), MaxRoot); err != nil {
		return nil, err
	}
	var out *Root
	err := guard("read next root", func() error {
		t, err := trustedmetadata.New(old.Data)
		if err != nil {
			return err
		}
		next, err := t.UpdateRoot(data)
		if err != nil {
			return err
		}
		out, err = describeRoot(data, next)
		return err
	})
	return out, err
}

func describeRoot(data []byte, m *metadata.Metadata[metadata.RootType]) (*Root, error) {
	r := &Root{
		Data: slices.Clone(data), Version: m.Signed.Version, Expires: m.Signed.Expires,
		Thresholds: map[string]int{}, KeyIDs: map[string][]string{},
	}
	if !m.Signed.ConsistentSnapshot {
		return nil, errors.New("root without consistent snapshots")
	}
	for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
		got := m.Signed.Roles[role]
		if got == nil || len(got.KeyIDs) == 0 || got.Threshold < 1 {
			return nil, fmt.Errorf("root names no keys for %s", role)
		}
		if err := different(m.Signed.Keys, got.KeyIDs); err != nil {
			return nil, fmt.Errorf("role %s: %w", role, err)
		}
		r.Thresholds[role] = got.Threshold
		r.KeyIDs[role] = slices.Clone(got.KeyIDs)
	}
	return r, nil
}

// different refuses one key under two ids: it would reach a threshold of two alone.
func different(keys map[string]*metadata.Key, ids []string) error {
	seen := map[string]bool{}
	for _, id := range ids {
		key := keys[id]
		if key == nil {
			continue // no signature of it can count, nor of one that cannot be read
		}
		pub, err := key.ToPublicKey()
		if err != nil {
			continue
		}
		der, err := x509.MarshalPKIXPublicKey(pub) // one key may be written in several ways
		if err != nil {
			continue
		}
		if seen[string(der)] {
			return errors.New("one key stands there under two ids")
		}
		seen[string(der)] = true
	}
	return nil
}

// KeyID names a public key as root metadata does.
func KeyID(pub crypto.PublicKey) (string, error) {
	key, err := metadata.KeyFromPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("name key: %w", err)
	}
	return key.ID()
}

// guard turns whatever go-tuf does with hostile metadata into an error that is
// ErrUntrusted, and names the kind of refusal where callers branch on it.
func guard(op string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: %w: malformed metadata", op, ErrUntrusted)
		}
	}()
	err = f()
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrUntrusted) || errors.Is(err, ErrTooLarge) {
		return fmt.Errorf("%s: %w", op, err)
	}
	kind := ErrUntrusted
	switch {
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		kind = ErrExpired
	case errors.Is(err, &metadata.ErrBadVersionNumber{}):
		kind = ErrRollback
	case errors.Is(err, &metadata.ErrLengthOrHashMismatch{}):
		kind = ErrMismatch
	}
	return fmt.Errorf("%s: %w: %s", op, kind, strings.TrimSpace(err.Error()))
}
