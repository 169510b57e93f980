// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/problem"
)

// names looks at what the tree calls its files, and at the paths of entries.
func (t *tree) names() {
	for _, f := range t.files {
		t.name(f.name)
	}
	for _, d := range t.dirs {
		t.name(d)
	}
	for _, d := range t.docs {
		t.eachEntry(d, func(e entry) {
			name := e.x.Get("name")
			if e.tag != "Path" || d.templated && strings.Contains(name, "$") {
				return
			}
			pos := e.x.AttrPos("name")
			switch {
			case unsafe(name):
				t.error(pos, "unsafe-name", "the path holds control characters", "")
			case strings.HasPrefix(name, "/") && path.Clean(name) != strings.TrimRight(name, "/") && hasDots(name):
				t.error(pos, "unsafe-name", fmt.Sprintf("the path %q has . or .. in it", name), "write "+path.Clean(name))
			}
		})
	}
}

func (t *tree) name(name string) {
	if unsafe(path.Base(name)) {
		t.error(problem.Pos{File: strings.ToValidUTF8(name, "\uFFFD")}, "unsafe-name",
			fmt.Sprintf("the name %q holds control characters or is not UTF-8", path.Base(name)), "rename it")
	}
}

func unsafe(name string) bool {
	return !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl)
}

func hasDots(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}
