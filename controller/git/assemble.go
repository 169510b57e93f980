// SPDX-License-Identifier: Apache-2.0

package git

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/problem"
)

const (
	maxEntries = 1_000_000
	maxDepth   = 64
	maxLinks   = 40
	maxPointer = 1024
	// maxTotal is what one tree may hold: anybody who may open a pull request fills
	// the controller's memory with it, and zeros cost them nothing to send.
	maxTotal  = 512 << 20
	lfsHeader = "version https://git-lfs.github.com/spec/"
)

// assembly is a Snapshot being made, from a commit or from a folder.
type assembly struct {
	limit   int64
	root    *node
	links   []*node
	entries int
	total   int64
	found   []*problem.Problem
}

func newAssembly(limit int64) *assembly {
	return &assembly{limit: limit, root: &node{name: ".", mode: fs.ModeDir | 0o755}}
}

// What bounds a tree that was made to fill the memory.
var (
	errTooMany = fmt.Errorf("the tree has more than %d entries", maxEntries)
	errTooDeep = fmt.Errorf("more than %d directories deep", maxDepth)
	errTooBig  = fmt.Errorf("the tree holds more than %d bytes", int64(maxTotal))
)

// add puts a child under dir; children must come in any order but only once.
func (a *assembly) add(dir, child *node) error {
	if a.entries++; a.entries > maxEntries {
		return errTooMany
	}
	child.parent = dir
	dir.children = append(dir.children, child)
	return nil
}

// refuse makes a node one that cannot be read, and reports it.
func (a *assembly) refuse(n *node, code string, err error, hint string) {
	n.err, n.data = err, nil
	a.found = append(a.found, problem.New(problem.Pos{File: shown(n.path())}, code, err.Error(), hint))
}

// shown keeps a path printable: a name in a tree may hold any byte.
func shown(path string) string {
	path = strings.ToValidUTF8(path, "\uFFFD")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, path)
}

// safeName refuses names that mean something else once written to a disk or a
// path; git itself would not check such a tree out.
func safeName(name string) error {
	switch {
	case name == "", name == ".", name == "..", strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("unsafe name %q", name)
	case strings.EqualFold(name, ".git"):
		return errors.New("a directory named .git inside the tree")
	case !utf8.ValidString(name):
		return fmt.Errorf("name %q is not UTF-8", name)
	}
	return nil
}

// fill gives a file its content, unless it only stands for it.
func (a *assembly) fill(n *node, data []byte) error {
	n.data, n.size = data, int64(len(data))
	if a.total += n.size; a.total > maxTotal {
		return errTooBig
	}
	if len(data) < maxPointer && bytes.HasPrefix(data, []byte(lfsHeader)) {
		a.refuse(n, "lfs-pointer", errors.New("the file is a pointer of Git LFS, not the content"),
			"commit the file itself: large-file storage is not fetched")
	}
	return nil
}

func (a *assembly) tooLarge(n *node, size int64) {
	n.size = size
	a.refuse(n, "file-too-large", describe(size, a.limit), "keep large files outside the specification, or raise the limit")
}

func (a *assembly) submodule(n *node) {
	n.hidden, n.hash = true, "" // a folder does not say which commit
	a.refuse(n, "submodule", errors.New("submodules are not followed"), "commit the files themselves, for example with git subtree")
}

// finish sorts, follows links and gives the Snapshot.
func (a *assembly) finish(commit, tree string) (*Snapshot, error) {
	sortChildren(a.root)
	for _, l := range a.links {
		target, err := follow(l.parent, l.link, maxLinks)
		if err != nil {
			a.refuse(l, "symlink", fmt.Errorf("symlink to %s: %w", shown(l.link), err), "point it to a file inside the repository, or replace it by a copy")
			continue
		}
		l.target = target
	}
	counted := map[*node]int{}
	if a.count(a.root, counted) > maxEntries {
		return nil, fmt.Errorf("with symlinks followed, %w", errTooMany)
	}
	return &Snapshot{root: a.root, commit: commit, tree: tree, size: a.total, problems: problem.Sort(a.found)}, nil
}

func sortChildren(n *node) {
	slices.SortFunc(n.children, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	for _, c := range n.children {
		sortChildren(c)
	}
}

var (
	errOutside = errors.New("leads out of the tree")
	errDangles = errors.New("leads to nothing")
	errLoops   = errors.New("leads back to itself")
)

// follow walks a link's text from the directory that holds it. ".." is the
// parent of where the walk really is, as in a file system.
func follow(dir *node, text string, budget int) (*node, error) {
	if budget == 0 {
		return nil, errLoops
	}
	if strings.HasPrefix(text, "/") {
		return nil, errOutside
	}
	at := dir
	for part := range strings.SplitSeq(text, "/") {
		if !at.mode.IsDir() {
			return nil, errDangles
		}
		switch part {
		case "", ".":
			continue
		case "..":
			if at = at.parent; at == nil {
				return nil, errOutside
			}
			continue
		}
		next := at.child(part)
		if next == nil || next.hidden {
			return nil, errDangles
		}
		if next.link != "" {
			var err error
			if next, err = follow(at, next.link, budget-1); err != nil {
				return nil, err
			}
		}
		at = next
	}
	return at, nil
}

// counting marks a directory that is being counted.
const counting = -1

// count says how many entries a walk through links would see, and refuses links
// that make such a walk endless. Directories are counted once, so that links to
// links to links cost nothing here.
func (a *assembly) count(n *node, counted map[*node]int) int {
	if total, done := counted[n]; done {
		return total
	}
	counted[n] = counting
	total := 1
	for _, c := range n.children {
		at := c.real()
		if !at.mode.IsDir() {
			total++
			continue
		}
		sub := a.count(at, counted)
		if sub == counting {
			c.target = nil
			a.refuse(c, "symlink", fmt.Errorf("symlink to %s: %w", shown(c.link), errLoops), "point it elsewhere")
			total++
			continue
		}
		total = min(total+sub, maxEntries+1)
	}
	counted[n] = total
	return total
}
