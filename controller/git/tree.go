// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Snapshot reads the tree of a commit. Contents that a recent snapshot has are
// shared with it; the others are read once, by the caller that has the turn.
func (m *Mirror) Snapshot(ctx context.Context, commit string) (*Snapshot, error) {
	var out *Snapshot
	err := m.read(ctx, "read tree of "+commit, func(repo *gogit.Repository) error {
		c, err := known(repo, commit)
		if err != nil {
			return err
		}
		for _, s := range m.recent {
			if s.tree == c.TreeHash.String() {
				out = &Snapshot{root: s.root, tree: s.tree, size: s.size, problems: s.problems, commit: commit}
				return nil
			}
		}
		tree, err := c.Tree()
		if err != nil {
			return err
		}
		r := &treeReader{assembly: newAssembly(m.c.FileLimit), repo: repo, known: m.contents()}
		r.root.hash = c.TreeHash.String()
		if err := r.readTree(ctx, tree, r.root, 0); err != nil {
			return err
		}
		if out, err = r.finish(commit, c.TreeHash.String()); err != nil {
			return err
		}
		m.remember(out)
		return nil
	})
	return out, err
}

// remember keeps the newest snapshots, as many as are not too large together.
func (m *Mirror) remember(s *Snapshot) {
	kept, total := []*Snapshot{s}, s.size
	for _, old := range m.recent {
		if total += old.size; total > maxTotal || len(kept) == keptSnapshots {
			break
		}
		kept = append(kept, old)
	}
	m.recent = kept
}

// contents indexes what recent snapshots hold, by git's id.
func (m *Mirror) contents() map[string][]byte {
	byID := map[string][]byte{}
	var visit func(n *node)
	visit = func(n *node) {
		if n.data != nil {
			byID[n.hash] = n.data
		}
		for _, c := range n.children {
			visit(c)
		}
	}
	for _, s := range m.recent {
		visit(s.root)
	}
	return byID
}

type treeReader struct {
	*assembly
	repo  *gogit.Repository
	known map[string][]byte
}

func (r *treeReader) readTree(ctx context.Context, tree *object.Tree, dir *node, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return fmt.Errorf("%s: %w", shown(dir.path()), errTooDeep)
	}
	seen := make(map[string]bool, len(tree.Entries))
	for _, e := range tree.Entries {
		child := &node{name: e.Name, hash: e.Hash.String(), mode: 0o644}
		err := safeName(e.Name)
		if err == nil && seen[e.Name] {
			err = fmt.Errorf("the name %q stands twice in its directory", e.Name)
		}
		if err != nil {
			// There is no name to list it under.
			r.refuse(&node{name: e.Name, parent: dir}, "unsafe-name", err, "rename it")
			continue
		}
		seen[e.Name] = true
		if err := r.add(dir, child); err != nil {
			return err
		}
		if err := r.readEntry(ctx, e, child, depth); err != nil {
			return fmt.Errorf("%s: %w", shown(child.path()), err)
		}
	}
	return nil
}

func (r *treeReader) readEntry(ctx context.Context, e object.TreeEntry, child *node, depth int) error {
	switch e.Mode {
	case filemode.Dir:
		child.mode = fs.ModeDir | 0o755
		tree, err := r.repo.TreeObject(e.Hash)
		if err != nil {
			return err
		}
		return r.readTree(ctx, tree, child, depth+1)
	case filemode.Submodule:
		r.submodule(child)
		return nil
	case filemode.Symlink:
		text, large, err := r.readBlob(e.Hash)
		if err != nil {
			return err
		}
		if large > 0 {
			r.tooLarge(child, large)
			return nil
		}
		child.link, child.size = string(text), int64(len(text))
		r.links = append(r.links, child)
		return nil
	case filemode.Executable:
		child.mode = 0o755
	}
	data, large, err := r.readBlob(e.Hash)
	if err != nil {
		return err
	}
	if large > 0 {
		r.tooLarge(child, large)
		return nil
	}
	return r.fill(child, data)
}

// readBlob gives a content, or only its size where that is beyond the limit: a
// blob is never loaded to find out that it is too large.
func (r *treeReader) readBlob(hash plumbing.Hash) (data []byte, large int64, err error) {
	if data, ok := r.known[hash.String()]; ok {
		return data, 0, nil
	}
	size, err := r.repo.Storer.EncodedObjectSize(hash)
	if err != nil {
		return nil, 0, err
	}
	if size > r.limit {
		return nil, size, nil
	}
	blob, err := r.repo.BlobObject(hash)
	if err != nil {
		return nil, 0, err
	}
	reader, err := blob.Reader()
	if err != nil {
		return nil, 0, err
	}
	data = make([]byte, size)
	_, err = io.ReadFull(reader, data)
	if err = errors.Join(err, reader.Close()); err != nil {
		return nil, 0, err
	}
	r.known[hash.String()] = data
	return data, 0, nil
}
