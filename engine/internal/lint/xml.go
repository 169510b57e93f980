// SPDX-License-Identifier: Apache-2.0

package lint

// malformed reports what could not be read: xml-failed-to-parse and unreadable-file.
func (t *tree) malformed() {
	for _, p := range t.broken {
		t.add(p)
	}
}
