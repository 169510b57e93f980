// SPDX-License-Identifier: Apache-2.0

package release

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// Payload types of the messages that a host signs.
const (
	typeEnrol  = "application/vnd.bindery.enrol.v1+json"
	typeFacts  = "application/vnd.bindery.facts.v1+json"
	typeReport = "application/vnd.bindery.report.v1+json"
)

// sign signs a message with a host's own key.
func (i *Identity) sign(payloadType string, message any, limit int) ([]byte, error) {
	payload, err := json.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	s, err := dsse.NewEnvelopeSigner(hostSigner{i.signing()})
	if err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	// The signer never blocks; the library asks for a context.
	env, err := s.SignPayload(context.Background(), payloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	data, err := json.Marshal(env)
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	return data, checkSize("message", len(data), limit)
}

// envelope is a message whose signature was not looked at yet.
type envelope struct {
	dsse    dsse.Envelope
	payload []byte
}

func parseEnvelope(data []byte, payloadType string, limit int) (*envelope, error) {
	if err := checkSize("message", len(data), limit); err != nil {
		return nil, err
	}
	e := &envelope{}
	if err := decodeStrict(data, &e.dsse); err != nil {
		return nil, fmt.Errorf("read envelope: %w: %w", ErrUntrusted, err)
	}
	if e.dsse.PayloadType != payloadType {
		return nil, fmt.Errorf("envelope of type %.80q where %s was expected: %w", e.dsse.PayloadType, payloadType, ErrUntrusted)
	}
	if len(e.dsse.Signatures) != 1 {
		return nil, fmt.Errorf("envelope with %d signatures: %w", len(e.dsse.Signatures), ErrUntrusted)
	}
	payload, err := e.dsse.DecodeB64Payload()
	if err != nil {
		return nil, fmt.Errorf("read envelope: %w: %w", ErrUntrusted, err)
	}
	e.payload = payload
	return e, nil
}

func (e *envelope) verify(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("verify message: %w: no such key", ErrUntrusted)
	}
	v, err := dsse.NewEnvelopeVerifier(hostVerifier{key})
	if err != nil {
		return fmt.Errorf("verify message: %w", err)
	}
	if _, err := v.Verify(context.Background(), &e.dsse); err != nil {
		return fmt.Errorf("verify message: %w: %w", ErrUntrusted, err)
	}
	return nil
}

// KeyOf finds the signing key of an enrolled host. Messages name their host; what
// they say is looked at only after the signature was verified with that key.
type KeyOf func(hostID string) (ed25519.PublicKey, error)

// openSigned reads one message into into, whose host id is hostID after decoding.
func openSigned(data []byte, payloadType string, limit int, into any, hostID *string, keyOf KeyOf) error {
	e, err := parseEnvelope(data, payloadType, limit)
	if err != nil {
		return err
	}
	if err := decodeStrict(e.payload, into); err != nil {
		return fmt.Errorf("read message: %w: %w", ErrUntrusted, err)
	}
	if !ValidHostID(*hostID) {
		return fmt.Errorf("read message: %w: the host id is malformed", ErrUntrusted)
	}
	key, err := keyOf(*hostID)
	if err != nil {
		return fmt.Errorf("key of host id %s: %w", *hostID, err)
	}
	return e.verify(key)
}

type hostSigner struct{ key ed25519.PrivateKey }

// Sign implements dsse.Signer.
func (s hostSigner) Sign(_ context.Context, data []byte) ([]byte, error) {
	return ed25519.Sign(s.key, data), nil
}

// KeyID implements dsse.Signer.
func (s hostSigner) KeyID() (string, error) { return KeyID(s.key.Public()) }

type hostVerifier struct{ key ed25519.PublicKey }

// Verify implements dsse.Verifier.
func (v hostVerifier) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(v.key, data, sig) {
		return errors.New("the signature does not fit")
	}
	return nil
}

// KeyID implements dsse.Verifier.
func (v hostVerifier) KeyID() (string, error) { return KeyID(v.key) }

// Public implements dsse.Verifier.
func (v hostVerifier) Public() crypto.PublicKey { return v.key }

var (
	_ dsse.Signer   = hostSigner{}
	_ dsse.Verifier = hostVerifier{}
)
