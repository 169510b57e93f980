// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"io/fs"
	"path"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

func checkSubmodules() check {
	return check{
		rules: []Rule{{"submodule", "A git submodule, or something that is no file, stands in the tree: its content is not part of it."}},
		run:   (*tree).submodules,
	}
}

// submodules finds them in a commit (an irregular name), in a folder (a file
// .git), and by what .gitmodules says.
func (t *tree) submodules() {
	const hint = "copy the files into the repository"
	seen := map[string]bool{}
	for _, f := range t.files {
		switch {
		case f.mode&fs.ModeIrregular != 0:
			seen[f.name] = true
		case path.Base(f.name) == ".git":
			seen[path.Dir(f.name)] = true
		case f.mode.Type()&^fs.ModeSymlink != 0:
			t.error(problem.Pos{File: f.name}, "submodule", "this is no regular file", "remove it")
		}
	}
	for _, d := range t.dirs {
		if path.Base(d) == ".git" {
			seen[path.Dir(d)] = true
		}
	}
	if data, err := fs.ReadFile(t.fsys, ".gitmodules"); err == nil {
		for line := range strings.SplitSeq(string(data), "\n") {
			key, value, _ := strings.Cut(line, "=")
			name := path.Clean(strings.TrimSpace(value))
			if dir, _, _ := strings.Cut(name, "/"); strings.TrimSpace(key) == "path" && t.on[dir] {
				seen[name] = true
			}
		}
	}
	for name := range seen {
		t.error(problem.Pos{File: name}, "submodule", "a git submodule: its files are not in this repository", hint)
	}
}
