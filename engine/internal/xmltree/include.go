// SPDX-License-Identifier: Apache-2.0

package xmltree

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/shelf"
	"github.com/bindery/bindery/engine/problem"
)

// maxDocument bounds one document in bytes.
const maxDocument = 64 << 20

// maxIncluded bounds the nodes that includes may bring into one document, and
// maxIncludedBytes what is read for them.
const (
	maxIncluded      = 1 << 20
	maxIncludedBytes = 2 * maxDocument
)

// Document is a file with everything that it includes.
type Document struct {
	Root *Element
	// Files are the files read, the document's own first.
	Files []string
	// Problems are includes that brought nothing; the rest is usable.
	Problems []*problem.Problem
}

// Load reads a file and follows xi:include as Bcfg2 does: relative to the
// including file, absolute below the repository, with globs in sorted order; a
// file that is being included already is not followed again, and the document's
// own file is dropped. The content of xi:fallback is lost.
func Load(fsys fs.FS, name string) (*Document, *problem.Problem) {
	f, p := read(fsys, name)
	if p != nil {
		return nil, p
	}
	l := &loader{fsys: fsys, doc: &Document{Root: f.root, Files: []string{name}}}
	if !f.includes {
		return l.doc, nil
	}
	l.doc.Root = clone(f.root)
	l.doc.Root.Children, p = l.follow(l.doc.Root.Children, name, true)
	if p != nil {
		return nil, p
	}
	return l.doc, nil
}

// Read parses one file and leaves its includes alone.
func Read(fsys fs.FS, name string) (*Element, *problem.Problem) {
	f, p := read(fsys, name)
	return f.root, p
}

// parsed is a file that was read. Others may have it too.
type parsed struct {
	root *Element
	size int
	// includes: there is an xi:include in it.
	includes bool
}

// treeCost is about how many bytes of memory a byte of a file takes as a tree.
const treeCost = 8

func read(fsys fs.FS, name string) (parsed, *problem.Problem) {
	var bad *problem.Problem
	f := shelf.Get(fsys, "xml", name, func() (f parsed, size int, keep bool) {
		data, p := file.Read(fsys, name, maxDocument)
		if p == nil {
			f.root, p = Parse(name, data)
		}
		if bad = p; p != nil {
			return parsed{}, 0, false
		}
		f.size = len(data)
		f.root.Walk(func(e *Element) bool {
			f.includes = f.includes || included(e)
			return !f.includes
		})
		return f, treeCost * f.size, true
	})
	return f, bad
}

func included(e *Element) bool {
	return e.Kind == Node && e.Space == NSXInclude && e.Tag == "include"
}

// clone is a tree of its own: what includes bring is put into it.
func clone(e *Element) *Element {
	out := *e
	out.Children = make([]*Element, len(e.Children))
	for i, c := range e.Children {
		out.Children[i] = clone(c)
	}
	return &out
}

type loader struct {
	fsys  fs.FS
	doc   *Document
	nodes int
	bytes int
}

// follow replaces the includes among children, at any depth.
func (l *loader) follow(children []*Element, from string, deep bool) ([]*Element, *problem.Problem) {
	var out []*Element
	for i, e := range children {
		if included(e) {
			if out == nil {
				out = slices.Clone(children[:i])
			}
			if !deep {
				continue
			}
			brought, p := l.include(e, from)
			if p != nil {
				return nil, p
			}
			out = append(out, brought...)
			continue
		}
		if len(e.Children) > 0 {
			var p *problem.Problem
			if e.Children, p = l.follow(e.Children, from, deep); p != nil {
				return nil, p
			}
		}
		if out != nil {
			out = append(out, e)
		}
	}
	if out == nil {
		return children, nil
	}
	return out, nil
}

func (l *loader) include(e *Element, from string) ([]*Element, *problem.Problem) {
	href := e.Get("href")
	names := l.match(href, from)
	if len(names) == 0 {
		l.missing(e, href)
		return nil, nil
	}
	var out []*Element
	for _, name := range names {
		if name == l.doc.Files[0] {
			l.doc.Problems = append(l.doc.Problems, problem.Warn(e.Pos, "xinclude-cycle",
				fmt.Sprintf("%s is included by a file that it includes itself; the include is left out", name), ""))
			continue
		}
		again := slices.Contains(l.doc.Files, name)
		f, p := read(l.fsys, name)
		if p != nil {
			// A broken include makes the whole document unusable, as in Bcfg2.
			return nil, p
		}
		if !again {
			l.doc.Files = append(l.doc.Files, name)
		}
		root := clone(f.root) // a file that is included twice stands there twice
		root.Walk(func(*Element) bool { l.nodes++; return true })
		if l.bytes += f.size; l.nodes > maxIncluded || l.bytes > maxIncludedBytes {
			return nil, problem.New(e.Pos, "xinclude-too-large", "the includes of this file bring too much", "")
		}
		if root.Children, p = l.follow(root.Children, name, !again); p != nil {
			return nil, p
		}
		out = append(out, root)
	}
	return out, nil
}

func (l *loader) missing(e *Element, href string) {
	for _, c := range e.Children {
		if c.Kind == Node && c.Space == NSXInclude && c.Tag == "fallback" {
			if len(c.Children) > 0 || strings.TrimSpace(c.Text) != "" {
				l.doc.Problems = append(l.doc.Problems, problem.New(e.Pos, "xinclude-fallback-lost",
					fmt.Sprintf("%s does not exist, and the content of xi:fallback is not used", href),
					"write the file "+href))
			}
			return
		}
	}
	l.doc.Problems = append(l.doc.Problems, problem.New(e.Pos, "xinclude-does-not-exist",
		fmt.Sprintf("%s does not exist; the include is left out", href), "write the file, or remove the include"))
}

// match resolves an href to the files below the repository that it names.
func (l *loader) match(href, from string) []string {
	if href == "" || strings.ContainsRune(href, 0) {
		return nil
	}
	if !strings.HasPrefix(href, "/") {
		return l.files(path.Join(path.Dir(from), href))
	}
	// An absolute path was that of the repository on its old server. Where that
	// was is not known: the longest end of the path that is here counts.
	parts := strings.Split(strings.TrimPrefix(path.Clean(href), "/"), "/")
	for i := range parts {
		if i > 0 && len(parts)-i < 2 {
			break
		}
		if names := l.files(path.Join(parts[i:]...)); len(names) > 0 {
			return names
		}
	}
	return nil
}

// files lists the files of one name, or of a pattern, sorted.
func (l *loader) files(name string) []string {
	if !fs.ValidPath(name) {
		return nil
	}
	names := []string{name}
	if strings.ContainsAny(name, "*?[") {
		var err error
		if names, err = fs.Glob(l.fsys, strings.ReplaceAll(name, "[!", "[^")); err != nil {
			return nil
		}
	}
	hidden := strings.HasPrefix(path.Base(name), ".")
	names = slices.DeleteFunc(names, func(n string) bool {
		st, err := fs.Stat(l.fsys, n)
		return err != nil || st.IsDir() || !hidden && strings.HasPrefix(path.Base(n), ".")
	})
	slices.Sort(names)
	return names
}
