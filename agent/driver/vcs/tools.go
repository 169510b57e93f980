// SPDX-License-Identifier: Apache-2.0

package vcs

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
)

var (
	errNoRevision = errors.New("the source has no such revision, or cannot be reached")
	errShort      = errors.New("the source has no branch or tag of that name, and a commit is written as its full hash")
	fullHash      = pattern.Of(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	partOfHash    = pattern.Of(`^[0-9a-f]{4,39}$`)
)

const (
	// latest is what the source has for who names no revision: as Bcfg2 calls it.
	latest = "latest"
	// unfinished is the revision of a checkout that its tool was stopped in.
	unfinished = "unfinished"
)

// git checks revisions out without a branch: a checkout is not there to be
// committed to.
type git struct{}

// in is git in a checkout. Nothing that the checkout itself says may run, nor what a
// repository below it says: git does not ask whose that is where it goes there by itself.
func (git) in(c *checkout, args ...string) []string {
	return append([]string{"git", "-C", c.name, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=false", "-c", "advice.detachedHead=false"}, args...)
}

// at believes that a revision is there where git wrote an index, which is the last
// thing that it does in a checkout: one that was killed has none.
func (g git) at(c *checkout) (string, string, error) {
	if _, err := c.c.Machine.Files.Look(c.name + "/.git/index"); errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	head, exit, err := c.ask(g.in(c, "--git-dir=.git", "rev-parse", "--verify", "--quiet", "HEAD^{commit}")...)
	if err != nil || exit != 0 {
		return "", "", err
	}
	source, exit, err := c.ask(g.in(c, "--git-dir=.git", "config", "--get", "remote.origin.url")...)
	if exit != 0 {
		source = ""
	}
	return head, source, err
}

func (git) same(c *checkout, source string) (bool, error) { return source == c.source, nil }

// wanted asks the source, unless the entry names a commit. A branch is preferred
// to a tag of that name; a tag is what it stands for.
func (git) wanted(c *checkout) (string, error) {
	if fullHash.MatchString(c.revision) {
		return c.revision, nil
	}
	names := []string{c.revision, "refs/heads/" + c.revision, "refs/tags/" + c.revision + "^{}", "refs/tags/" + c.revision}
	ask := []string{"git", "ls-remote", "--", c.source, c.revision, c.revision + "^{}"}
	if c.revision == latest {
		names, ask = append(names, "HEAD"), append(ask, "HEAD")
	}
	out, exit, err := c.ask(ask...)
	if err != nil {
		return "", err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		if hash, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			refs[name] = hash
		}
	}
	for _, name := range names {
		if peeled := refs[name+"^{}"]; peeled != "" {
			return peeled, nil
		}
		if exit == 0 && refs[name] != "" {
			return refs[name], nil
		}
	}
	if exit == 0 && partOfHash.MatchString(c.revision) {
		return "", errShort
	}
	return "", errNoRevision
}

func (g git) fetch(c *checkout, revision string, there bool) error {
	if !there {
		if err := c.do("git", "clone", "--quiet", "--no-checkout", "--no-hardlinks", "-c", "core.hooksPath=/dev/null", "--", c.source, c.name); err != nil {
			return err
		}
	} else if err := g.follow(c, revision); err != nil {
		return err
	}
	return c.do(g.in(c, "checkout", "--quiet", "--force", "--no-recurse-submodules", "--detach", revision)...)
}

// follow has a checkout know what its source has, and tells why it cannot be moved.
func (g git) follow(c *checkout, revision string) error {
	if err := g.unlock(c); err != nil {
		return err
	}
	if err := c.do(g.in(c, "fetch", "--quiet", "--force", "--tags", "--no-recurse-submodules", "--", "origin", "+refs/heads/*:refs/remotes/origin/*")...); err != nil {
		return err
	}
	return g.safe(c, "HEAD", revision)
}

// safe tells why git cannot work in the directories of revisions: nil where they are the
// administrator's, or not there. In others, of which it knows nothing, it does nothing.
func (g git) safe(c *checkout, revisions ...string) error {
	dirs := map[string]bool{}
	for _, revision := range revisions {
		out, exit, err := c.ask(g.in(c, "--git-dir=.git", "ls-tree", "-r", "-d", "-z", "--full-tree", revision)...)
		if err != nil {
			return err
		}
		if exit != 0 {
			return errNoRevision
		}
		for line := range strings.SplitSeq(out, "\x00") {
			if _, name, ok := strings.Cut(line, "\t"); ok {
				dirs[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		if err := c.passable(name); err != nil {
			return err
		}
	}
	return nil
}

// unlock takes away what a git that was killed left behind, and what no later one gets
// past. None of the agent's goes on for longer than this.
func (git) unlock(c *checkout) error {
	for _, name := range []string{"/.git/index.lock", "/.git/HEAD.lock"} {
		info, err := c.c.Machine.Files.Look(c.name + name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case c.c.Machine.Now().Sub(info.Modified) < c.c.Timeout:
			continue // git says so
		}
		if err := c.change(system.Change{Op: system.Remove, Name: c.name + name}); err != nil {
			return err
		}
	}
	return nil
}
