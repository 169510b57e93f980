// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Meta is what meta.conf says of a repository of FreeBSD's pkg: the archive of its
// manifests, without the ending that tells how it is packed, the file in it, and
// that ending.
type Meta struct {
	Archive, Manifests, Packing string
}

// ParseMeta reads a meta.conf; what it does not say is as pkg takes it.
func ParseMeta(data []byte) Meta {
	m := Meta{Archive: "packagesite", Manifests: "packagesite.yaml", Packing: "txz"}
	for line := range strings.SplitSeq(string(data), "\n") {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		value = strings.Trim(strings.TrimSpace(value), `";`)
		if !usable(value) || strings.Contains(value, "/") {
			continue
		}
		switch strings.TrimSpace(key) {
		case "manifests_archive":
			m.Archive = value
		case "manifests":
			m.Manifests = value
		case "packing_format":
			m.Packing = value
		}
	}
	return m
}

// manifest is a package of packagesite.yaml.
type manifest struct {
	Name     string              `json:"name"`
	Deps     map[string]struct{} `json:"deps"`
	Provides []string            `json:"provides"`
}

// ParsePkgNG reads an archive of manifests, a line each.
func ParsePkgNG(data []byte, manifests string) (*Listing, error) {
	var l *Listing
	err := members(data, func(name string, r io.Reader) error {
		if path.Base(name) != manifests || l != nil {
			return nil
		}
		l = &Listing{}
		return l.manifests(r)
	})
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, fmt.Errorf("the archive has no %s", manifests)
	}
	return l, nil
}

func (l *Listing) manifests(r io.Reader) error {
	in := lines(r)
	for n := 1; in.Scan(); n++ {
		if len(in.Bytes()) == 0 {
			continue
		}
		var m manifest
		if err := json.Unmarshal(in.Bytes(), &m); err != nil {
			return fmt.Errorf("read manifests: line %d: %w", n, err)
		}
		if !usable(m.Name) {
			continue
		}
		e := Entry{Name: m.Name, Provides: names(m.Provides)}
		for name := range m.Deps {
			e.Depends = appendNeed(e.Depends, need(name))
		}
		slices.SortFunc(e.Depends, func(a, b Need) int { return strings.Compare(a[0], b[0]) })
		l.Entries = append(l.Entries, e)
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read manifests: %w", err)
	}
	return nil
}
