// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"filippo.io/age"
)

// Seal encrypts to a host's own key. Sealing twice gives different bytes.
func Seal(plain []byte, recipient string) ([]byte, error) {
	r, err := age.ParseHybridRecipient(recipient)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	var out bytes.Buffer
	out.Grow(len(plain) + 4096)
	w, err := age.Encrypt(&out, r)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err := checkSize("sealed bundle", out.Len(), MaxSealed); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Open decrypts what was sealed to this host.
func Open(sealed []byte, id *Identity) ([]byte, error) {
	if err := checkSize("sealed bundle", len(sealed), MaxSealed); err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), id.unseal)
	if err != nil {
		return nil, fmt.Errorf("open sealed bundle: %w: %w", ErrSealed, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("open sealed bundle: %w: %w", ErrSealed, err)
	}
	return plain, nil
}

// RecipientFingerprint names a recipient in metadata and in listings.
func RecipientFingerprint(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	return hex.EncodeToString(sum[:16])
}
