// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"path"
	"strings"
)

// deltas reports cat-file-used and diff-file-used.
func (t *tree) deltas() {
	for _, f := range t.in("Cfg") {
		code := "cat-file-used"
		switch q := t.qualifier(f.name); {
		case q.known && q.ext == "diff":
			code = "diff-file-used"
		case !q.known || q.ext != "cat":
			continue
		}
		t.warn(at(f.name), code, "Bcfg2 1.4 ignores "+path.Ext(f.name)+" files", "write "+strings.TrimSuffix(path.Base(f.name), path.Ext(f.name))+" as a whole, or as a template")
	}
}
