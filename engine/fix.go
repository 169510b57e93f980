// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"slices"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/mend"
	"github.com/bindery/bindery/engine/internal/schema"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/textdiff"
)

// Fix is what Fixes would make of one file.
type Fix struct {
	File          string
	Before, After []byte
	Edits         []FixEdit
	// Changes: hosts would be given something else, so that After is not meant to be
	// written without a look.
	Changes bool
	// Left says why the file is as it was although old spellings are in it; "" for
	// one that is rewritten.
	Left string
	// Diff shows the change to people, with secrets masked.
	Diff string
}

// FixEdit is one change of a file.
type FixEdit struct {
	Line int
	Code string
	What string
}

// Fixes rewrites old spellings that lint finds and that have one meaning. What hosts
// are given stays byte for byte: all hosts are built with each file and without. The
// exceptions are entries of before 1.0, such as ConfigFile: no client applies them,
// so that to be bound is what they are rewritten for; all other entries stay. A file
// that would change more is marked, and the others are checked without it.
func Fixes(ctx context.Context, fsys fs.FS, opts Options) ([]Fix, error) {
	found, err := Lint(ctx, fsys, opts)
	if err != nil {
		return nil, err
	}
	codes := map[string]map[string]bool{}
	for _, p := range found {
		if codes[p.Pos.File] == nil {
			codes[p.Pos.File] = map[string]bool{}
		}
		codes[p.Pos.File][p.Code] = true
	}
	set := schema.New()
	var out []Fix
	for _, name := range slices.Sorted(maps.Keys(codes)) {
		if f, ok := fixFile(fsys, set, name, codes[name]); ok {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	for i := range out {
		out[i].Diff = diffOf(fsys, &out[i])
	}
	return out, verifyFixes(ctx, fsys, opts, out)
}

// diffOf is the difference that a fix makes, as a patch without secrets.
func diffOf(fsys fs.FS, f *Fix) string {
	before := shown(fsys, f.File, f.Before)
	after := shown(edited{FS: fsys, files: map[string][]byte{f.File: f.After}}, f.File, f.After)
	return textdiff.Unified("a/"+f.File, "b/"+f.File, before, after, 3)
}

func shown(fsys fs.FS, file string, data []byte) []byte {
	line := Source(fsys)
	var out []byte
	for i := range textdiff.Lines(data) {
		text, _, ok := line(problem.Pos{File: file, Line: i + 1, Column: 1})
		if !ok {
			text = "***"
		}
		out = append(append(out, text...), '\n')
	}
	return out
}

func fixFile(fsys fs.FS, set *schema.Set, name string, codes map[string]bool) (Fix, bool) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return Fix{}, false
	}
	root, p := xmltree.Parse(name, data)
	if p != nil {
		return Fix{}, false
	}
	s := set.For(name, root.Tag)
	if s == nil {
		return Fix{}, false
	}
	if left := mend.Foreign(data); left != "" && slices.ContainsFunc(mend.Codes(), func(code string) bool { return codes[code] }) {
		return Fix{File: name, Before: data, After: data, Left: left}, true
	}
	edits := mend.File(mend.Kind(s.Name), data, func(code string) bool { return codes[code] })
	// An element is renamed where it begins and where it ends.
	seen := map[FixEdit]bool{}
	f := Fix{File: name, Before: data}
	for _, e := range edits {
		shown := FixEdit{e.Line, e.Code, e.What}
		if !seen[shown] {
			seen[shown] = true
			f.Edits = append(f.Edits, shown)
		}
	}
	f.After = mend.Apply(data, edits)
	return f, len(f.Edits) > 0
}

// verifyFixes marks the files that would change what hosts are given.
func verifyFixes(ctx context.Context, fsys fs.FS, opts Options, fixes []Fix) error {
	before, err := buildAll(ctx, fsys, opts)
	if err != nil {
		return err
	}
	good := edited{FS: fsys, files: map[string][]byte{}}
	for i := range fixes {
		good.files[fixes[i].File] = fixes[i].After
	}
	after, err := buildAll(ctx, good, opts)
	if err != nil || kept(before, after) {
		return err
	}
	clear(good.files)
	for i := range fixes {
		good.files[fixes[i].File] = fixes[i].After
		after, err := buildAll(ctx, good, opts)
		if err != nil {
			return err
		}
		if !kept(before, after) {
			fixes[i].Changes = true
			delete(good.files, fixes[i].File)
		}
	}
	return nil
}

func buildAll(ctx context.Context, fsys fs.FS, opts Options) ([]*Result, error) {
	s, err := Open(ctx, fsys, opts)
	if err != nil {
		return nil, err
	}
	in := make([]Input, 0, len(s.Hosts()))
	for _, h := range s.Hosts() {
		in = append(in, Input{Host: h})
	}
	return s.All(ctx, in)
}

// kept tells whether every entry that a client could apply is there as it was.
func kept(before, after []*Result) bool {
	return slices.EqualFunc(before, after, func(a, b *Result) bool {
		if a.Config == nil || b.Config == nil {
			return a.Config == b.Config
		}
		return slices.EqualFunc(a.Config.Bundles, b.Config.Bundles, keptBundle)
	})
}

func keptBundle(a, b *config.Bundle) bool {
	if a.Digest() == b.Digest() {
		return true
	}
	there := map[config.Digest]int{}
	for _, e := range b.Entries {
		there[e.Digest()]++
	}
	for _, e := range a.Entries {
		if slices.Contains(mend.OldTags(), e.Tag) {
			continue
		}
		if there[e.Digest()]--; there[e.Digest()] < 0 {
			return false
		}
	}
	return slices.ContainsFunc(a.Entries, func(e *config.Entry) bool { return slices.Contains(mend.OldTags(), e.Tag) })
}

// edited is a tree with other contents of some files.
type edited struct {
	fs.FS
	files map[string][]byte
}

// Open opens a file.
func (e edited) Open(name string) (fs.File, error) {
	f, err := e.FS.Open(name)
	data, changed := e.files[name]
	if err != nil || !changed {
		return f, err
	}
	return editedFile{f, bytes.NewReader(data)}, nil
}

// editedFile reads other bytes than the file that it stands for.
type editedFile struct {
	fs.File
	*bytes.Reader
}

// Read reads the new bytes.
func (f editedFile) Read(p []byte) (int, error) { return f.Reader.Read(p) }

// Stat gives the size of the new bytes.
func (f editedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return editedInfo{info, f.Reader.Size()}, err
}

type editedInfo struct {
	fs.FileInfo
	size int64
}

// Size is that of the new bytes.
func (i editedInfo) Size() int64 { return i.size }
