// SPDX-License-Identifier: Apache-2.0

package lint

import "path"

// pubkey reports no-pubkey-xml.
func (t *tree) pubkey() {
	order, dirs := t.cfgDirs()
	for _, dir := range order {
		for _, f := range dirs[dir] {
			if path.Base(f.name) == "privkey.xml" && !holds(dirs[dir+".pub"], "pubkey.xml") {
				t.warn(at(f.name), "no-pubkey-xml", "there is no pubkey.xml for the public half of the key", "write "+dir+".pub/pubkey.xml: <PublicKey/>")
			}
		}
	}
}

// holds tells whether a file of that base name is among others.
func holds(files []file, base string) bool {
	for _, f := range files {
		if path.Base(f.name) == base {
			return true
		}
	}
	return false
}
