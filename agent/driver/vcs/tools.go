// SPDX-License-Identifier: Apache-2.0

package vcs

import (
	"errors"
	"strings"

	"github.com/bindery/bindery/agent/pattern"
)

var (
	errNoRevision = errors.New("the source has no such revision, or cannot be reached")
	fullHash      = pattern.Of(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	number        = pattern.Of(`^[0-9]+$`)
)

// git checks revisions out without a branch: a checkout is not there to be
// committed to.
type git struct{}

// in is git in a checkout. Nothing that the checkout itself says may run.
func (git) in(c *checkout, args ...string) []string {
	return append([]string{"git", "-C", c.name, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false"}, args...)
}

func (g git) at(c *checkout) (string, string, error) {
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

// wanted asks the source, unless the entry names a commit. A branch is preferred
// to a tag of that name; a tag is what it stands for.
func (git) wanted(c *checkout) (string, error) {
	if fullHash.MatchString(c.revision) {
		return c.revision, nil
	}
	out, exit, err := c.ask("git", "ls-remote", "--", c.source, c.revision, c.revision+"^{}")
	if err != nil {
		return "", err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		if hash, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			refs[name] = hash
		}
	}
	for _, name := range []string{c.revision, "refs/heads/" + c.revision, "refs/tags/" + c.revision + "^{}", "refs/tags/" + c.revision} {
		if peeled := refs[name+"^{}"]; peeled != "" {
			return peeled, nil
		}
		if exit == 0 && refs[name] != "" {
			return refs[name], nil
		}
	}
	return "", errNoRevision
}

func (g git) fetch(c *checkout, revision string, there bool) error {
	if !there {
		if err := c.do("git", "clone", "--quiet", "--no-checkout", "--no-hardlinks", "-c", "core.hooksPath=/dev/null", "--", c.source, c.name); err != nil {
			return err
		}
	} else if err := c.do(g.in(c, "fetch", "--quiet", "--force", "--tags", "--", "origin", "+refs/heads/*:refs/remotes/origin/*")...); err != nil {
		return err
	}
	return c.do(g.in(c, "checkout", "--quiet", "--force", "--detach", revision)...)
}

type subversion struct{}

func (subversion) at(c *checkout) (string, string, error) {
	revision, exit, err := c.ask("svn", "info", "--non-interactive", "--show-item", "revision", "--", c.name)
	if err != nil || exit != 0 {
		return "", "", err
	}
	source, exit, err := c.ask("svn", "info", "--non-interactive", "--show-item", "url", "--", c.name)
	if exit != 0 {
		source = ""
	}
	return revision, source, err
}

func (subversion) wanted(c *checkout) (string, error) {
	if number.MatchString(c.revision) {
		return c.revision, nil
	}
	if c.revision != "HEAD" {
		return "", errors.New("a revision of svn is a number or HEAD")
	}
	out, exit, err := c.ask("svn", "info", "--non-interactive", "--show-item", "revision", "--", c.source)
	if err == nil && (exit != 0 || !number.MatchString(out)) {
		err = errNoRevision
	}
	return out, err
}

func (subversion) fetch(c *checkout, revision string, there bool) error {
	if there {
		return c.do("svn", "update", "--quiet", "--non-interactive", "--accept", "theirs-full", "--force", "--revision", revision, "--", c.name)
	}
	return c.do("svn", "checkout", "--quiet", "--non-interactive", "--revision", revision, "--", c.source, c.name)
}

type mercurial struct{}

func (mercurial) at(c *checkout) (string, string, error) {
	revision, exit, err := c.ask("hg", "--repository", c.name, "log", "--rev", ".", "--template", "{node}")
	if err != nil || exit != 0 {
		return "", "", err
	}
	source, exit, err := c.ask("hg", "--repository", c.name, "paths", "default")
	if exit != 0 {
		source = ""
	}
	return revision, source, err
}

func (mercurial) wanted(c *checkout) (string, error) {
	if fullHash.MatchString(c.revision) {
		return c.revision, nil
	}
	out, exit, err := c.ask("hg", "identify", "--id", "--debug", "--rev", c.revision, "--", c.source)
	if err == nil && (exit != 0 || !fullHash.MatchString(out)) {
		err = errNoRevision
	}
	return out, err
}

func (mercurial) fetch(c *checkout, revision string, there bool) error {
	if !there {
		if err := c.do("hg", "clone", "--quiet", "--noninteractive", "--noupdate", "--", c.source, c.name); err != nil {
			return err
		}
	} else if err := c.do("hg", "--repository", c.name, "pull", "--quiet", "--noninteractive"); err != nil {
		return err
	}
	return c.do("hg", "--repository", c.name, "update", "--quiet", "--noninteractive", "--clean", "--rev", revision)
}
