// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxWalk bounds the commits that are looked at to find who last changed a file.
const maxWalk = 20_000

// LastChanges finds, for each path, the newest commit in the history of tip that
// changed it. As git log does, it follows the parent that has the file alike. A
// path whose change lies beyond the history that is here is left out.
func (m *Mirror) LastChanges(ctx context.Context, tip string, paths []string) (map[string]Commit, error) {
	out := map[string]Commit{}
	err := m.read(ctx, "search history", func(repo *gogit.Repository) error {
		from, err := known(repo, tip)
		if err != nil {
			return err
		}
		for _, p := range paths {
			c, err := lastChange(ctx, repo, from, p)
			if err != nil {
				return err
			}
			if c != nil {
				out[p] = described(c)
			}
		}
		return nil
	})
	return out, err
}

func lastChange(ctx context.Context, repo *gogit.Repository, c *object.Commit, path string) (*object.Commit, error) {
	have, err := entryHash(c, path)
	if err != nil || have.IsZero() {
		return nil, err
	}
	for range maxWalk {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		next, err := parentWith(repo, c, path, have)
		switch {
		case errors.Is(err, plumbing.ErrObjectNotFound):
			return nil, nil // the edge of a shallow clone
		case err != nil:
			return nil, err
		case next == nil:
			return c, nil
		}
		c = next
	}
	return nil, nil
}

// parentWith gives the first parent that has the path with that content.
func parentWith(repo *gogit.Repository, c *object.Commit, path string, have plumbing.Hash) (*object.Commit, error) {
	for _, hash := range c.ParentHashes {
		parent, err := repo.CommitObject(hash)
		if err != nil {
			return nil, err
		}
		was, err := entryHash(parent, path)
		if err != nil {
			return nil, err
		}
		if was == have {
			return parent, nil
		}
	}
	return nil, nil
}

// entryHash is what a commit has under a path; zero for nothing.
func entryHash(c *object.Commit, path string) (plumbing.Hash, error) {
	tree, err := c.Tree()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	e, err := tree.FindEntry(path)
	switch {
	case errors.Is(err, object.ErrEntryNotFound), errors.Is(err, object.ErrDirectoryNotFound):
		return plumbing.ZeroHash, nil
	case err != nil:
		return plumbing.ZeroHash, err
	}
	return e.Hash, nil
}
