// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"path"
	"strings"
)

// place is a repository of a source, for one architecture: what is there is found
// from the file base below root.
type place struct {
	arch, root, base string
}

// address names the place in the record.
func (p place) address() string { return p.root + p.base }

// places lists where a source has packages.
func (s *source) places() []place {
	switch s.kind {
	case "deb":
		return s.aptPlaces()
	case "yum":
		var out []place
		for _, r := range s.repositories() {
			out = append(out, place{r.arch.name, r.url, "repodata/repomd.xml"})
		}
		return out
	case "pacman":
		return s.pacPlaces()
	case "pkgng":
		return s.pkgngPlaces()
	}
	return nil
}

func (s *source) aptPlaces() []place {
	var out []place
	if s.rawURL != "" {
		for _, a := range s.archs[:min(len(s.archs), 1)] {
			out = append(out, place{a.name, s.rawURL, "Packages"})
		}
		return out
	}
	for _, c := range s.components {
		for _, a := range s.archs {
			out = append(out, place{a.name, s.url + "dists/" + s.version + "/", c + "/binary-" + a.name + "/Packages"})
		}
	}
	return out
}

// pacPlaces are one database for each component and architecture; that of a rawurl
// without components is named as the folder is.
func (s *source) pacPlaces() []place {
	var out []place
	if s.rawURL != "" {
		for _, a := range s.archs {
			root := s.raw(a)
			databases := s.components
			if len(databases) == 0 {
				databases = []string{path.Base(strings.TrimSuffix(root, "/"))}
			}
			for _, name := range databases {
				out = append(out, place{a.name, root, name + ".db"})
			}
		}
		return out
	}
	for _, c := range s.components {
		for _, a := range s.archs {
			out = append(out, place{a.name, s.url + c + "/os/" + a.name + "/", c + ".db"})
		}
	}
	return out
}

func (s *source) pkgngPlaces() []place {
	var out []place
	if s.rawURL != "" {
		for _, a := range s.archs {
			out = append(out, place{a.name, s.raw(a), "packagesite"})
		}
		return out
	}
	for _, c := range s.components {
		for _, a := range s.archs {
			out = append(out, place{a.name, s.url + "FreeBSD:" + s.version + ":" + a.name + "/" + c + "/", "packagesite"})
		}
	}
	return out
}

// raw is the rawurl for an architecture.
func (s *source) raw(a arch) string {
	return strings.NewReplacer("%(version)s", s.version, "%(arch)s", a.name).Replace(s.rawURL)
}
