// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"filippo.io/age"
)

// Identity is what makes a host itself: the key that signs its messages and the
// key that opens its bundles. It never leaves the host.
type Identity struct {
	// signing works the key out when it is asked first: a host signs when it has
	// something to say, and reads its identity in every run.
	signing func() ed25519.PrivateKey
	unseal  *age.HybridIdentity
}

// PublicIdentity is the half of an identity that the controller keeps.
type PublicIdentity struct {
	// Signing verifies the host's messages.
	Signing ed25519.PublicKey
	// Recipient is the age recipient that the host's bundles are sealed to.
	Recipient string
}

// NewIdentity makes both keys.
func NewIdentity() (*Identity, error) {
	_, signing, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	unseal, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, fmt.Errorf("make sealing key: %w", err)
	}
	return &Identity{signing: func() ed25519.PrivateKey { return signing }, unseal: unseal}, nil
}

// Public returns the public half.
func (i *Identity) Public() PublicIdentity {
	return PublicIdentity{Signing: i.signing().Public().(ed25519.PublicKey), Recipient: i.unseal.Recipient().String()}
}

// String never shows a key.
func (i *Identity) String() string { return "identity " + i.Public().Fingerprint() }

// GoString never shows a key.
func (i *Identity) GoString() string { return i.String() }

// LogValue never shows a key.
func (i *Identity) LogValue() slog.Value { return slog.StringValue(i.String()) }

// Fingerprint names the identity: it covers both public keys.
func (p PublicIdentity) Fingerprint() string {
	h := sha256.New()
	h.Write(p.Signing)
	h.Write([]byte(p.Recipient))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Validate checks the form of both keys.
func (p PublicIdentity) Validate() error {
	if len(p.Signing) != ed25519.PublicKeySize {
		return errors.New("signing key is not an ed25519 key")
	}
	if _, err := age.ParseHybridRecipient(p.Recipient); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	return nil
}

const pemPrivate = "PRIVATE KEY"

// Marshal writes the identity as text: the signing key as PEM (PKCS #8), then the
// sealing key as the age command writes it.
func (i *Identity) Marshal() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(i.signing())
	if err != nil {
		return nil, fmt.Errorf("encode signing key: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: pemPrivate, Bytes: der})
	return append(out, i.unseal.String()+"\n"...), nil
}

// ParseIdentity reads what Marshal wrote. Its errors never repeat the input.
func ParseIdentity(data []byte) (*Identity, error) {
	block, rest := pem.Decode(data)
	if block == nil || block.Type != pemPrivate || !bytes.HasPrefix(data, []byte("-----BEGIN ")) {
		return nil, errors.New("identity: no signing key in front")
	}
	signing, err := signingKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	unseal, err := age.ParseHybridIdentity(strings.TrimSuffix(string(rest), "\n"))
	if err != nil {
		return nil, errors.New("identity: the sealing key is missing or damaged")
	}
	return &Identity{signing: signing, unseal: unseal}, nil
}

// ed25519Head is what comes before the 32 bytes of a key in PKCS #8, as Marshal writes
// it and nearly everybody else: RFC 8410, section 7.
const ed25519Head = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"

// signingKey reads a key in PKCS #8. Any 32 bytes make a good one, so that nothing is
// left to go wrong when the key is worked out.
func signingKey(der []byte) (func() ed25519.PrivateKey, error) {
	if seed, ok := bytes.CutPrefix(der, []byte(ed25519Head)); ok && len(seed) == ed25519.SeedSize {
		return sync.OnceValue(func() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(seed) }), nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("identity: the signing key is damaged")
	}
	signing, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("identity: the signing key is not an ed25519 key")
	}
	return func() ed25519.PrivateKey { return signing }, nil
}
