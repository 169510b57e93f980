// SPDX-License-Identifier: Apache-2.0

package content

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/problem"
)

// names looks at what the tree calls its files, and at the paths of entries.
func (t look) names() {
	for _, f := range t.Files {
		t.name(f.Name)
	}
	for _, d := range t.Dirs {
		t.name(d)
	}
	for _, d := range t.Docs {
		t.EachEntry(d, func(e tree.Entry) {
			name := e.X.Get("name")
			if e.Tag != "Path" || d.Templated && strings.Contains(name, "$") {
				return
			}
			pos := e.X.AttrPos("name")
			switch {
			case unsafe(name):
				t.Error(pos, "unsafe-name", "the path holds control characters", "")
			case strings.HasPrefix(name, "/") && path.Clean(name) != strings.TrimRight(name, "/") && hasDots(name):
				t.Error(pos, "unsafe-name", fmt.Sprintf("the path %q has . or .. in it", name), "write "+path.Clean(name))
			}
		})
	}
}

func (t look) name(name string) {
	if unsafe(path.Base(name)) {
		t.Error(problem.Pos{File: strings.ToValidUTF8(name, "\uFFFD")}, "unsafe-name",
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
