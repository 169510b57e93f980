// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"errors"
	"net/url"
	"strings"
)

// maxDescription is what GitHub takes of a status' description; others take more.
const maxDescription = 140

var errNoRepository = errors.New("no repository named owner/name")

// Names cuts "owner/name" in two. Groups of GitLab hold others: there all but the
// last is the owner.
func Names(repo string) (owner, name string, err error) {
	cut := strings.LastIndexByte(repo, '/')
	if cut < 0 {
		return "", "", errNoRepository
	}
	for part := range strings.SplitSeq(repo, "/") {
		if !plainName(part) {
			return "", "", errNoRepository
		}
	}
	return repo[:cut], repo[cut+1:], nil
}

func plainName(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > 255 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
}

// Root reads the address of a forge: http or https, and no credential in it. The
// error does not say what it read.
func Root(address string) (*url.URL, error) {
	root, err := url.Parse(strings.TrimSuffix(address, "/") + "/")
	if err != nil || root.Host == "" || root.User != nil || root.Scheme != "http" && root.Scheme != "https" {
		return nil, errors.New("the address is not a plain http or https URL")
	}
	return root, nil
}

// OneLine makes a description short enough for a status.
func OneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxDescription {
		return string(runes[:maxDescription-1]) + "…"
	}
	return s
}
