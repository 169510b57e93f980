// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bytes"
	"io/fs"
	"path"

	"github.com/bindery/bindery/engine/internal/shelf"
)

// marks are what the beginning of a file shows.
type marks uint8

const (
	pointer marks = 1 << iota
	allows
)

const (
	// lfs begins a file that is elsewhere.
	lfs = "version https://git-lfs.github.com/spec/"
	// maxPointer bounds such a file, in bytes.
	maxPointer = 1024
	// markCost is about how many bytes of memory the marks of a file take.
	markCost = 64
)

// Pointer tells whether a file stands for one that Git LFS has.
func (t *Tree) Pointer(f File) bool {
	return f.Size > 0 && f.Size < maxPointer && t.marks(f)&pointer != 0
}

// Allows tells whether the beginning of a file has the word that allows findings.
func (t *Tree) Allows(f File) bool { return t.marks(f)&allows != 0 }

// marks gives those of a file. Of a directory that is as it was no file is read: there
// are directories with several files for every host.
func (t *Tree) marks(f File) marks {
	dir := path.Dir(f.Name)
	known, ok := t.marked[dir]
	if !ok {
		known = shelf.Get(t.FS, "marks", dir, func() (map[string]marks, int, bool) {
			known, err := t.look(dir)
			return known, markCost * len(known), err == nil
		})
		t.marked[dir] = known
	}
	return known[path.Base(f.Name)]
}

// look reads the beginnings of all files of a directory. Files without marks are left
// out.
func (t *Tree) look(dir string) (map[string]marks, error) {
	out := map[string]marks{}
	entries, err := fs.ReadDir(t.FS, dir)
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.Type()&fs.ModeSymlink != 0 {
			if info, err := fs.Stat(t.FS, name); err != nil || !info.Mode().IsRegular() {
				continue
			}
		} else if !e.Type().IsRegular() {
			continue
		}
		data, ok := t.Head(File{Name: name})
		if !ok {
			continue
		}
		if bytes.HasPrefix(data, []byte(lfs)) {
			out[e.Name()] |= pointer
		}
		if bytes.Contains(data, []byte(Allow)) {
			out[e.Name()] |= allows
		}
	}
	return out, err
}
