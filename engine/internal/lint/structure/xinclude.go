// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// followed tells whether Bcfg2 follows the includes of a file.
func followed(d *tree.Doc) bool {
	switch d.Dir {
	case "Rules", "Pkgmgr", "Deps", "Svcmgr", "Base", "Cfg", "TGenshi", "TCheetah", "SSHbase", "SSLCA", "SEModules":
		return false
	}
	return true
}

// xinclude reports xinclude-too-large, xinclude-not-followed, xinclude-attributes, xinclude-outside, xinclude-fallback-lost, xinclude-does-not-exist, xinclude-cycle.
func (t look) xinclude() {
	if t.Included > tree.MaxIncludes {
		t.Error(problem.Pos{}, "xinclude-too-large", fmt.Sprintf("there are %d includes; at most %d are followed", t.Included, tree.MaxIncludes), "")
		return
	}
	for _, d := range t.Docs {
		if d.Templated {
			continue // Genshi reads these includes itself.
		}
		for _, l := range t.Links[d.File] {
			t.include(d, l)
		}
	}
	t.cycles()
}

func (t look) include(d *tree.Doc, l tree.Include) {
	pos, href := l.X.AttrPos("href"), l.X.Get("href")
	if !followed(d) {
		t.Error(l.X.Pos, "xinclude-not-followed", fmt.Sprintf("xi:include is not followed in %s files; %q brings nothing", d.Dir, href),
			"write the included elements here")
		return
	}
	for _, a := range l.X.Attrs {
		if a.Space == "" && (a.Name == "xpointer" || a.Name == "parse" && a.Value != "xml") {
			t.Warn(l.X.AttrPos(a.Name), "xinclude-attributes", a.Name+" is not read: the whole file is included as XML", "")
		}
	}
	if len(l.Files) > 0 {
		return
	}
	if name := tree.Target(d.File, href); !fs.ValidPath(name) {
		t.Error(pos, "xinclude-outside", fmt.Sprintf("%q leads out of the repository", href), "")
		return
	}
	for _, c := range l.X.Children {
		if c.Kind != xmltree.Node || c.Tag != "fallback" {
			continue
		}
		if len(c.Children) > 0 || strings.TrimSpace(c.Text) != "" {
			t.Error(l.X.Pos, "xinclude-fallback-lost", fmt.Sprintf("%s does not exist, and the content of xi:fallback is not used", href),
				"write the file "+tree.Target(d.File, href))
		}
		return
	}
	t.Error(l.X.Pos, "xinclude-does-not-exist", fmt.Sprintf("%s does not exist; the include is left out", href),
		"write the file, or remove the include")
}

// cycles walks the includes and reports each one that leads back.
func (t look) cycles() {
	const fresh, open, done = 0, 1, 2
	state := map[string]int{}
	var visit func(file string)
	visit = func(file string) {
		state[file] = open
		for _, l := range t.Links[file] {
			for _, to := range l.Files {
				switch state[to] {
				case open:
					t.Error(l.X.Pos, "xinclude-cycle", fmt.Sprintf("%s includes itself through this file; the include is left out", to), "remove one of the includes")
				case fresh:
					visit(to)
				}
			}
		}
		state[file] = done
	}
	for _, d := range t.Docs {
		if state[d.File] == fresh {
			visit(d.File)
		}
	}
}
