// SPDX-License-Identifier: Apache-2.0

package content

import (
	"path"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// pubkey reports no-pubkey-xml.
func (t look) pubkey() {
	order, dirs := t.CfgDirs()
	for _, dir := range order {
		for _, f := range dirs[dir] {
			if path.Base(f.Name) == "privkey.xml" && !holds(dirs[dir+".pub"], "pubkey.xml") {
				t.Warn(tree.At(f.Name), "no-pubkey-xml", "there is no pubkey.xml for the public half of the key", "write "+dir+".pub/pubkey.xml: <PublicKey/>")
			}
		}
	}
}

// holds tells whether a file of that base name is among others.
func holds(files []tree.File, base string) bool {
	for _, f := range files {
		if path.Base(f.Name) == base {
			return true
		}
	}
	return false
}
