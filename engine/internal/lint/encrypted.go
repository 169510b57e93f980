// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// encrypted reports unencrypted-cfg, empty-encrypted-properties, unencrypted-properties.
func (t *tree) encrypted() {
	for _, f := range t.in("Cfg") {
		ext := "." + t.qualifier(f.name).ext + "."
		if !strings.Contains(ext, ".crypt.") && !strings.Contains(ext, ".age.") {
			continue
		}
		if data, ok := t.read(f); ok && !sealed(data) {
			t.error(at(f.name), "unencrypted-cfg", "the file is called encrypted, but it is not",
				"encrypt it, and replace what was committed: it is in the history")
		}
	}
	for _, d := range t.docs {
		if d.dir == "Metadata" {
			continue
		}
		d.root.Walk(func(x *xmltree.Element) bool {
			if !x.Is(x.Tag) || x.Get("encrypted") == "" || x.Get("encrypted") == "false" || x.Is("Path") {
				return true
			}
			switch text := strings.TrimSpace(x.Text); {
			case text == "":
				t.error(x.Pos, "empty-encrypted-properties", "the element is marked encrypted, but it is empty", "")
			case !sealed([]byte(text)):
				t.error(x.Pos, "unencrypted-properties", "the element is marked encrypted, but its text is not",
					"encrypt it, and replace what was committed: it is in the history")
			}
			return true
		})
	}
}

// sealed tells whether data is what OpenSSL or age make: base64 or plain.
func sealed(data []byte) bool {
	data = bytes.TrimSpace(data)
	for _, start := range []string{"U2FsdGVkX1", "Salted__", "age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----"} {
		if bytes.HasPrefix(data, []byte(start)) {
			return true
		}
	}
	return false
}
