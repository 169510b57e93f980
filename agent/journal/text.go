// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/json"
	"unicode/utf8"
)

// Text is a name or a target. In JSON it is a string, or a list of its bytes where
// it is no UTF-8, which file systems do not mind.
type Text string

// MarshalJSON implements json.Marshaler.
func (t Text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal([][]byte{[]byte(t)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*t = Text(s)
		return nil
	}
	var raw [1][]byte
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*t = Text(raw[0])
	return nil
}
