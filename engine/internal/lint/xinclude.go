// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// include is one xi:include and the files that it brings.
type include struct {
	x     *xmltree.Element
	files []string
}

// maxIncludes bounds the includes of a tree that are looked up.
const maxIncludes = 2000

// follow notes what every file includes.
func (t *tree) follow() {
	for _, d := range t.docs {
		d.root.Walk(func(x *xmltree.Element) bool {
			if x.Kind == xmltree.Node && x.Space == xmltree.NSXInclude && x.Tag == "include" {
				l := include{x: x}
				if t.included++; t.included <= maxIncludes {
					l.files = t.match(d.file, x.Get("href"))
				}
				t.links[d.file] = append(t.links[d.file], l)
				for _, name := range l.files {
					t.includes[name] = true
				}
				return false
			}
			return true
		})
	}
}

// target is the name below the repository that an href means.
func target(file, href string) string {
	if strings.HasPrefix(href, "/") {
		return strings.TrimPrefix(path.Clean(href), "/")
	}
	return path.Join(path.Dir(file), href)
}

func (t *tree) match(file, href string) []string {
	name := target(file, href)
	if href == "" || !fs.ValidPath(name) {
		return nil
	}
	names := []string{name}
	if strings.ContainsAny(name, "*?[") {
		names, _ = fs.Glob(t.fsys, name)
		slices.Sort(names)
	}
	return slices.DeleteFunc(names, func(n string) bool {
		info, err := fs.Stat(t.fsys, n)
		return err != nil || info.IsDir()
	})
}

// reachable gives a file and everything that it includes, each once.
func (t *tree) reachable(file string) []*doc {
	var out []*doc
	seen := map[string]bool{}
	todo := []string{file}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		d := t.byName[name]
		if seen[name] || d == nil {
			continue
		}
		seen[name] = true
		out = append(out, d)
		for _, l := range t.links[name] {
			todo = append(todo, l.files...)
		}
	}
	return out
}

// followed tells whether Bcfg2 follows the includes of a file.
func followed(d *doc) bool {
	switch d.dir {
	case "Rules", "Pkgmgr", "Deps", "Svcmgr", "Base", "Cfg", "TGenshi", "TCheetah", "SSHbase", "SSLCA", "SEModules":
		return false
	}
	return true
}

// xinclude reports xinclude-too-large, xinclude-not-followed, xinclude-attributes, xinclude-outside, xinclude-fallback-lost, xinclude-does-not-exist, xinclude-cycle.
func (t *tree) xinclude() {
	if t.included > maxIncludes {
		t.error(problem.Pos{}, "xinclude-too-large", fmt.Sprintf("there are %d includes; at most %d are followed", t.included, maxIncludes), "")
		return
	}
	for _, d := range t.docs {
		if d.templated {
			continue // Genshi reads these includes itself.
		}
		for _, l := range t.links[d.file] {
			t.include(d, l)
		}
	}
	t.cycles()
}

func (t *tree) include(d *doc, l include) {
	pos, href := l.x.AttrPos("href"), l.x.Get("href")
	if !followed(d) {
		t.error(l.x.Pos, "xinclude-not-followed", fmt.Sprintf("xi:include is not followed in %s files; %q brings nothing", d.dir, href),
			"write the included elements here")
		return
	}
	for _, a := range l.x.Attrs {
		if a.Space == "" && (a.Name == "xpointer" || a.Name == "parse" && a.Value != "xml") {
			t.warn(l.x.AttrPos(a.Name), "xinclude-attributes", a.Name+" is not read: the whole file is included as XML", "")
		}
	}
	if len(l.files) > 0 {
		return
	}
	if name := target(d.file, href); !fs.ValidPath(name) {
		t.error(pos, "xinclude-outside", fmt.Sprintf("%q leads out of the repository", href), "")
		return
	}
	for _, c := range l.x.Children {
		if c.Kind != xmltree.Node || c.Tag != "fallback" {
			continue
		}
		if len(c.Children) > 0 || strings.TrimSpace(c.Text) != "" {
			t.error(l.x.Pos, "xinclude-fallback-lost", fmt.Sprintf("%s does not exist, and the content of xi:fallback is not used", href),
				"write the file "+target(d.file, href))
		}
		return
	}
	t.error(l.x.Pos, "xinclude-does-not-exist", fmt.Sprintf("%s does not exist; the include is left out", href),
		"write the file, or remove the include")
}

// cycles walks the includes and reports each one that leads back.
func (t *tree) cycles() {
	const fresh, open, done = 0, 1, 2
	state := map[string]int{}
	var visit func(file string)
	visit = func(file string) {
		state[file] = open
		for _, l := range t.links[file] {
			for _, to := range l.files {
				switch state[to] {
				case open:
					t.error(l.x.Pos, "xinclude-cycle", fmt.Sprintf("%s includes itself through this file; the include is left out", to), "remove one of the includes")
				case fresh:
					visit(to)
				}
			}
		}
		state[file] = done
	}
	for _, d := range t.docs {
		if state[d.file] == fresh {
			visit(d.file)
		}
	}
}
