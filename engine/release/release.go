// SPDX-License-Identifier: Apache-2.0

// Package release is the envelope: everything that crosses the network between
// the controller, dumb storage and the agents. It packs one host's configuration
// into a sealed bundle, signs and verifies the host's TUF metadata, and holds the
// messages of enrolment, facts and reports.
//
// The package is pure. It does no I/O, it is told the time, and randomness is
// only inside age, the signers and where keys and tokens are made. It must not
// know how a configuration is computed, stored, fetched or applied. No
// cryptographic format and no verification rule of TUF is written here: those are
// go-tuf's, age's and DSSE's.
package release

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Format is the version of the bundle format that this package writes. Readers
// accept it and every earlier one.
const Format = 1

// Limits on what is read. A writer refuses to make what a reader would refuse.
const (
	MaxRoot      = 256 << 10
	MaxTimestamp = 16 << 10
	MaxMetadata  = 64 << 10  // snapshot and targets of one host
	MaxSealed    = 64 << 20  // a sealed bundle
	MaxConfig    = 128 << 20 // configuration.xml
	MaxProbes    = 8 << 20   // probes.json
	MaxManifest  = 1 << 20   // manifest.json
	MaxEnrolment = 512 << 10 // one enrolment message
	MaxFacts     = 4 << 20   // one facts envelope
	MaxReport    = 8 << 20   // one report envelope
)

// What went wrong, for callers that branch. All of the trust errors also match
// ErrUntrusted, so that one test decides about exit code 4.
var (
	// ErrUntrusted is anything that did not verify.
	ErrUntrusted = errors.New("not trusted")
	// ErrRollback is something older than what was already accepted.
	ErrRollback = trustError("older than what was already accepted")
	// ErrExpired is validly signed, but its time is over: a frozen or dead source.
	ErrExpired = trustError("expired")
	// ErrWrongHost is validly signed, but for another host.
	ErrWrongHost = trustError("made for another host")
	// ErrMismatch is content whose length or hash is not the signed one.
	ErrMismatch = trustError("content differs from what was signed")
	// ErrSealed is a bundle that this host's key does not open.
	ErrSealed = trustError("not sealed to this host's key")
	// ErrToken is an enrolment that its token does not allow.
	ErrToken = trustError("enrolment refused")
	// ErrTokenExpired is an enrolment after the token's time.
	ErrTokenExpired = fmt.Errorf("%w: the token has expired", ErrToken)
	// ErrTokenUsed is a token that another key has used already: somebody has a
	// copy of it. Raise an alarm.
	ErrTokenUsed = fmt.Errorf("%w: the token was already used by another key", ErrToken)
	// ErrFormat is a bundle that this program cannot read, although it may be good.
	ErrFormat = errors.New("unknown bundle format")
	// ErrTooLarge is more bytes than the limit of their kind.
	ErrTooLarge = errors.New("too large")
)

func trustError(text string) error { return fmt.Errorf("%w: %s", ErrUntrusted, text) }

// Paths of everything that is published, below one prefix.

// RootPath is where root metadata of a version is published.
func RootPath(version int64) string {
	return "root/" + strconv.FormatInt(version, 10) + ".root.json"
}

// HostPath is where a document of one host is published.
func HostPath(hostID, name string) string { return "h/" + hostID + "/" + name }

// TimestampName is the name of the only document that ever changes.
const TimestampName = "timestamp.json"

// SnapshotName is the name of the snapshot of a version.
func SnapshotName(version int64) string { return strconv.FormatInt(version, 10) + ".snapshot.json" }

// TargetsName is the name of the targets metadata of a version.
func TargetsName(version int64) string { return strconv.FormatInt(version, 10) + ".targets.json" }

// BundleName is the name of a sealed bundle by its SHA-256 in hexadecimal.
func BundleName(sum string) string { return sum + ".bundle" }

// ValidHostID tells whether a host id has the form that enrolment gives out: 128
// bits in lower-case hexadecimal. Anything else must never become part of a path.
func ValidHostID(id string) bool { return len(id) == 32 && isHex(id) }

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// decodeStrict reads exactly one JSON value, with no unknown fields.
func decodeStrict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("data after the end")
	}
	return nil
}

func checkSize(what string, size, limit int) error {
	if size > limit {
		return fmt.Errorf("%s of %d bytes is over the limit of %d: %w", what, size, limit, ErrTooLarge)
	}
	return nil
}
