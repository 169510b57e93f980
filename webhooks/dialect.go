// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// Dialect is how a forge says what a delivery is and proves that it sent it. Of each
// list of headers the first one that is there counts.
type Dialect struct {
	// Kind and ID hold the kind of event and the id of the delivery. A dialect
	// without Kind has one kind alone; where an id is not there, the digest of the
	// body is taken for it if AnyID is set, else the delivery is refused.
	Kind, ID []string
	AnyID    bool
	// Signature holds the HMAC-SHA256 of the body in hexadecimal, maybe after
	// "sha256=". Token holds the secret itself instead.
	Signature []string
	Token     string
	// AnyBody takes bodies of any type; else they are JSON.
	AnyBody bool
	// Decode reads a verified payload of the named kind. It gives ErrIgnored for
	// what concerns nobody.
	Decode func(kind string, body []byte) (Event, error)
}

// Generic is the dialect of everything else that can send a signed request, such as
// a post-receive hook with openssl and curl. It only says that something changed.
func Generic() Dialect {
	return Dialect{
		ID: []string{"X-Bindery-Delivery"}, AnyID: true, AnyBody: true,
		Signature: []string{"X-Bindery-Signature-256", "X-Hub-Signature-256"},
		Decode:    func(string, []byte) (Event, error) { return Event{Kind: Push}, nil },
	}
}

// first gives the first of some headers that is there.
func first(h http.Header, names []string) (string, bool) {
	for _, name := range names {
		if v := h.Get(name); v != "" {
			return v, true
		}
	}
	return "", false
}

// identify gives a delivery's id and kind; false where they are missing or no names.
func (d Dialect) identify(h http.Header, body []byte) (id, kind string, ok bool) {
	kind = "any"
	if len(d.Kind) > 0 {
		kind, _ = first(h, d.Kind)
	}
	id, there := first(h, d.ID)
	if !there && d.AnyID {
		sum := sha256.Sum256(body)
		id = hex.EncodeToString(sum[:])
	}
	return id, kind, validID(id) && validID(strings.ReplaceAll(kind, " ", "_"))
}

// proof gives what shall prove that the forge sent a delivery; false: nothing does.
func (d Dialect) proof(h http.Header) (string, bool) {
	if d.Token != "" {
		v := h.Get(d.Token)
		return v, v != ""
	}
	return first(h, d.Signature)
}

// proves tells whether one of the secrets is behind a proof. It tries every one, in
// constant time.
func (d Dialect) proves(proof string, body []byte, secrets [][]byte) bool {
	good := false
	for _, secret := range secrets {
		if d.Token != "" {
			// Digests, so that the time does not tell the length of the secret.
			want, got := sha256.Sum256(secret), sha256.Sum256([]byte(proof))
			good = subtle.ConstantTimeCompare(want[:], got[:]) == 1 || good
			continue
		}
		got, err := hex.DecodeString(strings.TrimPrefix(proof, "sha256="))
		if err != nil {
			return false
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		good = hmac.Equal(mac.Sum(nil), got) || good
	}
	return good
}
