// SPDX-License-Identifier: Apache-2.0

package keypair

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Recipients are whom a file is locked for.
type Recipients struct{ list []age.Recipient }

// ParseRecipients reads recipients of age, one a line; lines that begin with # are
// comments.
func ParseRecipients(text string) (*Recipients, error) {
	list, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read recipients: %w", err)
	}
	return &Recipients{list: list}, nil
}

// Seal locks data for the recipients, as text.
func (r *Recipients) Seal(data []byte) ([]byte, error) {
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, r.list...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Close(), a.Close()); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return out.Bytes(), nil
}
