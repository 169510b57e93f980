// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bindery/bindery/engine/internal/shelf"
)

// Digester is a file system that knows what its files hold without reading them.
type Digester interface {
	// Digest tells a file's content and mode, or all that a folder holds, from any
	// other. It is "" where that cannot be told.
	Digest(name string) string
}

// Revision is one state of the files of a specification. A nil Revision knows
// nothing and takes no notes.
type Revision struct {
	fsys fs.FS
	dig  Digester
	// facts are what the parts say that are more than files.
	facts map[string]string
}

// NewRevision gives what a file system knows of its files, nil for nothing.
func NewRevision(fsys fs.FS) *Revision {
	dig, ok := fsys.(Digester)
	if !ok {
		return nil
	}
	return &Revision{fsys: fsys, dig: dig, facts: map[string]string{}}
}

// Fact sets what is to be the same besides files. It must not be called once hosts
// are being built.
func (r *Revision) Fact(name, value string) {
	if r != nil {
		r.facts[name] = value
	}
}

// reading is one thing that was looked at.
type reading struct {
	kind reads
	name string
}

type reads uint8

const (
	content reads = iota
	listing
	below
	fact
)

const absent = "absent"

// state is what there is to be seen; "" where that cannot be told.
func (r *Revision) state(q reading) string {
	if q.kind == fact {
		return r.facts[q.name]
	}
	st, err := fs.Stat(r.fsys, q.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent
	case err != nil:
		return ""
	case q.kind == below, !st.IsDir():
		return r.dig.Digest(q.name)
	case q.kind == content:
		return "folder"
	}
	list, err := fs.ReadDir(r.fsys, q.name)
	if err != nil {
		return ""
	}
	h := sha256.New()
	for _, e := range list {
		fmt.Fprintf(h, "%s\x00%s\x00", e.Name(), e.Type())
	}
	return string(h.Sum(nil))
}

// Part is a piece of a specification that values are made of, known by what was
// read for it. What was made of it stands in every revision in which the same
// reading finds the same. It is safe for concurrent use.
type Part struct {
	mu    sync.Mutex
	found map[reading]string
	count atomic.Int64
	last  atomic.Pointer[verdict]
}

// verdict is what was found out about a part last.
type verdict struct {
	in    *Revision
	count int64
	holds bool
}

// note remembers what is found in a revision.
func (p *Part) note(r *Revision, q reading) {
	if r == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.found[q]; known {
		return
	}
	if p.found == nil {
		p.found = map[reading]string{}
	}
	p.found[q] = r.state(q)
	p.count.Store(int64(len(p.found)))
}

// Content says that the part depends on a file, or on its absence.
func (p *Part) Content(r *Revision, name string) { p.note(r, reading{content, name}) }

// Listing says that the part depends on the names in a folder.
func (p *Part) Listing(r *Revision, name string) { p.note(r, reading{listing, name}) }

// Below says that the part depends on all that a folder holds.
func (p *Part) Below(r *Revision, name string) { p.note(r, reading{below, name}) }

// Fact says that the part depends on a fact of the revision.
func (p *Part) Fact(r *Revision, name string) { p.note(r, reading{fact, name}) }

// Holds tells whether all that was read for the part is the same in a revision.
func (p *Part) Holds(r *Revision) bool {
	if last := p.last.Load(); last != nil && last.in == r && last.count == p.count.Load() {
		return last.holds
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v := &verdict{in: r, count: int64(len(p.found)), holds: true}
	for q, was := range p.found {
		if was == "" || r.state(q) != was {
			v.holds = false
			break
		}
	}
	p.last.Store(v)
	return v.holds
}

// adopt adds to the part what was read for one of an earlier revision.
func (p *Part) adopt(r *Revision, from *Part) {
	from.mu.Lock()
	list := make([]reading, 0, len(from.found))
	for q := range from.found {
		list = append(list, q)
	}
	from.mu.Unlock()
	for _, q := range list {
		p.note(r, q)
	}
}

// FS is the file system of a revision that remembers in the part what is read.
func (p *Part) FS(r *Revision, fsys fs.FS) fs.FS {
	if r == nil {
		return fsys
	}
	return &watched{fsys, r, p}
}

// watched notes every access. It is made for readers, not for lists of problems.
type watched struct {
	fsys fs.FS
	r    *Revision
	p    *Part
}

// Open implements fs.FS.
func (w *watched) Open(name string) (fs.File, error) {
	w.p.Content(w.r, name)
	w.p.Listing(w.r, name)
	return w.fsys.Open(name)
}

// Shelf implements shelf.Keeper: what is made of a file is made of its content.
func (w *watched) Shelf(name string) (*shelf.Shelf, string) {
	keeper, ok := w.fsys.(shelf.Keeper)
	if !ok {
		return nil, ""
	}
	w.p.Content(w.r, name)
	return keeper.Shelf(name)
}

// ReadFile implements fs.ReadFileFS.
func (w *watched) ReadFile(name string) ([]byte, error) {
	w.p.Content(w.r, name)
	return fs.ReadFile(w.fsys, name)
}

// Stat implements fs.StatFS.
func (w *watched) Stat(name string) (fs.FileInfo, error) {
	w.p.Content(w.r, name)
	return fs.Stat(w.fsys, name)
}

// ReadDir implements fs.ReadDirFS.
func (w *watched) ReadDir(name string) ([]fs.DirEntry, error) {
	w.p.Listing(w.r, name)
	return fs.ReadDir(w.fsys, name)
}

// Sources are what those need who say of what part a value is made. It is safe for
// concurrent use.
type Sources struct {
	// Revision is nil where the file system does not know digests.
	Revision *Revision
	// Tree is the specification. Nothing notes what is read from it.
	Tree fs.FS
	// Metadata is clients.xml and groups.xml, for what asks about more than the host's
	// own groups; Whole is everything, Rest what counts for all values.
	Metadata, Whole, Rest *Part

	contents, listings sync.Map // name → *Part
	adopted            sync.Map // *Part → how much of it

	mu    sync.Mutex
	lists map[*Part][][]*Part // by the first
}

// NewSources makes what all parts of one specification share. kept is what was made
// of files of other revisions; nil for nothing.
func NewSources(fsys fs.FS, kept *shelf.Shelf) *Sources {
	s := &Sources{Revision: NewRevision(fsys), Tree: shelf.On(fsys, kept), Metadata: &Part{}, Whole: &Part{}, Rest: &Part{}}
	s.Whole.Below(s.Revision, ".")
	return s
}

// Part makes a part and the file system to read it with. The names in the folders
// belong to it.
func (s *Sources) Part(folders ...string) (*Part, fs.FS) {
	p := &Part{}
	for _, name := range folders {
		p.Listing(s.Revision, name)
	}
	return p, p.FS(s.Revision, s.Tree)
}

// File is the part that is one file, or its absence.
func (s *Sources) File(name string) *Part { return s.single(&s.contents, name, (*Part).Content) }

// Folder is the part that is the names in a folder.
func (s *Sources) Folder(name string) *Part { return s.single(&s.listings, name, (*Part).Listing) }

func (s *Sources) single(all *sync.Map, name string, note func(*Part, *Revision, string)) *Part {
	if s.Revision == nil {
		return nil
	}
	if p, ok := all.Load(name); ok {
		return p.(*Part)
	}
	made := &Part{}
	note(made, s.Revision, name)
	p, _ := all.LoadOrStore(name, made)
	return p.(*Part)
}

// Takes tells whether what counted for all values of another revision is the same
// here. If so it counts here as well: values are taken over that are made of it.
func (s *Sources) Takes(rest *Part) bool {
	if rest == s.Rest {
		return true
	}
	count := rest.count.Load()
	if !rest.Holds(s.Revision) {
		return false
	}
	if known, ok := s.adopted.Load(rest); !ok || known.(int64) != count {
		s.Rest.adopt(s.Revision, rest)
		s.adopted.Store(rest, count)
	}
	return true
}

// Hold tells whether parts are the same here.
func (s *Sources) Hold(parts []*Part) bool {
	for _, p := range parts {
		if !p.Holds(s.Revision) {
			return false
		}
	}
	return true
}

// Uses gives what a computation used, equal lists as one: there are many more
// values than lists.
func (s *Sources) Uses(v *View) []*Part {
	if s.Revision == nil || len(v.uses) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	first := v.uses[0]
	for _, list := range s.lists[first] {
		if slices.Equal(list, v.uses) {
			return list
		}
	}
	if s.lists == nil {
		s.lists = map[*Part][][]*Part{}
	}
	list := slices.Clone(v.uses)
	s.lists[first] = append(s.lists[first], list)
	return list
}
