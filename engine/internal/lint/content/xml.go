// SPDX-License-Identifier: Apache-2.0

package content

// malformed reports what could not be read: xml-failed-to-parse and unreadable-file.
func (t look) malformed() {
	for _, p := range t.Broken {
		t.Add(p)
	}
}
