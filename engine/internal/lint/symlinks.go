// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

// symlinks reports symlink.
func (t *tree) symlinks() {
	for _, f := range t.files {
		if f.mode&fs.ModeSymlink == 0 {
			continue
		}
		pos := problem.Pos{File: f.name}
		if target, err := fs.ReadLink(t.fsys, f.name); err == nil && outside(f.name, target) {
			t.error(pos, "symlink", fmt.Sprintf("the symbolic link leads out of the tree, to %q", target),
				"put the file itself here, or link to one inside the repository")
			continue
		}
		if _, err := fs.Stat(t.fsys, f.name); err != nil {
			t.error(pos, "symlink", "the symbolic link cannot be followed inside the tree", "")
		}
	}
}

// outside tells whether a link's own text leaves the tree.
func outside(name, target string) bool {
	if path.IsAbs(target) {
		return true
	}
	to := path.Join(path.Dir(name), target)
	return to == ".." || strings.HasPrefix(to, "../")
}
