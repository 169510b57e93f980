// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"io/fs"
	"path"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

// submodules finds them in a commit (an irregular name), in a folder (a name
// .git, see load), and by what .gitmodules says.
func (t *tree) submodules() {
	for _, f := range t.files {
		switch {
		case f.mode&fs.ModeIrregular != 0:
			t.modules[f.name] = true
		case f.mode.Type()&^fs.ModeSymlink != 0:
			t.error(problem.Pos{File: f.name}, "special-file", "this is no regular file", "remove it")
		}
	}
	if data, err := fs.ReadFile(t.fsys, ".gitmodules"); err == nil {
		for line := range strings.SplitSeq(string(data), "\n") {
			key, value, _ := strings.Cut(line, "=")
			name := path.Clean(strings.TrimSpace(value))
			if dir, _, _ := strings.Cut(name, "/"); strings.TrimSpace(key) == "path" && t.on[dir] {
				t.modules[name] = true
			}
		}
	}
	for name := range t.modules {
		t.error(problem.Pos{File: name}, "submodule", "a git submodule: its files are not in this repository",
			"copy the files into the repository")
	}
}
