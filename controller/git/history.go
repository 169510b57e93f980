// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

var (
	// ErrNoMerge is a pull request of which neither a fast-forward nor the
	// forge's own merge of exactly these commits is here.
	ErrNoMerge = errors.New("cannot be merged here yet")
	// ErrUnknownRevision is a revision that is not in the repository.
	ErrUnknownRevision = errors.New("unknown revision")

	errNoCommit = errors.New("not a commit")
)

// Ref is a name for a commit.
type Ref struct {
	// Name is full, such as refs/heads/main or refs/pull/7/head.
	Name, Commit string
}

// Commit is what is known of a commit. Message and Author come from people.
type Commit struct {
	ID, Tree string
	Parents  []string
	Author   string
	Message  string
	When     time.Time
}

// read runs fn with the turn, and remembers when objects are missing that the
// repository should have.
func (m *Mirror) read(ctx context.Context, op string, fn func(*gogit.Repository) error) error {
	release, err := m.take(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	defer release()
	repo, err := m.view()
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if err := fn(repo); err != nil {
		if m.url != "" && ctx.Err() == nil && !expected(err) {
			m.broken = true
		}
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// expected says whether an error is about what was asked, not about the mirror.
func expected(err error) bool {
	var conflict *ConflictError
	return errors.As(err, &conflict) || slices.ContainsFunc([]error{ErrUnknownRevision, ErrNoMerge, errTooMany, errTooDeep, errTooBig},
		func(target error) bool { return errors.Is(err, target) })
}

// Refs lists the refs that are here, by name. Tags are given as their commit.
func (m *Mirror) Refs(ctx context.Context) ([]Ref, error) {
	var out []Ref
	err := m.read(ctx, "list refs", func(repo *gogit.Repository) error {
		refs, err := repo.References()
		if err != nil {
			return err
		}
		return refs.ForEach(func(ref *plumbing.Reference) error {
			if ref.Type() != plumbing.HashReference {
				return nil
			}
			commit, err := commitOf(repo, ref.Hash())
			if errors.Is(err, errNoCommit) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", ref.Name(), err)
			}
			out = append(out, Ref{Name: ref.Name().String(), Commit: commit.Hash.String()})
			return nil
		})
	})
	slices.SortFunc(out, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// Resolve gives the commit of a revision: a commit id, a full ref, a branch or
// tag, HEAD, or what git calls a revision (main~2). A full id or ref is never
// taken for anything else.
func (m *Mirror) Resolve(ctx context.Context, rev string) (string, error) {
	var id string
	err := m.read(ctx, "resolve", func(repo *gogit.Repository) error {
		hash, err := resolve(repo, rev)
		if err != nil {
			return err
		}
		commit, err := commitOf(repo, hash)
		if errors.Is(err, plumbing.ErrObjectNotFound) || errors.Is(err, errNoCommit) {
			return fmt.Errorf("%q: %w", rev, ErrUnknownRevision)
		}
		if err != nil {
			return err
		}
		id = commit.Hash.String()
		return nil
	})
	return id, err
}

func resolve(repo *gogit.Repository, rev string) (plumbing.Hash, error) {
	if plumbing.IsHash(rev) {
		return plumbing.NewHash(rev), nil
	}
	for _, prefix := range []string{"", "refs/", "refs/tags/", "refs/heads/"} {
		if prefix == "" && rev != "HEAD" && !strings.HasPrefix(rev, "refs/") {
			continue
		}
		name := plumbing.ReferenceName(prefix + rev)
		if rev != "HEAD" && name.Validate() != nil {
			continue
		}
		ref, err := repo.Reference(name, true)
		if err == nil {
			return ref.Hash(), nil
		}
		if !errors.Is(err, plumbing.ErrReferenceNotFound) {
			return plumbing.ZeroHash, err
		}
	}
	return parseRevision(repo, rev)
}

// parseRevision leaves the rest of git's syntax to go-git, which panics on some
// of it ("~1") and ignores what names a tree or a file ("HEAD:a", "HEAD^{tree}").
func parseRevision(repo *gogit.Repository, rev string) (hash plumbing.Hash, err error) {
	if strings.ContainsAny(rev, ":{") {
		return plumbing.ZeroHash, fmt.Errorf("%q: %w", rev, ErrUnknownRevision)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%q: %w", rev, ErrUnknownRevision)
		}
	}()
	found, err := repo.ResolveRevision(plumbing.Revision(rev))
	if err != nil || found == nil || found.IsZero() {
		return plumbing.ZeroHash, fmt.Errorf("%q: %w", rev, ErrUnknownRevision)
	}
	return *found, nil
}

// commitOf follows annotated tags to their commit.
func commitOf(repo *gogit.Repository, hash plumbing.Hash) (*object.Commit, error) {
	const maxTags = 8
	for range maxTags {
		found, err := repo.Object(plumbing.AnyObject, hash)
		if err != nil {
			return nil, err
		}
		switch o := found.(type) {
		case *object.Commit:
			return o, nil
		case *object.Tag:
			hash = o.Target
		default:
			return nil, errNoCommit
		}
	}
	return nil, errNoCommit
}

// known finds a commit by its full id.
func known(repo *gogit.Repository, id string) (*object.Commit, error) {
	if !plumbing.IsHash(id) {
		return nil, fmt.Errorf("%q: %w", id, ErrUnknownRevision)
	}
	commit, err := repo.CommitObject(plumbing.NewHash(id))
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, fmt.Errorf("%q: %w", id, ErrUnknownRevision)
	}
	return commit, err
}

// Commit reads a commit by its id.
func (m *Mirror) Commit(ctx context.Context, id string) (Commit, error) {
	var out Commit
	err := m.read(ctx, "read commit", func(repo *gogit.Repository) error {
		c, err := known(repo, id)
		if err != nil {
			return err
		}
		out = described(c)
		return nil
	})
	return out, err
}

func described(c *object.Commit) Commit {
	out := Commit{
		ID: c.Hash.String(), Tree: c.TreeHash.String(), Author: c.Author.Name,
		Message: c.Message, When: c.Committer.When.UTC(),
	}
	for _, p := range c.ParentHashes {
		out.Parents = append(out.Parents, p.String())
	}
	return out
}

// IsAncestor says whether descendant has ancestor in its history, itself included.
func (m *Mirror) IsAncestor(ctx context.Context, ancestor, descendant string) (bool, error) {
	var found bool
	err := m.read(ctx, "search history", func(repo *gogit.Repository) (err error) {
		found, err = isAncestor(ctx, repo, ancestor, descendant)
		return err
	})
	return found, err
}

func isAncestor(ctx context.Context, repo *gogit.Repository, ancestor, descendant string) (bool, error) {
	if _, err := known(repo, ancestor); err != nil {
		return false, err
	}
	from, err := known(repo, descendant)
	if err != nil {
		return false, err
	}
	target := plumbing.NewHash(ancestor)
	seen := map[plumbing.Hash]bool{from.Hash: true}
	for queue := []*object.Commit{from}; len(queue) > 0; queue = queue[1:] {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if queue[0].Hash == target {
			return true, nil
		}
		for _, hash := range queue[0].ParentHashes {
			if seen[hash] {
				continue
			}
			seen[hash] = true
			parent, err := repo.CommitObject(hash)
			if errors.Is(err, plumbing.ErrObjectNotFound) {
				continue // the edge of a shallow clone
			}
			if err != nil {
				return false, err
			}
			queue = append(queue, parent)
		}
	}
	return false, nil
}

// MergeBase gives the best common ancestor of two commits, "" if there is none.
func (m *Mirror) MergeBase(ctx context.Context, a, b string) (string, error) {
	var id string
	err := m.read(ctx, "find merge base", func(repo *gogit.Repository) error {
		first, err := known(repo, a)
		if err != nil {
			return err
		}
		second, err := known(repo, b)
		if err != nil {
			return err
		}
		bases, err := first.MergeBase(second)
		if err != nil || len(bases) == 0 {
			return err
		}
		id = bases[0].Hash.String()
		return nil
	})
	return id, err
}

// Merge gives the commit that has head merged onto base: head itself where base
// is in its history, base where head is in it already, else the forge's own
// merge (forgeRef, such as refs/pull/7/merge) if its parents are exactly base
// and head. Anything else is ErrNoMerge, and left to MergeHere: never a merge of
// other commits than those that are shown.
func (m *Mirror) Merge(ctx context.Context, base, head, forgeRef string) (string, error) {
	var id string
	err := m.read(ctx, "merge", func(repo *gogit.Repository) (err error) {
		id, err = merge(ctx, repo, base, head, forgeRef)
		return err
	})
	return id, err
}

func merge(ctx context.Context, repo *gogit.Repository, base, head, forgeRef string) (string, error) {
	if ok, err := isAncestor(ctx, repo, base, head); err != nil || ok {
		return head, err
	}
	if ok, err := isAncestor(ctx, repo, head, base); err != nil || ok {
		return base, err
	}
	if forgeRef == "" {
		return "", ErrNoMerge
	}
	ref, err := repo.Reference(plumbing.ReferenceName(forgeRef), true)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return "", ErrNoMerge
	}
	if err != nil {
		return "", err
	}
	commit, err := repo.CommitObject(ref.Hash())
	if err != nil {
		return "", err
	}
	want := []plumbing.Hash{plumbing.NewHash(base), plumbing.NewHash(head)}
	if !slices.Equal(commit.ParentHashes, want) {
		return "", fmt.Errorf("%w: %s is of other commits", ErrNoMerge, forgeRef)
	}
	return commit.Hash.String(), nil
}

// Between gives the ids of the commits that are in the history of to and not in
// that of from.
func (m *Mirror) Between(ctx context.Context, from, to string) (map[string]bool, error) {
	var out map[string]bool
	err := m.read(ctx, "compare histories", func(repo *gogit.Repository) error {
		old, err := history(ctx, repo, from, nil)
		if err != nil {
			return err
		}
		out, err = history(ctx, repo, to, old)
		return err
	})
	return out, err
}

// history gives the ids of a commit and of all before it, without those known.
func history(ctx context.Context, repo *gogit.Repository, tip string, before map[string]bool) (map[string]bool, error) {
	start, err := known(repo, tip)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for queue := []plumbing.Hash{start.Hash}; len(queue) > 0; {
		id := queue[len(queue)-1].String()
		queue = queue[:len(queue)-1]
		if out[id] || before[id] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c, err := repo.CommitObject(plumbing.NewHash(id))
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			continue // the edge of a shallow clone
		}
		if err != nil {
			return nil, err
		}
		out[id] = true
		queue = append(queue, c.ParentHashes...)
	}
	return out, nil
}
