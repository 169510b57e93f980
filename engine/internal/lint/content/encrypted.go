// SPDX-License-Identifier: Apache-2.0

package content

import (
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/source"
	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// encrypted reports unencrypted-cfg, empty-encrypted-properties, unencrypted-properties.
func (t look) encrypted() {
	for _, f := range t.In("Cfg") {
		ext := "." + t.Qualifier(f.Name).Ext + "."
		if !strings.Contains(ext, ".crypt.") && !strings.Contains(ext, ".age.") {
			continue
		}
		if data, ok := t.Read(f); ok && !source.Sealed(data) {
			t.Error(tree.At(f.Name), "unencrypted-cfg", "the file is called encrypted, but it is not",
				"encrypt it, and replace what was committed: it is in the history")
		}
	}
	for _, d := range t.Docs {
		if d.Dir == "Metadata" {
			continue
		}
		d.Root.Walk(func(x *xmltree.Element) bool {
			if !x.Is(x.Tag) || x.Get("encrypted") == "" || x.Get("encrypted") == "false" || x.Is("Path") {
				return true
			}
			switch text := strings.TrimSpace(x.Text); {
			case text == "":
				t.Error(x.Pos, "empty-encrypted-properties", "the element is marked encrypted, but it is empty", "")
			case !source.Sealed([]byte(text)):
				t.Error(x.Pos, "unencrypted-properties", "the element is marked encrypted, but its text is not",
					"encrypt it, and replace what was committed: it is in the history")
			}
			return true
		})
	}
}
