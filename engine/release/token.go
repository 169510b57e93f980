// SPDX-License-Identifier: Apache-2.0

package release

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// TokenLife is how long a token can be used where nobody says otherwise.
const TokenLife = time.Hour

const (
	tokenPrefix = "ENR1"
	tokenIDSize = 8
	secretSize  = 32
)

// Token lets one named host enrol once. Its secret proves the host to the
// controller and the controller to the host; its fingerprint pins the root.
// Printing it with a format verb shows the id alone.
type Token struct {
	id     string
	secret [secretSize]byte
	root   string
}

// TokenRecord is what the controller keeps of a token. Key is a one-way hash of the
// secret: the token cannot be made from it. While the token lives, whoever reads Key
// can answer for either side, so it is kept as a secret too.
type TokenRecord struct {
	ID   string
	Host string
	Key  [sha256.Size]byte
	// Root is the fingerprint of the root that the token pins.
	Root    string
	Expires time.Time
	// UsedBy is the fingerprint of the identity that used the token; "" before.
	UsedBy string
}

// MintToken makes a token for one host that ends at expires, and what to keep of it.
func MintToken(host string, root *Root, expires time.Time) (Token, TokenRecord, error) {
	if host == "" {
		return Token{}, TokenRecord{}, errors.New("mint token: no host")
	}
	t := Token{root: root.Fingerprint()}
	var id [tokenIDSize]byte
	if _, err := rand.Read(id[:]); err != nil {
		return Token{}, TokenRecord{}, fmt.Errorf("mint token: %w", err)
	}
	if _, err := rand.Read(t.secret[:]); err != nil {
		return Token{}, TokenRecord{}, fmt.Errorf("mint token: %w", err)
	}
	t.id = hex.EncodeToString(id[:])
	return t, TokenRecord{ID: t.id, Host: host, Key: t.key(), Root: t.root, Expires: expires}, nil
}

// NewHostID makes the id of a newly enrolled host: 128 random bits, so that nobody
// finds a host's files by guessing, and a host that enrols again gets a new path.
func NewHostID() (string, error) {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", fmt.Errorf("make host id: %w", err)
	}
	return hex.EncodeToString(id[:]), nil
}

// ParseToken reads what Text wrote. Its errors never repeat the input.
func ParseToken(text string) (Token, error) {
	parts := strings.Split(strings.TrimSpace(text), "-")
	if len(parts) != 4 || parts[0] != tokenPrefix {
		return Token{}, fmt.Errorf("%w: it does not look like %s-<id>-<secret>-<root>", ErrToken, tokenPrefix)
	}
	t := Token{id: parts[1], root: parts[3]}
	if len(t.id) != 2*tokenIDSize || !isHex(t.id) {
		return Token{}, fmt.Errorf("%w: the id in the token is damaged", ErrToken)
	}
	secret, err := decodeBase32(parts[2])
	if err != nil || len(secret) != secretSize {
		return Token{}, fmt.Errorf("%w: the secret in the token is damaged", ErrToken)
	}
	if root, err := decodeBase32(t.root); err != nil || len(root) != sha256.Size {
		return Token{}, fmt.Errorf("%w: the root fingerprint in the token is damaged", ErrToken)
	}
	copy(t.secret[:], secret)
	return t, nil
}

// decodeBase32 accepts only what the encoder writes: trailing bits must be zero.
func decodeBase32(s string) ([]byte, error) {
	data, err := lowerBase32.DecodeString(s)
	if err != nil || lowerBase32.EncodeToString(data) != s {
		return nil, errors.New("malformed")
	}
	return data, nil
}

// Text is the token itself. Show it once, to the one who asked for it.
func (t Token) Text() string {
	return strings.Join([]string{tokenPrefix, t.id, lowerBase32.EncodeToString(t.secret[:]), t.root}, "-")
}

// ID names the token in listings and logs.
func (t Token) ID() string { return t.id }

// RootFingerprint is what the root must have that the controller hands out.
func (t Token) RootFingerprint() string { return t.root }

// String shows the id alone.
func (t Token) String() string { return "token " + t.id }

// GoString shows the id alone.
func (t Token) GoString() string { return t.String() }

// LogValue shows the id alone.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String shows no key.
func (r TokenRecord) String() string { return "token " + r.ID + " for " + r.Host }

// GoString shows no key.
func (r TokenRecord) GoString() string { return r.String() }

// LogValue shows no key.
func (r TokenRecord) LogValue() slog.Value { return slog.StringValue(r.String()) }

func (t Token) key() [sha256.Size]byte {
	return sha256.Sum256(append([]byte("bindery enrolment token v1\x00"), t.secret[:]...))
}

// Each direction and step has a key of its own, so that no message can be turned
// round and shown to its sender.
const (
	labelRequest   = "host to controller"
	labelChallenge = "controller to host: challenge"
	labelWelcome   = "controller to host: welcome"
)

// proof authenticates parts under a token's key. Parts are length-prefixed by being
// hashed first.
func proof(key [sha256.Size]byte, label string, parts ...[]byte) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, key[:], nil, "bindery "+label, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	mac := hmac.New(sha256.New, k)
	for _, p := range parts {
		sum := sha256.Sum256(p)
		mac.Write(sum[:])
	}
	return mac.Sum(nil), nil
}
