// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// typeFleet is the payload type of facts that a controller gives away.
const typeFleet = "application/vnd.bindery.fleet-facts.v1+json"

// maxFleet bounds the facts of a fleet, in bytes.
const maxFleet = 256 << 20

// FleetFacts are the facts of many hosts at one time, for those who build elsewhere
// what the controller would.
type FleetFacts struct {
	Taken time.Time `json:"taken"`
	// Redacted: fingerprints stand for what hosts answered.
	Redacted bool `json:"redacted"`
	// Answered is when each host gave its answers.
	Answered map[string]time.Time `json:"answered"`
	// Hosts are the facts, in the form of which the engine knows.
	Hosts json.RawMessage `json:"hosts"`
}

// SignFacts signs facts with the targets role.
func (s Signers) SignFacts(f FleetFacts) ([]byte, error) {
	payload, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	signer, err := dsse.NewEnvelopeSigner(roleSigner{s.Targets})
	if err != nil {
		return nil, fmt.Errorf("sign facts: %w", err)
	}
	env, err := signer.SignPayload(context.Background(), typeFleet, payload)
	if err != nil {
		return nil, fmt.Errorf("sign facts: %w", err)
	}
	data, err := json.Marshal(env)
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	return data, checkSize("facts", len(data), maxFleet)
}

// IsFleetFacts tells whether data look like what SignFacts made.
func IsFleetFacts(data []byte) bool {
	var e struct {
		PayloadType string `json:"payloadType"`
	}
	return json.Unmarshal(data, &e) == nil && e.PayloadType == typeFleet
}

// ReadFleetFacts reads facts whoever signed them: for those who have them from a place
// that they trust.
func ReadFleetFacts(data []byte) (*FleetFacts, error) {
	e, err := parseEnvelope(data, typeFleet, maxFleet)
	if err != nil {
		return nil, err
	}
	f := new(FleetFacts)
	if err := decodeStrict(e.payload, f); err != nil {
		return nil, fmt.Errorf("read facts: %w: %w", ErrUntrusted, err)
	}
	return f, nil
}

// OpenFleetFacts reads facts that the targets role of a root has signed.
func OpenFleetFacts(data []byte, root *Root, now time.Time) (*FleetFacts, error) {
	if !now.Before(root.Expires) {
		return nil, fmt.Errorf("read facts: %w: the root expired on %s", ErrUntrusted, root.Expires.Format(time.DateOnly))
	}
	e, err := parseEnvelope(data, typeFleet, maxFleet)
	if err != nil {
		return nil, err
	}
	verifiers, err := root.verifiers(metadata.TARGETS)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w: %w", ErrUntrusted, err)
	}
	v, err := dsse.NewMultiEnvelopeVerifier(root.Thresholds[metadata.TARGETS], verifiers...)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w: %w", ErrUntrusted, err)
	}
	if _, err := v.Verify(context.Background(), &e.dsse); err != nil {
		return nil, fmt.Errorf("read facts: %w: %w", ErrUntrusted, err)
	}
	return ReadFleetFacts(data)
}

// verifiers are the keys of a role.
func (r *Root) verifiers(role string) ([]dsse.Verifier, error) {
	m, err := metadata.Root().FromBytes(r.Data)
	if err != nil {
		return nil, err
	}
	var out []dsse.Verifier
	for _, id := range r.KeyIDs[role] {
		key := m.Signed.Keys[id]
		if key == nil {
			continue // no signature of it can count
		}
		pub, err := key.ToPublicKey()
		if err != nil {
			continue
		}
		v, err := signature.LoadVerifier(pub, crypto.SHA256)
		if err != nil {
			continue
		}
		out = append(out, roleVerifier{v, pub})
	}
	if len(out) == 0 {
		return nil, errors.New("the root names no key that can be used")
	}
	return out, nil
}

type roleSigner struct{ signer Signer }

// Sign implements dsse.Signer.
func (s roleSigner) Sign(_ context.Context, data []byte) ([]byte, error) {
	return s.signer.SignMessage(bytes.NewReader(data))
}

// KeyID implements dsse.Signer.
func (s roleSigner) KeyID() (string, error) {
	pub, err := s.signer.PublicKey()
	if err != nil {
		return "", err
	}
	return KeyID(pub)
}

type roleVerifier struct {
	verifier signature.Verifier
	pub      crypto.PublicKey
}

// Verify implements dsse.Verifier.
func (v roleVerifier) Verify(_ context.Context, data, sig []byte) error {
	return v.verifier.VerifySignature(bytes.NewReader(sig), bytes.NewReader(data))
}

// KeyID implements dsse.Verifier.
func (v roleVerifier) KeyID() (string, error) { return KeyID(v.pub) }

// Public implements dsse.Verifier.
func (v roleVerifier) Public() crypto.PublicKey { return v.pub }

var (
	_ dsse.Signer   = roleSigner{}
	_ dsse.Verifier = roleVerifier{}
)
