// SPDX-License-Identifier: Apache-2.0

// Package keyring checks OpenPGP signatures with keys that were given to it. It
// must not know where keys and files come from, nor what is in them.
package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Ring is some public keys.
type Ring struct {
	keys openpgp.EntityList
	now  func() time.Time
}

// New makes an empty Ring; keys and signatures that have expired at the time that
// now says are not valid.
func New(now func() time.Time) *Ring { return &Ring{now: now} }

// Empty tells whether there is no key.
func (r *Ring) Empty() bool { return len(r.keys) == 0 }

var armored = []byte("-----BEGIN PGP")

// Add adds the public keys of a file, armored or not.
func (r *Ring) Add(data []byte) error {
	read := openpgp.ReadKeyRing
	if bytes.Contains(data, armored) {
		read = openpgp.ReadArmoredKeyRing
	}
	keys, err := read(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	r.keys = append(r.keys, keys...)
	return nil
}

// With is a Ring that has the keys of others too.
func (r *Ring) With(others ...*Ring) *Ring {
	all := New(r.now)
	all.keys = append(all.keys, r.keys...)
	for _, o := range others {
		all.keys = append(all.keys, o.keys...)
	}
	return all
}

// Verify checks that one of the keys signed the text; without a signature beside
// it the text carries it. It gives what is signed, and the key's fingerprint.
func (r *Ring) Verify(text, signature []byte) (signed []byte, by string, err error) {
	conf := &packet.Config{Time: r.now}
	var signer *openpgp.Entity
	if signature == nil {
		block, _ := clearsign.Decode(text)
		if block == nil {
			return nil, "", errors.New("there is no signature in it")
		}
		signed = block.Plaintext
		signer, err = block.VerifySignature(r.keys, conf)
	} else {
		signed = text
		var detached io.Reader = bytes.NewReader(signature)
		if bytes.Contains(signature, armored) {
			block, err := armor.Decode(detached)
			if err != nil {
				return nil, "", fmt.Errorf("read signature: %w", err)
			}
			detached = block.Body
		}
		signer, err = openpgp.CheckDetachedSignature(r.keys, bytes.NewReader(text), detached, conf)
	}
	if err != nil {
		return nil, "", fmt.Errorf("check signature: %w", err)
	}
	return signed, fmt.Sprintf("%X", signer.PrimaryKey.Fingerprint), nil
}

// Text is what a text that carries a signature says, without checking that; other
// text as it is.
func Text(text []byte) []byte {
	if block, _ := clearsign.Decode(text); block != nil {
		return block.Plaintext
	}
	return text
}
