// SPDX-License-Identifier: Apache-2.0

// Package threeway merges trees of files by path, and texts by line. It merges less
// than git does, and never otherwise: what depends on how lines are matched, or on
// which file became which, is a conflict and not a guess. Nothing follows renames.
//
// It must not know where trees are kept.
package threeway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Git's modes, as far as they decide anything.
const (
	Dir        = 0o040000
	Regular    = 0o100644
	Executable = 0o100755
	Symlink    = 0o120000
	Submodule  = 0o160000

	kinds = 0o170000
)

// Entry is one name in a tree. The zero value stands for nothing.
type Entry struct {
	Name string
	Mode uint32
	ID   string
}

// Objects is where trees and files are.
type Objects interface {
	// Tree lists a tree.
	Tree(id string) ([]Entry, error)
	// Blob gives what a file holds; ErrTooLarge where that is more than the limit.
	Blob(id string, limit int64) ([]byte, error)
	// PutTree and PutBlob keep what was merged, and give its id.
	PutTree(entries []Entry) (string, error)
	PutBlob(data []byte) (string, error)
}

// What one merge may take: anybody who may open a pull request makes us do it.
const (
	maxDepth     = 64
	maxEntries   = 1_000_000
	maxConflicts = 1_000
	maxText      = 8 << 20
	maxTexts     = 64 << 20
)

// ErrTooLarge is a merge that would take more than it may.
var ErrTooLarge = errors.New("it is too large to be merged here")

// Merge merges two trees that both come from base. The conflicts are paths, sorted;
// there is a tree only where there are none.
func Merge(ctx context.Context, objects Objects, base, ours, theirs string) (tree string, conflicts []string, err error) {
	m := &merging{objects: objects}
	tree, err = m.tree(ctx, "", 0, [3]string{base, ours, theirs})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err != nil {
		return "", nil, err
	}
	slices.Sort(m.conflicts)
	if conflicts = slices.Compact(m.conflicts); len(conflicts) > 0 {
		return "", conflicts, nil
	}
	if tree == "" {
		tree, err = objects.PutTree(nil)
	}
	return tree, nil, err
}

// errEnough ends a merge with more conflicts than anybody reads.
var errEnough = errors.New("enough conflicts")

type merging struct {
	objects   Objects
	conflicts []string
	entries   int
	texts     int64
}

// The sides of a merge, in the order in which they are handed around.
const (
	base = iota
	ours
	theirs
)

func (m *merging) conflict(path string) error {
	if m.conflicts = append(m.conflicts, path); len(m.conflicts) >= maxConflicts {
		return errEnough
	}
	return nil
}

// tree merges a directory, "" for none; of sides that have a file there, nothing.
func (m *merging) tree(ctx context.Context, path string, depth int, ids [3]string) (string, error) {
	switch {
	case ids[ours] == ids[theirs], ids[base] == ids[theirs]:
		return ids[ours], nil
	case ids[base] == ids[ours]:
		return ids[theirs], nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if depth > maxDepth {
		return "", fmt.Errorf("%w: more than %d directories deep", ErrTooLarge, maxDepth)
	}
	names, lists, err := m.list(ids)
	if err != nil {
		return "", fmt.Errorf("merge %s: %w", path, err)
	}
	if names == nil {
		return "", m.conflict(path) // a name twice: there is no saying what it stands for
	}
	var out []Entry
	for _, name := range names {
		e, err := m.entry(ctx, strings.TrimPrefix(path+"/"+name, "/"), depth, [3]Entry{lists[base][name], lists[ours][name], lists[theirs][name]})
		if err != nil {
			return "", err
		}
		if e.Mode != 0 {
			out = append(out, Entry{name, e.Mode, e.ID})
		}
	}
	if len(out) == 0 || len(m.conflicts) > 0 {
		return "", nil
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(sorted(a), sorted(b)) })
	return m.objects.PutTree(out)
}

// sorted is what git orders the entries of a tree by.
func sorted(e Entry) string {
	if e.Mode == Dir {
		return e.Name + "/"
	}
	return e.Name
}

// list reads a directory on all sides. No names: one of them stands there twice.
func (m *merging) list(ids [3]string) (names []string, lists [3]map[string]Entry, err error) {
	names = []string{}
	for side, id := range ids {
		lists[side] = map[string]Entry{}
		if id == "" {
			continue
		}
		entries, err := m.objects.Tree(id)
		if err != nil {
			return nil, lists, err
		}
		if m.entries += len(entries); m.entries > maxEntries {
			return nil, lists, fmt.Errorf("%w: more than %d entries", ErrTooLarge, maxEntries)
		}
		for _, e := range entries {
			if _, twice := lists[side][e.Name]; twice {
				return nil, lists, nil
			}
			lists[side][e.Name] = e
			names = append(names, e.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), lists, nil
}

// entry merges what is at one path, which may be a file on one side and a directory
// on another.
func (m *merging) entry(ctx context.Context, path string, depth int, at [3]Entry) (Entry, error) {
	var dirs [3]string
	var files [3]Entry
	for side, e := range at {
		switch {
		case e.Mode == Dir:
			dirs[side] = e.ID
		case e.Mode != 0:
			files[side] = Entry{Mode: e.Mode, ID: e.ID}
		}
	}
	below, err := m.tree(ctx, path, depth+1, dirs)
	if err != nil {
		return Entry{}, err
	}
	file, err := m.file(path, files)
	if err != nil {
		return Entry{}, err
	}
	switch {
	case below == "":
		return file, nil
	case file.Mode != 0:
		return Entry{}, m.conflict(path)
	}
	return Entry{Mode: Dir, ID: below}, nil
}

// file merges a file, a link or a submodule.
func (m *merging) file(path string, f [3]Entry) (Entry, error) {
	o, a, b := f[base], f[ours], f[theirs]
	switch {
	case a == b, o == b:
		return a, nil
	case o == a:
		return b, nil
	case a.Mode == 0, b.Mode == 0, a.Mode&kinds != b.Mode&kinds, a.Mode&kinds != Regular&kinds:
		return Entry{}, m.conflict(path)
	}
	mode, ok := pick(o.Mode, a.Mode, b.Mode)
	if !ok {
		return Entry{}, m.conflict(path)
	}
	if id, ok := pick(o.ID, a.ID, b.ID); ok {
		return Entry{Mode: mode, ID: id}, nil
	}
	if o.Mode&kinds != Regular&kinds {
		o.ID = "" // it was no file
	}
	id, err := m.content(o.ID, a.ID, b.ID)
	if err != nil || id == "" {
		if err == nil {
			err = m.conflict(path)
		}
		return Entry{}, err
	}
	return Entry{Mode: mode, ID: id}, nil
}

// pick merges what has no parts.
func pick[T comparable](o, a, b T) (T, bool) {
	switch {
	case a == b, o == a:
		return b, true
	case o == b:
		return a, true
	}
	return a, false
}

// content merges the text of a file that both sides changed; "" for a conflict.
func (m *merging) content(ids ...string) (string, error) {
	var texts [3][]byte
	for side, id := range ids {
		if id == "" {
			continue
		}
		data, err := m.objects.Blob(id, maxText)
		if errors.Is(err, ErrTooLarge) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if m.texts += int64(len(data)); m.texts > maxTexts {
			return "", fmt.Errorf("%w: both sides changed more than %d bytes", ErrTooLarge, maxTexts)
		}
		if bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 {
			return "", nil // git calls such files binary, and does not merge them
		}
		texts[side] = data
	}
	merged, ok := Text(texts[base], texts[ours], texts[theirs])
	if !ok {
		return "", nil
	}
	return m.objects.PutBlob(merged)
}
