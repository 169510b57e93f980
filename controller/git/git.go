// SPDX-License-Identifier: Apache-2.0

// Package git gives the controller what is in a repository: a bare mirror,
// revisions, and snapshots that are plain file systems in memory. It is the only
// importer of go-git. There is never a work tree, nothing of a repository is
// ever run, and no credential reaches the disk, a URL or an error. It must not
// know what a specification is.
package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/cache"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/bindery/bindery/internal/transport"
)

const (
	defaultTimeout   = 10 * time.Minute
	defaultFileLimit = 32 << 20
	defaultPackLimit = 4 << 30

	objectCache    = 32 << 20
	largeObject    = 1 << 20
	keptSnapshots  = 4
	markerFile     = "bindery-mirror"
	maxPacks       = 200
	gitHubUsername = "x-access-token"
)

// Config says what is mirrored where.
type Config struct {
	// URL is https://, http://, ssh://, user@host:path, or the path of a repository on this machine,
	// which is then read in place and never written. A user and password in the
	// URL are taken out of it at once.
	URL string
	// Dir is where the bare mirror lives. It is a cache: losing it costs a
	// clone. Not needed for a path.
	Dir string
	// Username goes with Token. "": x-access-token, as GitHub wants it.
	Username string
	// Token is the password for HTTP. It is never written anywhere.
	Token string
	// Tokens gives the password for each fetch anew, where Token is empty: some last
	// for an hour. Nil: there is none.
	Tokens func(ctx context.Context) (string, error)
	// SSHKey is the private key for SSH, without a passphrase.
	SSHKey []byte
	// KnownHosts is a file of the keys that servers have, as OpenSSH keeps it. Others
	// are never taken.
	KnownHosts string
	// FileLimit bounds one file; a larger one is a problem at its path. Zero: 32 MiB.
	FileLimit int64
	// PackLimit bounds one fetch. Zero: 4 GiB.
	PackLimit int64
	// Timeout bounds one fetch. Zero: 10 minutes.
	Timeout time.Duration
	// Base sends the HTTP requests. Nil: the transport package's own.
	Base http.RoundTripper
	// Logger gets what was fetched. Nil: none.
	Logger *slog.Logger
}

// Mirror is a repository. It is safe for concurrent use; go-git is not, so all
// reading and fetching takes turns.
type Mirror struct {
	c      Config
	url    string // without credentials; "" for a path
	path   string
	client *http.Client
	keys   gitssh.AuthMethod // nil: not by SSH
	turn   chan struct{}

	// Below: only for whoever has the turn.
	repo   *gogit.Repository
	disk   *filesystem.Storage // nil for a path
	broken bool
	asked  []string // names that were fetched, the newest last
	recent []*Snapshot
	made   made
}

// New opens a mirror, making its directory if needed. It asks no network.
func New(c Config) (*Mirror, error) {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.FileLimit == 0 {
		c.FileLimit = defaultFileLimit
	}
	if c.PackLimit == 0 {
		c.PackLimit = defaultPackLimit
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Mirror{c: c, turn: make(chan struct{}, 1)}
	if err := m.locate(); err != nil {
		return nil, err
	}
	if m.url == "" {
		if err := m.openPath(); err != nil {
			return nil, fmt.Errorf("open repository %s: %w", m.path, err)
		}
		return m, nil
	}
	var err error
	m.client, err = transport.Plain(transport.Config{Timeout: c.Timeout, MaxBytes: c.PackLimit, Base: c.Base})
	if err != nil {
		return nil, err
	}
	if c.Dir == "" {
		return nil, errors.New("git: no directory for the mirror")
	}
	if m.path, err = filepath.Abs(c.Dir); err != nil {
		return nil, err
	}
	if err := m.openMirror(); err != nil {
		return nil, fmt.Errorf("open mirror %s: %w", m.path, err)
	}
	return m, nil
}

// locate splits Config.URL into where and as whom.
func (m *Mirror) locate() error {
	raw := m.c.URL
	if raw == "" {
		return errors.New("git: no repository")
	}
	if path, ok := strings.CutPrefix(raw, "file://"); ok {
		m.path = path
		return nil
	}
	if SSH(raw) {
		return m.locateSSH()
	}
	if !strings.Contains(raw, "://") {
		m.path = raw
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's error shows the URL, and with it what it carries.
		return errors.New("git: the repository's URL cannot be parsed")
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("git: %s:// is not spoken; give an https:// or ssh:// URL", u.Scheme)
	}
	if u.User != nil {
		password, hasPassword := u.User.Password()
		if m.c.Token == "" && hasPassword {
			m.c.Username, m.c.Token = u.User.Username(), password
		} else if m.c.Token == "" {
			m.c.Token = u.User.Username()
		}
		u.User = nil
	}
	if m.c.Username == "" {
		m.c.Username = gitHubUsername
	}
	u.RawQuery, u.Fragment = "", ""
	m.url = strings.TrimSuffix(u.String(), "/")
	return nil
}

// Name is the repository as it may be shown.
func (m *Mirror) Name() string {
	if m.url != "" {
		return m.url
	}
	return m.path
}

func (m *Mirror) openPath() error {
	repo, err := gogit.PlainOpenWithOptions(m.path, &gogit.PlainOpenOptions{EnableDotGitCommonDir: true})
	if err != nil {
		return err
	}
	m.repo = repo
	return nil
}

// openMirror opens the mirror's directory, makes it, or clears up what an
// earlier process left half-done in it.
func (m *Mirror) openMirror() error {
	if err := os.MkdirAll(filepath.Dir(m.path), 0o750); err != nil {
		return err
	}
	scraps, err := filepath.Glob(filepath.Join(filepath.Dir(m.path), m.scrap()))
	if err != nil {
		return err
	}
	for _, left := range scraps {
		if err := os.RemoveAll(left); err != nil {
			return err
		}
	}
	for _, left := range []string{m.path + ".new", m.path + ".old"} {
		if err := removeMirror(left); err != nil {
			return err
		}
	}
	marker, err := os.ReadFile(filepath.Join(m.path, markerFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := emptyOrAbsent(m.path); err != nil {
			return err
		}
		if err := m.makeMirror(m.path); err != nil {
			return err
		}
	case err != nil:
		return err
	case strings.TrimSpace(string(marker)) != m.url:
		if err := removeMirror(m.path); err != nil {
			return err
		}
		if err := m.makeMirror(m.path); err != nil {
			return err
		}
	}
	if err := errors.Join(tidyPacks(m.path), tidyRefs(m.path)); err != nil {
		return err
	}
	m.repo, m.disk, err = openBare(m.path)
	return err
}

// emptyOrAbsent keeps us from writing into a directory that is not ours.
func emptyOrAbsent(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return errors.New("the directory is neither empty nor a mirror")
	}
	return os.Remove(dir)
}

// removeMirror removes a directory that has our marker, or does not exist. The
// marker goes last, so that a removal that was cut short goes on next time.
func removeMirror(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, markerFile)); err != nil {
			return fmt.Errorf("%s is in the way and is not a mirror", dir)
		}
	}
	for _, e := range entries {
		if e.Name() == markerFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}

// scrap names the directories that become this mirror; MkdirTemp puts its random
// part where the star is.
func (m *Mirror) scrap() string { return "." + filepath.Base(m.path) + ".mirror-*" }

// makeMirror makes an empty bare repository that appears at dir at once.
func (m *Mirror) makeMirror(dir string) error {
	temp, err := os.MkdirTemp(filepath.Dir(dir), m.scrap())
	if err != nil {
		return err
	}
	if _, err = gogit.PlainInit(temp, true); err == nil {
		err = os.WriteFile(filepath.Join(temp, markerFile), []byte(m.url+"\n"), 0o600)
	}
	if err == nil {
		err = os.Rename(temp, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	return nil
}

func openBare(dir string) (*gogit.Repository, *filesystem.Storage, error) {
	// KeepDescriptors is twice as fast and safe only because readers take turns.
	storage := filesystem.NewStorageWithOptions(osfs.New(dir, osfs.WithBoundOS()), cache.NewObjectLRU(objectCache),
		filesystem.Options{KeepDescriptors: true, LargeObjectThreshold: largeObject})
	repo, err := gogit.Open(storage, nil)
	if err != nil {
		return nil, nil, errors.Join(err, storage.Close())
	}
	return repo, storage, nil
}

// tidyPacks removes what a killed fetch leaves: temporary packs, and indexes
// without their pack, which go-git would take for complete.
func tidyPacks(dir string) error {
	packs := filepath.Join(dir, "objects", "pack")
	entries, err := os.ReadDir(packs)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		stale := strings.HasPrefix(e.Name(), "tmp_")
		if base, ok := strings.CutSuffix(e.Name(), ".idx"); ok {
			_, err := os.Stat(filepath.Join(packs, base+".pack"))
			stale = stale || errors.Is(err, os.ErrNotExist)
		}
		if stale {
			if err := os.Remove(filepath.Join(packs, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// tidyRefs removes what a process leaves that is killed while go-git writes a ref in
// its place: an empty file. The next fetch writes it again.
func tidyRefs(dir string) error {
	head := filepath.Join(dir, "HEAD")
	if st, err := os.Stat(head); err == nil && st.Size() == 0 {
		if err := os.WriteFile(head, []byte("ref: refs/heads/main\n"), 0o600); err != nil {
			return err
		}
	}
	return filepath.WalkDir(filepath.Join(dir, "refs"), func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		st, err := d.Info()
		if err != nil || st.Size() > 0 {
			return err
		}
		return os.Remove(name)
	})
}

// Close ends the mirror. It waits for whoever has the turn.
func (m *Mirror) Close() error {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	if m.disk == nil {
		return nil
	}
	return m.disk.Close()
}

// take waits for the turn; release gives it back.
func (m *Mirror) take(ctx context.Context) (release func(), err error) {
	select {
	case m.turn <- struct{}{}:
		return func() { <-m.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
