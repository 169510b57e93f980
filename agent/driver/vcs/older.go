// SPDX-License-Identifier: Apache-2.0

package vcs

import (
	"encoding/xml"
	"errors"
	"path"
	"strings"

	"github.com/bindery/bindery/agent/pattern"
)

var number = pattern.Of(`^[0-9]+$`)

type subversion struct{}

// at reads "svn status --xml", whose form is that of status.rnc in Subversion's source:
// https://svn.apache.org/repos/asf/subversion/trunk/subversion/svn/schema/status.rnc.
// A checkout that was killed has the revision that it was to become, and is incomplete.
func (subversion) at(c *checkout) (string, string, error) {
	out, exit, err := c.ask("svn", "status", "--non-interactive", "--xml", "--verbose", "--depth", "empty", "--", c.name)
	if err != nil || exit != 0 {
		return "", "", err
	}
	var is struct {
		Status struct {
			Item     string `xml:"item,attr"`
			Revision string `xml:"revision,attr"`
		} `xml:"target>entry>wc-status"`
	}
	if err := xml.Unmarshal([]byte(out), &is); err != nil {
		return "", "", errors.New("svn status: its answer is no XML")
	}
	revision := is.Status.Revision
	switch {
	case revision == "":
		return "", "", nil
	case is.Status.Item == "incomplete":
		revision = unfinished
	}
	source, exit, err := c.ask("svn", "info", "--non-interactive", "--show-item", "url", "--", c.name)
	if exit != 0 {
		source = ""
	}
	return revision, source, err
}

// same asks svn how it writes the address, where it is not written like that: with a
// slash at the end, or with characters that need not be escaped.
func (subversion) same(c *checkout, source string) (bool, error) {
	if source == strings.TrimRight(c.source, "/") || source == "" {
		return source != "", nil
	}
	url, exit, err := c.ask("svn", "info", "--non-interactive", "--show-item", "url", "--", c.source)
	if err == nil && exit != 0 {
		err = errNoRevision
	}
	return url == source, err
}

func (subversion) wanted(c *checkout) (string, error) {
	if number.MatchString(c.revision) {
		return c.revision, nil
	}
	if c.revision != "HEAD" && c.revision != latest {
		return "", errors.New("a revision of svn is a number, HEAD or latest")
	}
	out, exit, err := c.ask("svn", "info", "--non-interactive", "--show-item", "revision", "--", c.source)
	if err == nil && (exit != 0 || !number.MatchString(out)) {
		err = errNoRevision
	}
	return out, err
}

func (subversion) fetch(c *checkout, revision string, there bool) error {
	if there {
		if err := c.whole(); err != nil {
			return err
		}
		return c.mended([]string{"svn", "update", "--quiet", "--non-interactive", "--accept", "theirs-full", "--force", "--revision", revision, "--", c.name},
			"svn", "cleanup", "--non-interactive", "--", c.name)
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

// same knows that hg keeps a path where the source is one, be it written as file://,
// and without a slash at the end.
func (mercurial) same(c *checkout, source string) (bool, error) {
	plain := func(s string) string {
		s = strings.TrimPrefix(s, "file://")
		if path.IsAbs(s) {
			return path.Clean(s)
		}
		return s
	}
	return source != "" && plain(source) == plain(c.source), nil
}

func (mercurial) wanted(c *checkout) (string, error) {
	revision := c.revision
	switch {
	case fullHash.MatchString(revision):
		return revision, nil
	case revision == latest:
		revision = "tip"
	}
	out, exit, err := c.ask("hg", "identify", "--id", "--debug", "--rev", revision, "--", c.source)
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
	} else {
		if err := c.whole(); err != nil {
			return err
		}
		if err := c.mended([]string{"hg", "--repository", c.name, "pull", "--quiet", "--noninteractive"}, "hg", "--repository", c.name, "recover", "--quiet"); err != nil {
			return err
		}
	}
	return c.do("hg", "--repository", c.name, "update", "--quiet", "--noninteractive", "--clean", "--rev", revision)
}
