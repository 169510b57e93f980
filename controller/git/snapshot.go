// SPDX-License-Identifier: Apache-2.0

package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/engine/problem"
)

// ErrTooLarge is a file beyond Config.FileLimit.
var ErrTooLarge = errors.New("file is larger than allowed")

// Snapshot is the tree of one commit, or of a folder, as a read-only file system
// in memory. The same content gives the same Snapshot either way. Symlinks are
// followed inside the tree; whatever cannot be given is an error that says why
// when it is opened, and is among Problems. It is immutable and safe for
// concurrent use.
type Snapshot struct {
	root     *node
	commit   string
	tree     string
	size     int64 // of all contents
	problems []*problem.Problem
}

// node is a file, a directory or a link. It does not change once its Snapshot is
// handed out; contents are shared with other snapshots.
type node struct {
	name     string
	mode     fs.FileMode // as presented; fs.ModeDir for directories
	hash     string      // git's id of the content
	data     []byte
	size     int64
	err      error   // why it cannot be read
	children []*node // sorted by name
	parent   *node
	link     string // what a symlink says
	target   *node  // where it leads, links followed
	hidden   bool   // not listed: there is nothing that could stand for it
}

// real is the node that a name stands for.
func (n *node) real() *node {
	if n.target != nil {
		return n.target
	}
	return n
}

func (n *node) child(name string) *node {
	i, found := slices.BinarySearchFunc(n.children, name, func(c *node, name string) int { return strings.Compare(c.name, name) })
	if !found {
		return nil
	}
	return n.children[i]
}

func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	if above := n.parent.path(); above != "" {
		return above + "/" + n.name
	}
	return n.name
}

// Commit is the commit's id, "" for a folder.
func (s *Snapshot) Commit() string { return s.commit }

// Tree is git's id of the tree: equal for a folder and a commit of it.
func (s *Snapshot) Tree() string { return s.tree }

// Problems lists what cannot be given, by path: submodules, large-file pointers,
// symlinks that leave the tree, files that are too large, unsafe names.
func (s *Snapshot) Problems() []*problem.Problem { return slices.Clone(s.problems) }

// find walks to a name, through links.
func (s *Snapshot) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	at := s.root
	if name == "." {
		return at, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		next := at.child(part)
		if next == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		if next.hidden {
			return nil, &fs.PathError{Op: op, Path: name, Err: next.err}
		}
		at = next.real()
	}
	return at, nil
}

// Open implements fs.FS.
func (s *Snapshot) Open(name string) (fs.File, error) {
	n, err := s.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.mode.IsDir() {
		return &openDir{info: info{name: base(name), n: n}, left: entries(n)}, nil
	}
	if n.err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: n.err}
	}
	return &openFile{info: info{name: base(name), n: n}, Reader: bytes.NewReader(n.data)}, nil
}

// ReadFile implements fs.ReadFileFS.
func (s *Snapshot) ReadFile(name string) ([]byte, error) {
	n, err := s.find("read", name)
	if err != nil {
		return nil, err
	}
	if n.mode.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	if n.err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: n.err}
	}
	return bytes.Clone(n.data), nil
}

// ReadDir implements fs.ReadDirFS.
func (s *Snapshot) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := s.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.mode.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("is not a directory")}
	}
	return entries(n), nil
}

// Stat implements fs.StatFS.
func (s *Snapshot) Stat(name string) (fs.FileInfo, error) {
	n, err := s.find("stat", name)
	if err != nil {
		return nil, err
	}
	return info{name: base(name), n: n}, nil
}

// Digest tells what a file or folder holds, by git's id; "" where that does not say
// everything, as for folders with links, or nothing is to be had.
func (s *Snapshot) Digest(name string) string {
	n, err := s.find("digest", name)
	if err != nil || n.err != nil || n.hash == "" || !n.whole() {
		return ""
	}
	return n.mode.String() + n.hash
}

// whole tells whether git's id covers all that is to be seen.
func (n *node) whole() bool {
	for _, c := range n.children {
		if c.target != nil || c.link != "" || c.hidden || c.err != nil || !c.whole() {
			return false
		}
	}
	return true
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func entries(n *node) []fs.DirEntry {
	out := make([]fs.DirEntry, 0, len(n.children))
	for _, c := range n.children {
		if !c.hidden {
			out = append(out, info{name: c.name, n: c.real()})
		}
	}
	return out
}

// info is a directory entry and what is known of it.
type info struct {
	name string
	n    *node
}

func (i info) Name() string               { return i.name }
func (i info) IsDir() bool                { return i.n.mode.IsDir() }
func (i info) Type() fs.FileMode          { return i.n.mode.Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) Size() int64                { return i.n.size }
func (i info) Mode() fs.FileMode          { return i.n.mode }
func (i info) ModTime() time.Time         { return time.Time{} }
func (i info) Sys() any                   { return nil }

type openFile struct {
	info
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

// Size settles which of the two embedded methods is meant.
func (f *openFile) Size() int64 { return f.info.Size() }

type openDir struct {
	info
	left []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a directory")}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		out := d.left
		d.left = nil
		return out, nil
	}
	if len(d.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.left))
	out := d.left[:n]
	d.left = d.left[n:]
	return out, nil
}

// Changed lists the paths whose content, mode or kind differs between two
// snapshots, sorted. Links count by what they say.
func Changed(before, after *Snapshot) []string {
	var out []string
	changed(before.root, after.root, "", &out)
	return out
}

func changed(a, b *node, path string, out *[]string) {
	if a != nil && b != nil && a.mode == b.mode && a.hash == b.hash && a.link == b.link {
		return
	}
	dirs := 0
	names := map[string]bool{}
	for _, n := range []*node{a, b} {
		if n == nil {
			continue
		}
		if n.mode.IsDir() {
			dirs++
		} else {
			names[""] = true
		}
		for _, c := range n.children {
			names[c.name] = true
		}
	}
	if names[""] {
		*out = append(*out, path)
		delete(names, "")
	}
	if dirs == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		changed(childOf(a, name), childOf(b, name), strings.TrimPrefix(path+"/"+name, "/"), out)
	}
}

func childOf(n *node, name string) *node {
	if n == nil {
		return nil
	}
	return n.child(name)
}

func describe(size, limit int64) error {
	return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, limit)
}

var (
	_ fs.ReadDirFS  = (*Snapshot)(nil)
	_ fs.ReadFileFS = (*Snapshot)(nil)
	_ fs.StatFS     = (*Snapshot)(nil)
)
