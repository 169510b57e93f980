// SPDX-License-Identifier: Apache-2.0

package release

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Enrolment in two steps. The host sends its public keys, signed by itself and
// authenticated by the token. The controller answers with a challenge that only the
// sealing key opens. The host sends the challenge back, and learns its id, the root
// and the time. Every answer is authenticated by the token, so neither a fake
// controller nor somebody between can take part, whatever the clock, the resolver
// and the CA bundle of the host are worth.

// enrolMessage is what the host signs in both steps.
type enrolMessage struct {
	Token     string            `json:"token"`
	Host      string            `json:"host"`
	Signing   ed25519.PublicKey `json:"signing"`
	Recipient string            `json:"recipient"`
	// Challenge is empty in the first step.
	Challenge []byte `json:"challenge,omitempty"`
	Proof     []byte `json:"proof"`
}

func (m *enrolMessage) parts() [][]byte {
	return [][]byte{[]byte(m.Token), []byte(m.Host), m.Signing, []byte(m.Recipient), m.Challenge}
}

// binding covers what both steps have in common.
func (m *enrolMessage) binding() []byte {
	h := sha256.New()
	for _, p := range m.parts()[:4] {
		sum := sha256.Sum256(p)
		h.Write(sum[:])
	}
	return h.Sum(nil)
}

type enrolAnswer struct {
	// Sealed is the challenge, sealed to the host, in the first answer.
	Sealed []byte `json:"sealed,omitempty"`
	// Welcome is the second answer.
	Welcome json.RawMessage `json:"welcome,omitempty"`
	Proof   []byte          `json:"proof"`
}

// Welcome is what an enrolled host learns.
type Welcome struct {
	HostID string `json:"host_id"`
	Host   string `json:"host"`
	// Root are the exact bytes of the root that the token pins.
	Root []byte    `json:"root"`
	Time time.Time `json:"time"`
}

// Enrolment is the host's side.
type Enrolment struct {
	id    *Identity
	token Token
	host  string
}

// NewEnrolment starts to enrol a host under a name.
func NewEnrolment(id *Identity, token Token, host string) *Enrolment {
	return &Enrolment{id: id, token: token, host: host}
}

// Request is the first message.
func (e *Enrolment) Request() ([]byte, error) { return e.message(nil) }

func (e *Enrolment) unsigned(challenge []byte) *enrolMessage {
	pub := e.id.Public()
	return &enrolMessage{Token: e.token.id, Host: e.host, Signing: pub.Signing, Recipient: pub.Recipient, Challenge: challenge}
}

func (e *Enrolment) message(challenge []byte) ([]byte, error) {
	m := e.unsigned(challenge)
	var err error
	if m.Proof, err = proof(e.token.key(), labelRequest, m.parts()...); err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	data, err := e.id.sign(typeEnrol, m, MaxEnrolment)
	if err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	return data, nil
}

// Respond verifies the first answer and makes the second message.
func (e *Enrolment) Respond(answer []byte) ([]byte, error) {
	a, err := parseAnswer(answer)
	if err != nil {
		return nil, err
	}
	if err := e.proved(a.Proof, labelChallenge, a.Sealed); err != nil {
		return nil, err
	}
	challenge, err := Open(a.Sealed, e.id)
	if err != nil {
		return nil, fmt.Errorf("enrol: open challenge: %w", err)
	}
	if len(challenge) != sha256.Size {
		return nil, fmt.Errorf("enrol: %w: the challenge is malformed", ErrUntrusted)
	}
	return e.message(challenge)
}

// Finish verifies the second answer. The root in it is the one that the token pins.
func (e *Enrolment) Finish(answer []byte) (*Welcome, error) {
	a, err := parseAnswer(answer)
	if err != nil {
		return nil, err
	}
	if err := e.proved(a.Proof, labelWelcome, a.Welcome); err != nil {
		return nil, err
	}
	var w Welcome
	if err := decodeStrict(a.Welcome, &w); err != nil {
		return nil, fmt.Errorf("enrol: read answer: %w: %w", ErrUntrusted, err)
	}
	if rootFingerprint(w.Root) != e.token.root {
		return nil, fmt.Errorf("enrol: %w: the controller's root is not the one that the token pins", ErrUntrusted)
	}
	if _, err := ParseRoot(w.Root); err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	if w.Host != e.host || !ValidHostID(w.HostID) {
		return nil, fmt.Errorf("enrol: answer for %.80q: %w", w.Host, ErrWrongHost)
	}
	return &w, nil
}

func (e *Enrolment) proved(got []byte, label string, content []byte) error {
	want, err := proof(e.token.key(), label, e.unsigned(nil).binding(), content)
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	if len(content) == 0 || !hmac.Equal(got, want) {
		return fmt.Errorf("enrol: %w: the answer does not come from the controller that made the token", ErrUntrusted)
	}
	return nil
}

func parseAnswer(data []byte) (*enrolAnswer, error) {
	if err := checkSize("enrolment answer", len(data), MaxEnrolment); err != nil {
		return nil, err
	}
	var a enrolAnswer
	if err := decodeStrict(data, &a); err != nil {
		return nil, fmt.Errorf("enrol: read answer: %w: %w", ErrUntrusted, err)
	}
	return &a, nil
}

// EnrolRequest is one message of a host that wants to enrol, at the controller. Its
// signature fits its own key, which says nothing yet about who it is.
type EnrolRequest struct {
	// TokenID finds the TokenRecord.
	TokenID  string
	Host     string
	Identity PublicIdentity

	message enrolMessage
}

// ParseEnrolRequest reads a message of either step.
func ParseEnrolRequest(data []byte) (*EnrolRequest, error) {
	e, err := parseEnvelope(data, typeEnrol, MaxEnrolment)
	if err != nil {
		return nil, err
	}
	r := &EnrolRequest{}
	if err := decodeStrict(e.payload, &r.message); err != nil {
		return nil, fmt.Errorf("read enrolment: %w: %w", ErrUntrusted, err)
	}
	r.TokenID, r.Host = r.message.Token, r.message.Host
	r.Identity = PublicIdentity{Signing: r.message.Signing, Recipient: r.message.Recipient}
	if err := r.Identity.Validate(); err != nil {
		return nil, fmt.Errorf("read enrolment: %w: %w", ErrUntrusted, err)
	}
	if len(r.TokenID) != 2*tokenIDSize || !isHex(r.TokenID) {
		return nil, fmt.Errorf("read enrolment: %w: the token id is malformed", ErrToken)
	}
	if err := e.verify(r.Identity.Signing); err != nil {
		return nil, err
	}
	return r, nil
}

// Final tells whether this is the second message, which Welcome answers after Opened;
// the first is answered by Challenge.
func (r *EnrolRequest) Final() bool { return len(r.message.Challenge) > 0 }

// Repeats tells whether the token was already used by this very identity, whose
// answer got lost: give it the same host id again.
func (r *EnrolRequest) Repeats(rec TokenRecord) bool {
	return rec.UsedBy != "" && rec.UsedBy == r.Identity.Fingerprint()
}

// Authenticate checks the message against its token. ErrTokenUsed is told only to
// one who holds the secret, so that nobody else can raise that alarm.
func (r *EnrolRequest) Authenticate(rec TokenRecord, now time.Time) error {
	want, err := proof(rec.Key, labelRequest, r.message.parts()...)
	if err != nil {
		return fmt.Errorf("authenticate enrolment: %w", err)
	}
	if rec.ID != r.TokenID || !hmac.Equal(want, r.message.Proof) {
		return fmt.Errorf("authenticate enrolment: %w: the token's secret is wrong", ErrToken)
	}
	if rec.Host != r.Host {
		return fmt.Errorf("authenticate enrolment: %w: the token is for another name", ErrToken)
	}
	if rec.UsedBy != "" && !r.Repeats(rec) {
		return fmt.Errorf("authenticate enrolment: %w", ErrTokenUsed)
	}
	if !now.Before(rec.Expires) {
		return fmt.Errorf("authenticate enrolment: %w", ErrTokenExpired)
	}
	return nil
}

// challenge is what the host must send back. It follows from the controller's own
// secret, so that nothing is kept between the steps.
func (r *EnrolRequest) challenge(secret []byte) ([]byte, error) {
	if len(secret) < 16 {
		return nil, errors.New("the controller's secret is too short")
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("bindery enrolment challenge v1\x00"))
	mac.Write(r.message.binding())
	return mac.Sum(nil), nil
}

// Challenge answers the first message. Authenticate it before.
func (r *EnrolRequest) Challenge(rec TokenRecord, secret []byte) ([]byte, error) {
	c, err := r.challenge(secret)
	if err != nil {
		return nil, fmt.Errorf("make challenge: %w", err)
	}
	sealed, err := Seal(c, r.Identity.Recipient)
	if err != nil {
		return nil, fmt.Errorf("make challenge: %w", err)
	}
	return r.answer(rec, labelChallenge, enrolAnswer{Sealed: sealed}, sealed)
}

// Opened checks that the second message holds the challenge: the host really can
// open what will be sealed to it. Authenticate the message before.
func (r *EnrolRequest) Opened(secret []byte) error {
	want, err := r.challenge(secret)
	if err != nil {
		return fmt.Errorf("check challenge: %w", err)
	}
	if !hmac.Equal(want, r.message.Challenge) {
		return fmt.Errorf("check challenge: %w: the host could not open what was sealed to it", ErrToken)
	}
	return nil
}

// Welcome answers the second message. Record the token as used before sending it.
func (r *EnrolRequest) Welcome(rec TokenRecord, w Welcome) ([]byte, error) {
	if rootFingerprint(w.Root) != rec.Root {
		return nil, fmt.Errorf("welcome host: %w: the root has changed since the token was made, make a new one", ErrToken)
	}
	data, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("welcome host: %w", err)
	}
	return r.answer(rec, labelWelcome, enrolAnswer{Welcome: data}, data)
}

func (r *EnrolRequest) answer(rec TokenRecord, label string, a enrolAnswer, content []byte) ([]byte, error) {
	var err error
	if a.Proof, err = proof(rec.Key, label, r.message.binding(), content); err != nil {
		return nil, fmt.Errorf("answer enrolment: %w", err)
	}
	data, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("answer enrolment: %w", err)
	}
	return data, checkSize("enrolment answer", len(data), MaxEnrolment)
}
