// SPDX-License-Identifier: Apache-2.0

// Package index reads what a package repository says about its packages: names,
// dependencies, and what provides what. It must not know where files come from,
// nor which host asks.
package index

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Package is what counts of one package.
type Package struct {
	Depends    []string
	Recommends []string
}

// Arch is what a source has for one architecture.
type Arch struct {
	Packages map[string]*Package
	// Provides are the packages that a name stands for: virtual packages, choices
	// and files.
	Provides map[string][]string
}

// Index is one source. Fill it with Add methods, then Close it; from then on it is
// safe for concurrent use.
type Index struct {
	archs map[string]*Arch
	// Essential are the packages that every host needs.
	Essential []string
	// known are the packages of any architecture.
	known map[string]bool
	// common is what all architectures that have the name agree on.
	common map[string][]string
	paths  map[string]bool
}

// New makes an empty Index.
func New() *Index {
	return &Index{archs: map[string]*Arch{}, known: map[string]bool{}, common: map[string][]string{}, paths: map[string]bool{}}
}

func (x *Index) arch(name string) *Arch {
	a := x.archs[name]
	if a == nil {
		a = &Arch{Packages: map[string]*Package{}, Provides: map[string][]string{}}
		x.archs[name] = a
	}
	return a
}

func (a *Arch) provide(name, by string) {
	if !slices.Contains(a.Provides[name], by) {
		a.Provides[name] = append(a.Provides[name], by)
	}
}

// Close ends filling: names on which all architectures agree that have them are
// the same for every host.
func (x *Index) Close() {
	slices.Sort(x.Essential)
	x.Essential = slices.Compact(x.Essential)
	differs := map[string]bool{}
	for _, a := range x.archs {
		for name := range a.Packages {
			x.known[name] = true
		}
		for name, by := range a.Provides {
			slices.Sort(by)
			if was, ok := x.common[name]; ok && !slices.Equal(was, by) {
				differs[name] = true
			}
			x.common[name] = by
		}
	}
	maps.DeleteFunc(x.common, func(name string, _ []string) bool { return differs[name] })
}

// Known tells whether the source has a package, for whichever architecture.
func (x *Index) Known(name string) bool { return x.known[name] }

// Package gives a package of the first of the architectures that has it, nil where
// none has.
func (x *Index) Package(name string, archs []string) *Package {
	for _, a := range archs {
		if in := x.archs[a]; in != nil {
			if p := in.Packages[name]; p != nil {
				return p
			}
		}
	}
	return nil
}

// Providers lists the packages that a name stands for.
func (x *Index) Providers(name string, archs []string) []string {
	if by, ok := x.common[name]; ok {
		return by
	}
	for _, a := range archs {
		if in := x.archs[a]; in != nil && len(in.Provides[name]) > 0 {
			return in.Provides[name]
		}
	}
	return nil
}

// maxIndex bounds an index after decompression, in bytes.
const maxIndex = 1 << 30

// open decompresses data, if it is compressed.
func open(data []byte) (io.Reader, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return bytes.NewReader(data), nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return &bounded{from: z, left: maxIndex}, nil
}

// bounded fails where more is read than it may.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, fmt.Errorf("it has more than %d bytes", maxIndex)
	}
	return n, err
}
