// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	gittransport "github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/bindery/bindery/internal/transport"
)

// maxHaves bounds how many commits are told to the server as known.
const maxHaves = 256

// ErrEmpty is a repository without a commit.
var ErrEmpty = errors.New("the repository has no commit yet")

// Fetch makes the named refs as they are at the remote: new, moved anywhere (a
// force-push too) or gone. A name may hold one "*", such as refs/heads/* or
// refs/pull/7/*; without names, all branches and tags. Of a repository that is a
// path, Fetch only sees what is new. A mirror that turned out to be damaged is
// cloned anew beside the old one.
func (m *Mirror) Fetch(ctx context.Context, names ...string) error {
	release, err := m.take(ctx)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", m.Name(), err)
	}
	defer release()
	if m.url == "" {
		err = m.openPath()
	} else {
		ctx, cancel := context.WithTimeout(ctx, m.c.Timeout)
		defer cancel()
		err = m.fetch(ctx, names)
		if ended := ctx.Err(); err != nil && ended != nil && !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, transport.Redact(err)) // the library does not say so in every phase
		}
	}
	if err != nil {
		return fmt.Errorf("fetch %s: %w", m.Name(), transport.Redact(err))
	}
	return nil
}

func (m *Mirror) fetch(ctx context.Context, names []string) error {
	if len(names) == 0 {
		names = []string{"refs/heads/*", "refs/tags/*"}
	}
	if err := m.fetchHere(ctx, names); err != nil {
		return err
	}
	m.keepNames(names)
	return nil
}

// maxAsked bounds how many names are kept for a clone.
const maxAsked = 1024

// keepNames keeps what was fetched last, for a clone in place of a damaged mirror:
// whoever shares the mirror does not ask again before it reads.
func (m *Mirror) keepNames(names []string) {
	m.asked = slices.DeleteFunc(m.asked, func(n string) bool { return slices.Contains(names, n) })
	m.asked = append(m.asked, names...)
	m.asked = slices.Clone(m.asked[max(0, len(m.asked)-maxAsked):])
}

func (m *Mirror) fetchHere(ctx context.Context, names []string) error {
	if m.broken || countPacks(m.path) > maxPacks {
		return m.rebuild(ctx, names)
	}
	err := m.fetchInto(ctx, m.repo, m.disk, names)
	if tidy := tidyPacks(m.path); err == nil {
		err = tidy
	}
	if errors.Is(err, errDamaged) {
		return m.rebuild(ctx, names)
	}
	if err != nil {
		return err
	}
	return m.reopen()
}

// rebuild clones beside the mirror and takes its place, so that a failed clone
// costs nothing. All that was fetched into it lately comes again, not the names alone.
func (m *Mirror) rebuild(ctx context.Context, names []string) error {
	m.c.Logger.Warn("mirror is cloned anew", "repo", m.url)
	fresh, old := m.path+".new", m.path+".old"
	for _, dir := range []string{fresh, old} {
		if err := removeMirror(dir); err != nil {
			return err
		}
	}
	if err := m.makeMirror(fresh); err != nil {
		return err
	}
	repo, disk, err := openBare(fresh)
	if err != nil {
		return err
	}
	err = m.fetchInto(ctx, repo, disk, slices.Concat(m.asked, names))
	if err != nil && ctx.Err() == nil && len(m.asked) > 0 {
		// What others asked for may have become what nobody can fetch.
		m.c.Logger.Warn("what was fetched before cannot be cloned", "repo", m.url, "err", transport.Redact(err))
		err = errors.Join(tidyPacks(fresh), m.fetchInto(ctx, repo, disk, names))
	}
	if err = errors.Join(err, disk.Close()); err != nil {
		return errors.Join(err, removeMirror(fresh))
	}
	if err := os.Rename(m.path, old); err != nil {
		return err
	}
	if err := os.Rename(fresh, m.path); err != nil {
		return err
	}
	m.broken = false
	return errors.Join(m.reopen(), removeMirror(old))
}

// reopen drops all that go-git holds of the disk.
func (m *Mirror) reopen() error {
	repo, disk, err := openBare(m.path)
	if err != nil {
		return err
	}
	err = m.disk.Close()
	m.repo, m.disk = repo, disk
	return err
}

// errDamaged is a mirror that lacks objects it should have.
var errDamaged = errors.New("the mirror is damaged")

func (m *Mirror) fetchInto(ctx context.Context, repo *gogit.Repository, disk *filesystem.Storage, names []string) error {
	session, err := m.session(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	advertised, err := session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, gittransport.ErrEmptyRemoteRepository) {
		return ErrEmpty
	}
	if err != nil {
		return err
	}
	remote, head, err := matching(advertised, names)
	if err != nil {
		return err
	}
	if err := m.download(ctx, session, advertised, disk, remote); err != nil {
		return err
	}
	for name, hash := range remote {
		if err := intact(repo, hash); err != nil {
			return fmt.Errorf("%s: %w: %w", name, errDamaged, err)
		}
	}
	return setRefs(disk, remote, head, names)
}

// session connects to the server.
func (m *Mirror) session(ctx context.Context) (gittransport.UploadPackSession, error) {
	endpoint, err := gittransport.NewEndpoint(m.url)
	if err != nil {
		return nil, err
	}
	if m.keys != nil {
		return m.openSSH(ctx, endpoint)
	}
	token := m.c.Token
	if token == "" && m.c.Tokens != nil {
		if token, err = m.c.Tokens(ctx); err != nil {
			return nil, err
		}
	}
	var auth gittransport.AuthMethod
	if token != "" {
		auth = &githttp.BasicAuth{Username: m.c.Username, Password: token}
	}
	return githttp.NewClient(m.client).NewUploadPackSession(endpoint, auth)
}

// matching picks the refs that are wanted, and what HEAD points to.
func matching(advertised *packp.AdvRefs, names []string) (map[string]plumbing.Hash, plumbing.ReferenceName, error) {
	all, err := advertised.AllReferences()
	if err != nil {
		return nil, "", err
	}
	remote := map[string]plumbing.Hash{}
	var head plumbing.ReferenceName
	for name, ref := range all {
		switch {
		case name == plumbing.HEAD && ref.Type() == plumbing.SymbolicReference:
			head = ref.Target()
		case ref.Type() == plumbing.HashReference && matches(names, name.String()) && ref.Name().Validate() == nil:
			remote[name.String()] = ref.Hash()
		}
	}
	return remote, head, nil
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		before, after, wild := strings.Cut(p, "*")
		if !wild {
			return p == name
		}
		return len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
	})
}

// download fetches the objects of the wanted refs that are not here. A pack is
// kept whole or not at all.
func (m *Mirror) download(ctx context.Context, session gittransport.UploadPackSession, advertised *packp.AdvRefs,
	disk *filesystem.Storage, remote map[string]plumbing.Hash,
) error {
	request := packp.NewUploadPackRequestFromCapabilities(advertised.Capabilities)
	if advertised.Capabilities.Supports(capability.NoProgress) {
		if err := request.Capabilities.Set(capability.NoProgress); err != nil {
			return err
		}
	}
	for _, hash := range remote {
		if disk.HasEncodedObject(hash) != nil && !slices.Contains(request.Wants, hash) {
			request.Wants = append(request.Wants, hash)
		}
	}
	if len(request.Wants) == 0 {
		return nil
	}
	haves, err := knownTips(disk)
	if err != nil {
		return err
	}
	request.Haves = haves
	answer, err := session.UploadPack(ctx, request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	var pack io.Reader = &bounded{answer, m.c.PackLimit}
	switch {
	case request.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, pack)
	case request.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, pack)
	}
	err = unpack(disk, pack)
	if errors.Is(err, transport.ErrTooLarge) {
		return fmt.Errorf("read pack: %w: one fetch may bring %d bytes", err, m.c.PackLimit)
	}
	if err != nil {
		return fmt.Errorf("read pack: %w", err)
	}
	m.c.Logger.Info("fetched", "repo", m.url, "refs", len(request.Wants))
	return nil
}

// knownTips lists commits that are here, for the server to build on.
func knownTips(disk *filesystem.Storage) ([]plumbing.Hash, error) {
	refs, err := disk.IterReferences()
	if err != nil {
		return nil, err
	}
	var tips []plumbing.Hash
	err = refs.ForEach(func(ref *plumbing.Reference) error {
		known := ref.Type() == plumbing.HashReference && len(tips) < maxHaves && !slices.Contains(tips, ref.Hash())
		if known && disk.HasEncodedObject(ref.Hash()) == nil {
			tips = append(tips, ref.Hash())
		}
		return nil
	})
	return tips, err
}

// intact reads a tip's commit and root tree: what a torn disk lost shows here,
// before a ref points to it.
func intact(repo *gogit.Repository, hash plumbing.Hash) error {
	commit, err := commitOf(repo, hash)
	if errors.Is(err, errNoCommit) {
		return nil // a tag of something else
	}
	if err != nil {
		return err
	}
	_, err = commit.Tree()
	return err
}

// setRefs writes the refs that moved and removes those of the same names that
// are gone.
func setRefs(disk *filesystem.Storage, remote map[string]plumbing.Hash, head plumbing.ReferenceName, names []string) error {
	local := map[string]plumbing.Hash{}
	refs, err := disk.IterReferences()
	if err != nil {
		return err
	}
	if err := refs.ForEach(func(ref *plumbing.Reference) error {
		if ref.Type() == plumbing.HashReference {
			local[ref.Name().String()] = ref.Hash()
		}
		return nil
	}); err != nil {
		return err
	}
	for name := range local {
		if _, there := remote[name]; !there && matches(names, name) {
			if err := disk.RemoveReference(plumbing.ReferenceName(name)); err != nil {
				return err
			}
		}
	}
	for name, hash := range remote {
		if local[name] == hash {
			continue
		}
		if err := disk.SetReference(plumbing.NewHashReference(plumbing.ReferenceName(name), hash)); err != nil {
			return err
		}
	}
	if head == "" {
		return nil
	}
	return disk.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, head))
}

func countPacks(dir string) int {
	packs, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
	if err != nil {
		return 0
	}
	return len(packs)
}
