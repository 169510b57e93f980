// SPDX-License-Identifier: Apache-2.0

// Package shelf keeps what files of a specification were made into, so that the next
// revision makes anew only what changed. A value is known by the file's name and by
// the digest of its content, and so is what would be made again. It must not know
// what the values are, nor keep anything of a tree that does not know digests.
package shelf

import (
	"io/fs"
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Shelf is bounded: what was not asked for longest goes first. It is safe for
// concurrent use, and what it keeps must be as well.
type Shelf struct {
	mu   sync.Mutex
	kept *simplelru.LRU[key, value]
	size int64
	most int64
}

type key struct{ kind, name, digest string }

type value struct {
	is   any
	size int64
}

// overhead is what a value costs besides itself, in bytes.
const overhead = 512

// New makes a shelf for values of about that many bytes together.
func New(most int64) *Shelf {
	s := &Shelf{most: most}
	// The number does not matter, the bytes do. Only a size below one is refused.
	s.kept, _ = simplelru.NewLRU(math.MaxInt, func(_ key, v value) { s.size -= v.size })
	return s
}

func (s *Shelf) get(k key) (any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.kept.Get(k)
	return v.is, ok
}

// put keeps a value, unless it would leave no room for others.
func (s *Shelf) put(k key, is any, size int64) {
	size += overhead
	if size > s.most/2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept.Contains(k) {
		return // made twice at once
	}
	s.size += size
	s.kept.Add(k, value{is, size})
	for s.size > s.most {
		s.kept.RemoveOldest()
	}
}

// Size is what all values cost, in bytes.
func (s *Shelf) Size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// Keeper is a file system with a shelf.
type Keeper interface {
	// Shelf gives the shelf, and the digest of what a file or folder holds: "" where
	// that is not known.
	Shelf(name string) (s *Shelf, digest string)
}

// Get gives what a file, or a folder with all below it, was made into before, or makes it. What is made must
// depend on nothing but the kind, the name and what it holds; size is about what it
// takes in memory. Nothing is kept where keep is false.
func Get[T any](fsys fs.FS, kind, name string, make func() (made T, size int, keep bool)) T {
	var s *Shelf
	k := key{kind: kind, name: name}
	if keeper, ok := fsys.(Keeper); ok {
		s, k.digest = keeper.Shelf(name)
	}
	if s == nil || k.digest == "" {
		made, _, _ := make()
		return made
	}
	if v, ok := s.get(k); ok {
		return v.(T)
	}
	made, size, keep := make()
	if keep {
		s.put(k, made, int64(size))
	}
	return made
}

// digester is a file system that knows what its files hold without reading them.
type digester interface {
	Digest(name string) string
}

// On is a file system with a shelf; where it knows no digests, or there is no shelf, it
// is what it was.
func On(fsys fs.FS, s *Shelf) fs.FS {
	dig, ok := fsys.(digester)
	if !ok || s == nil {
		return fsys
	}
	return &shelved{fsys, dig, s}
}

type shelved struct {
	fsys  fs.FS
	dig   digester
	shelf *Shelf
}

// Shelf implements Keeper.
func (s *shelved) Shelf(name string) (*Shelf, string) { return s.shelf, s.dig.Digest(name) }

// Open implements fs.FS.
func (s *shelved) Open(name string) (fs.File, error) { return s.fsys.Open(name) }

// ReadFile implements fs.ReadFileFS.
func (s *shelved) ReadFile(name string) ([]byte, error) { return fs.ReadFile(s.fsys, name) }

// Stat implements fs.StatFS.
func (s *shelved) Stat(name string) (fs.FileInfo, error) { return fs.Stat(s.fsys, name) }

// ReadDir implements fs.ReadDirFS.
func (s *shelved) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(s.fsys, name) }
