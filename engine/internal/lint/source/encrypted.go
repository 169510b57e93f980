// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
)

// Sealed tells whether data is what OpenSSL or age make: base64 or plain.
func Sealed(data []byte) bool {
	data = bytes.TrimSpace(data)
	for _, start := range []string{"U2FsdGVkX1", "Salted__", "age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----"} {
		if bytes.HasPrefix(data, []byte(start)) {
			return true
		}
	}
	return false
}
