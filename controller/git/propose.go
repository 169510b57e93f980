// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage"
)

var (
	// ErrCheckedOut is a branch whose files are in the folder: a commit to it would
	// look as if they had been changed.
	ErrCheckedOut = errors.New("the branch is checked out")
	// ErrNoAuthor is a repository that does not know who commits.
	ErrNoAuthor = errors.New("git does not know who you are: set user.name and user.email")
)

// Proposal is what a commit does to a branch of a repository on this machine.
type Proposal struct {
	// Branch is the short name. Where it does not exist it begins at Base.
	Branch string
	Base   string
	// Files are contents by path; nil removes the file.
	Files   map[string][]byte
	Message string
	When    time.Time
}

// Propose puts a change on a branch of the repository in a folder. The folder's own
// files and what is checked out stay as they are. It gives the commit's id.
func Propose(ctx context.Context, dir string, c Proposal) (string, error) {
	repo, err := gogit.PlainOpenWithOptions(dir, &gogit.PlainOpenOptions{EnableDotGitCommonDir: true})
	if err != nil {
		return "", fmt.Errorf("open repository: %w", err)
	}
	name := plumbing.NewBranchReferenceName(c.Branch)
	if err := name.Validate(); err != nil {
		return "", fmt.Errorf("branch %q: %w", c.Branch, err)
	}
	if head, err := repo.Storer.Reference(plumbing.HEAD); err == nil && head.Target() == name {
		return "", fmt.Errorf("commit to %s: %w", c.Branch, ErrCheckedOut)
	}
	who, err := author(repo, c.When)
	if err != nil {
		return "", err
	}
	old, err := repo.Storer.Reference(name)
	if err != nil && !errors.Is(err, plumbing.ErrReferenceNotFound) {
		return "", fmt.Errorf("read branch: %w", err)
	}
	parent := plumbing.NewHash(c.Base)
	if old != nil && old.Hash() != parent {
		return "", fmt.Errorf("commit to %s: it moved meanwhile", c.Branch)
	}
	base, err := repo.CommitObject(parent)
	if err != nil {
		return "", fmt.Errorf("read commit %s: %w", c.Base, err)
	}
	tree, err := amended(ctx, repo, base.TreeHash, c.Files)
	if err != nil {
		return "", fmt.Errorf("write tree: %w", err)
	}
	commit := &object.Commit{Author: *who, Committer: *who, Message: c.Message, TreeHash: tree, ParentHashes: []plumbing.Hash{parent}}
	id, err := keep(repo, commit)
	if err != nil {
		return "", fmt.Errorf("write commit: %w", err)
	}
	if err := repo.Storer.CheckAndSetReference(plumbing.NewHashReference(name, id), old); err != nil {
		if errors.Is(err, storage.ErrReferenceHasChanged) {
			return "", fmt.Errorf("commit to %s: it moved meanwhile", c.Branch)
		}
		return "", fmt.Errorf("set branch: %w", err)
	}
	return id.String(), nil
}

// author is who commits, from the settings of git.
func author(repo *gogit.Repository, when time.Time) (*object.Signature, error) {
	c, err := repo.ConfigScoped(config.SystemScope)
	if err != nil {
		return nil, fmt.Errorf("read the settings of git: %w", err)
	}
	if c.User.Name == "" || c.User.Email == "" {
		return nil, ErrNoAuthor
	}
	return &object.Signature{Name: c.User.Name, Email: c.User.Email, When: when}, nil
}

// amended writes the tree that a change makes of another.
func amended(ctx context.Context, repo *gogit.Repository, base plumbing.Hash, files map[string][]byte) (plumbing.Hash, error) {
	if err := ctx.Err(); err != nil {
		return plumbing.ZeroHash, err
	}
	entries := map[string]object.TreeEntry{}
	if !base.IsZero() {
		tree, err := repo.TreeObject(base)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		for _, e := range tree.Entries {
			entries[e.Name] = e
		}
	}
	below := map[string]map[string][]byte{}
	for name, data := range files {
		dir, rest, nested := strings.Cut(path.Clean(name), "/")
		if err := safeName(dir); err != nil {
			return plumbing.ZeroHash, err
		}
		if nested {
			if below[dir] == nil {
				below[dir] = map[string][]byte{}
			}
			below[dir][rest] = data
			continue
		}
		delete(entries, dir)
		if data == nil {
			continue
		}
		id, err := blob(repo, data)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		entries[dir] = object.TreeEntry{Name: dir, Mode: filemode.Regular, Hash: id}
	}
	for dir, list := range below {
		var inside plumbing.Hash
		if e, ok := entries[dir]; ok && e.Mode == filemode.Dir {
			inside = e.Hash
		} else if ok {
			return plumbing.ZeroHash, fmt.Errorf("%s is no directory", dir)
		}
		id, err := amended(ctx, repo, inside, list)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		entries[dir] = object.TreeEntry{Name: dir, Mode: filemode.Dir, Hash: id}
	}
	tree := &object.Tree{}
	for _, e := range entries {
		tree.Entries = append(tree.Entries, e)
	}
	slices.SortFunc(tree.Entries, func(a, b object.TreeEntry) int { return strings.Compare(treeName(a), treeName(b)) })
	return keep(repo, tree)
}

// treeName is what git sorts the entries of a tree by.
func treeName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

func keep(repo *gogit.Repository, o interface {
	Encode(o plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	obj := repo.Storer.NewEncodedObject()
	if err := o.Encode(obj); err != nil {
		return plumbing.ZeroHash, err
	}
	return repo.Storer.SetEncodedObject(obj)
}

func blob(repo *gogit.Repository, data []byte) (plumbing.Hash, error) {
	obj := repo.Storer.NewEncodedObject()
	obj.SetType(plumbing.BlobObject)
	w, err := obj.Writer()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	_, err = io.WriteString(w, string(data))
	if err := errors.Join(err, w.Close()); err != nil {
		return plumbing.ZeroHash, err
	}
	return repo.Storer.SetEncodedObject(obj)
}
