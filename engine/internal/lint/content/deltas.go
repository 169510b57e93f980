// SPDX-License-Identifier: Apache-2.0

package content

import (
	"path"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// deltas reports cat-file-used and diff-file-used.
func (t look) deltas() {
	for _, f := range t.In("Cfg") {
		code := "cat-file-used"
		switch q := t.Qualifier(f.Name); {
		case q.Known && q.Ext == "diff":
			code = "diff-file-used"
		case !q.Known || q.Ext != "cat":
			continue
		}
		t.Warn(tree.At(f.Name), code, "Bcfg2 1.4 ignores "+path.Ext(f.Name)+" files", "write "+strings.TrimSuffix(path.Base(f.Name), path.Ext(f.Name))+" as a whole, or as a template")
	}
}
