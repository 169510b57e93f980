// SPDX-License-Identifier: Apache-2.0

package content

import (
	"io/fs"
	"path"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

// submodules finds them in a commit (an irregular name), in a folder (a name
// .git, see load), and by what .gitmodules says.
func (t look) submodules() {
	for _, f := range t.Files {
		switch {
		case f.Mode&fs.ModeIrregular != 0:
			t.Modules[f.Name] = true
		case f.Mode.Type()&^fs.ModeSymlink != 0:
			t.Error(problem.Pos{File: f.Name}, "special-file", "this is no regular file", "remove it")
		}
	}
	if data, err := fs.ReadFile(t.FS, ".gitmodules"); err == nil {
		for line := range strings.SplitSeq(string(data), "\n") {
			key, value, _ := strings.Cut(line, "=")
			name := path.Clean(strings.TrimSpace(value))
			if dir, _, _ := strings.Cut(name, "/"); strings.TrimSpace(key) == "path" && t.On[dir] {
				t.Modules[name] = true
			}
		}
	}
	for name := range t.Modules {
		t.Error(problem.Pos{File: name}, "submodule", "a git submodule: its files are not in this repository",
			"copy the files into the repository")
	}
}
