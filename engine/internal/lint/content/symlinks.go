// SPDX-License-Identifier: Apache-2.0

package content

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

// symlinks reports symlink.
func (t look) symlinks() {
	for _, f := range t.Files {
		if f.Mode&fs.ModeSymlink == 0 {
			continue
		}
		pos := problem.Pos{File: f.Name}
		if target, err := fs.ReadLink(t.FS, f.Name); err == nil && outside(f.Name, target) {
			t.Error(pos, "symlink", fmt.Sprintf("the symbolic link leads out of the tree, to %q", target),
				"put the file itself here, or link to one inside the repository")
			continue
		}
		if _, err := fs.Stat(t.FS, f.Name); err != nil {
			t.Error(pos, "symlink", "the symbolic link cannot be followed inside the tree", "")
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
