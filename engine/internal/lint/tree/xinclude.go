// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// Include is one xi:include and the files that it brings.
type Include struct {
	X     *xmltree.Element
	Files []string
}

// MaxIncludes bounds the includes of a tree that are looked up.
const MaxIncludes = 2000

// follow notes what every file includes.
func (t *Tree) follow() {
	for _, d := range t.Docs {
		d.Root.Walk(func(x *xmltree.Element) bool {
			if x.Kind == xmltree.Node && x.Space == xmltree.NSXInclude && x.Tag == "include" {
				l := Include{X: x}
				if t.Included++; t.Included <= MaxIncludes {
					l.Files = t.match(d.File, x.Get("href"))
				}
				t.Links[d.File] = append(t.Links[d.File], l)
				for _, name := range l.Files {
					t.Includes[name] = true
				}
				return false
			}
			return true
		})
	}
}

// Target is the name below the repository that an href means.
func Target(file, href string) string {
	if strings.HasPrefix(href, "/") {
		return strings.TrimPrefix(path.Clean(href), "/")
	}
	return path.Join(path.Dir(file), href)
}

func (t *Tree) match(file, href string) []string {
	name := Target(file, href)
	if href == "" || !fs.ValidPath(name) {
		return nil
	}
	names := []string{name}
	if strings.ContainsAny(name, "*?[") {
		names, _ = fs.Glob(t.FS, name)
		slices.Sort(names)
	}
	return slices.DeleteFunc(names, func(n string) bool {
		info, err := fs.Stat(t.FS, n)
		return err != nil || info.IsDir()
	})
}

// Reachable gives a file and everything that it includes, each once.
func (t *Tree) Reachable(file string) []*Doc {
	var out []*Doc
	seen := map[string]bool{}
	todo := []string{file}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		d := t.ByName[name]
		if seen[name] || d == nil {
			continue
		}
		seen[name] = true
		out = append(out, d)
		for _, l := range t.Links[name] {
			todo = append(todo, l.Files...)
		}
	}
	return out
}
