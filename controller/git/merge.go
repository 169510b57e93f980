// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/memory"
	"github.com/go-git/go-git/v5/storage/transactional"

	"github.com/bindery/bindery/controller/git/threeway"
)

// ConflictError is a merge that cannot be made: Files are the paths that both sides
// changed, each in its own way.
type ConflictError struct{ Files []string }

// Error implements error.
func (e *ConflictError) Error() string {
	shownFiles := make([]string, 0, 3)
	for _, f := range e.Files[:min(3, len(e.Files))] {
		shownFiles = append(shownFiles, shown(f))
	}
	more := ""
	if n := len(e.Files) - len(shownFiles); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return "does not merge: " + strings.Join(shownFiles, ", ") + more
}

// maxMade bounds what merges may hold in memory before the older ones go.
const maxMade = 64 << 20

// made are merges that this process made. They are in memory only: who needs one
// again makes it again, and it has the same id.
type made struct {
	store *memory.Storage
	bytes int64
	// results are by the two commits.
	results map[[2]string]result
	// repo is the mirror with what was made; of is the mirror alone, that it was made for.
	repo, of *gogit.Repository
}

// result is what became of a merge.
type result struct {
	id  string
	err error
}

// view is the repository with the merges that were made. Only for whoever has the turn.
func (m *Mirror) view() (*gogit.Repository, error) {
	if m.made.store == nil {
		return m.repo, nil
	}
	if m.made.of != m.repo {
		repo, err := gogit.Open(transactional.NewStorage(m.repo.Storer, m.made.store), nil)
		if err != nil {
			return nil, err
		}
		m.made.repo, m.made.of = repo, m.repo
	}
	return m.made.repo, nil
}

// MergeHere merges head onto base, as git does without looking for renames, and gives
// a commit of both that is in the memory of this process alone, with the same id
// each time. A *ConflictError names what does not merge. ErrNoMerge is a merge that
// is not made here: of histories that have no one base, or that takes too much.
func (m *Mirror) MergeHere(ctx context.Context, base, head string) (string, error) {
	var id string
	err := m.read(ctx, "merge", func(*gogit.Repository) (err error) {
		if m.made.store == nil || m.made.bytes > maxMade {
			m.made = made{store: memory.NewStorage(), results: map[[2]string]result{}}
		}
		if done, ok := m.made.results[[2]string{base, head}]; ok {
			id = done.id
			return done.err
		}
		repo, err := m.view()
		if err != nil {
			return err
		}
		id, err = m.mergeHere(ctx, repo, base, head)
		if err == nil || expected(err) && !errors.Is(err, ErrUnknownRevision) {
			m.made.results[[2]string{base, head}] = result{id, err}
			m.made.bytes += 1024
		}
		return err
	})
	return id, err
}

func (m *Mirror) mergeHere(ctx context.Context, repo *gogit.Repository, base, head string) (string, error) {
	ours, err := known(repo, base)
	if err != nil {
		return "", err
	}
	theirs, err := known(repo, head)
	if err != nil {
		return "", err
	}
	bases, err := mergeBases(ctx, repo, ours.Hash, theirs.Hash)
	if err != nil {
		return "", err
	}
	if len(bases) != 1 {
		return "", fmt.Errorf("%w: the two have %d best common ancestors", ErrNoMerge, len(bases))
	}
	from, err := repo.CommitObject(bases[0])
	if err != nil {
		return "", err
	}
	o := &objects{repo: repo, kept: &m.made.bytes}
	tree, conflicts, err := threeway.Merge(ctx, o, from.TreeHash.String(), ours.TreeHash.String(), theirs.TreeHash.String())
	if errors.Is(err, threeway.ErrTooLarge) {
		return "", fmt.Errorf("%w: %w", ErrNoMerge, err)
	}
	if err != nil {
		return "", err
	}
	if len(conflicts) > 0 {
		return "", &ConflictError{conflicts}
	}
	who := object.Signature{Name: "bindery", When: time.Unix(0, 0).UTC()}
	commit := &object.Commit{
		Author: who, Committer: who, Message: "merge\n",
		TreeHash: plumbing.NewHash(tree), ParentHashes: []plumbing.Hash{ours.Hash, theirs.Hash},
	}
	id, err := keep(repo, commit)
	return id.String(), err
}

// mergeBases gives the best common ancestors: those that no other common one has
// in its history.
func mergeBases(ctx context.Context, repo *gogit.Repository, a, b plumbing.Hash) ([]plumbing.Hash, error) {
	parents := map[plumbing.Hash][]plumbing.Hash{}
	all := func(plumbing.Hash, []plumbing.Hash) bool { return true }
	if err := walk(ctx, repo, parents, []plumbing.Hash{a}, all); err != nil {
		return nil, err
	}
	var found []plumbing.Hash
	seen := map[plumbing.Hash][]plumbing.Hash{}
	err := walk(ctx, repo, seen, []plumbing.Hash{b}, func(id plumbing.Hash, _ []plumbing.Hash) bool {
		_, common := parents[id]
		if common {
			found = append(found, id)
		}
		return !common
	})
	if err != nil || len(found) < 2 {
		return found, err
	}
	var above []plumbing.Hash
	for _, id := range found {
		above = append(above, parents[id]...)
	}
	reached := map[plumbing.Hash][]plumbing.Hash{}
	if err := walk(ctx, repo, reached, above, all); err != nil {
		return nil, err
	}
	var best []plumbing.Hash
	for _, id := range found {
		if _, ok := reached[id]; !ok {
			best = append(best, id)
		}
	}
	return best, nil
}

// walk goes through the history of commits, each once, as far as further says, and
// notes their parents.
func walk(ctx context.Context, repo *gogit.Repository, seen map[plumbing.Hash][]plumbing.Hash, queue []plumbing.Hash, further func(plumbing.Hash, []plumbing.Hash) bool) error {
	for len(queue) > 0 {
		id := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if _, ok := seen[id]; ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		c, err := repo.CommitObject(id)
		if err != nil {
			return fmt.Errorf("commit %s: %w", id, err)
		}
		seen[id] = c.ParentHashes
		if further(id, c.ParentHashes) {
			queue = append(queue, c.ParentHashes...)
		}
	}
	return nil
}

// objects lets merges read and keep what is in a repository.
type objects struct {
	repo *gogit.Repository
	kept *int64
}

// Tree implements threeway.Objects.
func (o *objects) Tree(id string) ([]threeway.Entry, error) {
	tree, err := o.repo.TreeObject(plumbing.NewHash(id))
	if err != nil {
		return nil, err
	}
	out := make([]threeway.Entry, len(tree.Entries))
	for i, e := range tree.Entries {
		if e.Mode == filemode.Deprecated {
			e.Mode = filemode.Regular
		}
		out[i] = threeway.Entry{Name: e.Name, Mode: uint32(e.Mode), ID: e.Hash.String()}
	}
	return out, nil
}

// Blob implements threeway.Objects.
func (o *objects) Blob(id string, limit int64) ([]byte, error) {
	hash := plumbing.NewHash(id)
	size, err := o.repo.Storer.EncodedObjectSize(hash)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, threeway.ErrTooLarge
	}
	blob, err := o.repo.BlobObject(hash)
	if err != nil {
		return nil, err
	}
	r, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	data := make([]byte, size)
	_, err = io.ReadFull(r, data)
	return data, errors.Join(err, r.Close())
}

// PutTree implements threeway.Objects.
func (o *objects) PutTree(entries []threeway.Entry) (string, error) {
	tree := &object.Tree{}
	for _, e := range entries {
		tree.Entries = append(tree.Entries, object.TreeEntry{Name: e.Name, Mode: filemode.FileMode(e.Mode), Hash: plumbing.NewHash(e.ID)})
		*o.kept += int64(len(e.Name)) + 32
	}
	id, err := keep(o.repo, tree)
	return id.String(), err
}

// PutBlob implements threeway.Objects.
func (o *objects) PutBlob(data []byte) (string, error) {
	*o.kept += int64(len(data))
	id, err := blob(o.repo, data)
	return id.String(), err
}
