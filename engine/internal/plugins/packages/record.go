// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
)

// ErrUntrusted is an index whose sum or signature is not what it must be.
var ErrUntrusted = errors.New("it is not trusted")

// Recorder is what recording needs from outside.
type Recorder interface {
	// Get fetches a file. The error is fs.ErrNotExist where there is none.
	Get(ctx context.Context, address string) ([]byte, error)
	// Verify checks a signature of text by one of the keys that the addresses have,
	// or by one that is trusted anyway. Without a signature the text carries it. It
	// gives the text that is signed, and the key's fingerprint, "" where there is no
	// key to check with.
	Verify(ctx context.Context, keys []string, text, signature []byte) (signed []byte, by string, err error)
	// Expires is told until when an index may be used.
	Expires(until time.Time) error
	// Keep keeps the content of an address.
	Keep(address string, content []byte, r Recorded) error
}

// recording is one run of Record.
type recording struct {
	rec      Recorder
	releases map[string]*release
	// paths are the files that packages need by name.
	paths map[string]bool
	done  map[string]bool
	found []*finding
}

// finding is what was fetched of a place.
type finding struct {
	source *source
	place
	Recorded
	list  *index.Listing
	parts map[string]index.Part
}

// Record fetches the indexes of all sources and has kept what counts of them. It
// goes on where one cannot be had, which is in the error.
func (p *Packages) Record(ctx context.Context, rec Recorder) error {
	r := &recording{rec: rec, releases: map[string]*release{}, paths: map[string]bool{}, done: map[string]bool{}}
	var errs []error
	for i := range p.sources {
		s := &p.sources[i]
		for _, at := range s.places() {
			if r.done[at.address()] {
				continue
			}
			r.done[at.address()] = true
			f := &finding{source: s, place: at}
			if err := r.fetch(ctx, f); err != nil {
				errs = append(errs, err)
				continue
			}
			r.found = append(r.found, f)
		}
	}
	// Only now it is known which files packages need.
	for _, f := range r.found {
		err := r.complete(ctx, f)
		if err == nil {
			err = r.keep(f)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (r *recording) fetch(ctx context.Context, f *finding) error {
	switch f.source.kind {
	case "deb":
		return r.apt(ctx, f)
	case "yum":
		return r.yum(ctx, f)
	case "pacman":
		return r.pac(ctx, f)
	}
	return r.pkgng(ctx, f)
}

func (r *recording) keep(f *finding) error {
	content, err := f.list.Encode()
	if err != nil {
		return err
	}
	s := sha256.Sum256(content)
	f.Content = hex.EncodeToString(s[:])
	// Keys of other sources may be those of packages alone.
	f.MustBeSigned = f.source.kind == "deb" && len(f.source.keys) > 0
	if err := r.rec.Keep(f.address(), content, f.Recorded); err != nil {
		return fmt.Errorf("keep %s: %w", f.address(), err)
	}
	return nil
}

// take notes where an index is from.
func (f *finding) take(from string, data []byte) {
	s := sha256.Sum256(data)
	f.From, f.SHA256 = from, hex.EncodeToString(s[:])
}

// first fetches the first of some files that there is.
func (r *recording) first(ctx context.Context, addresses ...string) (data []byte, from string, err error) {
	for _, from = range addresses {
		data, err = r.rec.Get(ctx, from)
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return data, from, err
}

// release is the Release file of an APT repository, nil where there is none.
type release struct {
	*index.Release
	file, signedBy string
	err            error
}

// endings are how indexes of APT are packed, the one that is read fastest first.
var endings = []string{".zst", ".gz", ".xz", ""}

func (r *recording) apt(ctx context.Context, f *finding) error {
	rel := r.releases[f.root]
	if rel == nil {
		rel = &release{}
		rel.err = r.release(ctx, f, rel)
		r.releases[f.root] = rel
	}
	if rel.err != nil {
		return fmt.Errorf("%s: %w", f.address(), rel.err)
	}
	if rel.Release == nil {
		var all []string
		for _, e := range endings {
			all = append(all, f.address()+e)
		}
		data, from, err := r.first(ctx, all...)
		if err != nil {
			return err
		}
		f.take(from, data)
		f.list, err = index.ParseAPT(data)
		return located(from, err)
	}
	for _, e := range endings {
		digest, ok := rel.Files[f.base+e]
		if !ok {
			continue
		}
		data, from, err := r.listed(ctx, f, rel, f.base+e, digest)
		if errors.Is(err, fs.ErrNotExist) {
			continue // Release lists what is not kept, such as the unpacked form
		}
		if err != nil {
			return err
		}
		f.take(from, data)
		f.CheckedBy, f.SignedBy, f.Date = rel.file+", sha256", rel.signedBy, rel.Date
		f.list, err = index.ParseAPT(data)
		return located(from, err)
	}
	return fmt.Errorf("%s: %s lists no such index that is there", f.address(), rel.file)
}

// listed fetches a file that a Release lists.
func (r *recording) listed(ctx context.Context, f *finding, rel *release, name string, digest index.Digest) ([]byte, string, error) {
	addresses := []string{f.root + name}
	if rel.ByHash && sum.MatchString(digest.Sum) {
		folder := name[:strings.LastIndexByte(name, '/')+1]
		addresses = append([]string{f.root + folder + "by-hash/SHA256/" + digest.Sum}, addresses...)
	}
	data, from, err := r.first(ctx, addresses...)
	if err != nil {
		return nil, "", err
	}
	if err := digest.Check(data); err != nil {
		return nil, "", fmt.Errorf("%s: %w, as %s says: %w", from, err, rel.file, ErrUntrusted)
	}
	return data, from, nil
}

// release reads InRelease, or Release with its signature beside it.
func (r *recording) release(ctx context.Context, f *finding, rel *release) error {
	text, from, err := r.first(ctx, f.root+"InRelease", f.root+"Release")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	rel.file = from[len(f.root):]
	var signature []byte
	if rel.file == "Release" {
		signature, err = r.rec.Get(ctx, from+".gpg")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if rel.file == "InRelease" || signature != nil {
		if text, rel.signedBy, err = r.rec.Verify(ctx, f.source.keys, text, signature); err != nil {
			return located(from, err)
		}
	}
	if rel.Release, err = index.ParseRelease(text); err != nil {
		return located(from, err)
	}
	if !rel.ValidUntil.IsZero() {
		return located(from, r.rec.Expires(rel.ValidUntil))
	}
	return nil
}

// signed fetches a file, and checks the signature beside it if there is one.
func (r *recording) signed(ctx context.Context, f *finding, ending string, addresses ...string) ([]byte, error) {
	data, from, err := r.first(ctx, addresses...)
	if err != nil {
		return nil, err
	}
	f.take(from, data)
	signature, err := r.rec.Get(ctx, from+ending)
	if errors.Is(err, fs.ErrNotExist) {
		return data, nil
	}
	if err == nil {
		data, f.SignedBy, err = r.rec.Verify(ctx, f.source.keys, data, signature)
	}
	return data, located(from, err)
}

func (r *recording) yum(ctx context.Context, f *finding) error {
	repomd, err := r.signed(ctx, f, ".asc", f.address())
	if err != nil {
		return err
	}
	if f.parts, err = index.Parts(repomd); err != nil {
		return located(f.From, err)
	}
	data, err := r.part(ctx, f, "primary")
	if err != nil {
		return err
	}
	f.list, err = index.ParsePrimary(data, r.paths)
	return located(f.From, err)
}

// part fetches a file that repomd.xml names; a sum that this says must be right.
func (r *recording) part(ctx context.Context, f *finding, kind string) ([]byte, error) {
	p := f.parts[kind]
	from := f.root + p.Href
	data, err := r.rec.Get(ctx, from)
	if err != nil {
		return nil, err
	}
	if p.Sum != "" {
		if err := p.Check(data); err != nil {
			return nil, fmt.Errorf("%s: %w, as repomd.xml says: %w", from, err, ErrUntrusted)
		}
		if kind == "primary" {
			f.CheckedBy = "repomd.xml, " + p.Kind
		}
	} else if f.SignedBy != "" {
		return nil, fmt.Errorf("%s: repomd.xml has no sum of it: %w", from, ErrUntrusted)
	}
	if kind == "primary" {
		f.take(from, data)
	}
	return data, nil
}

// complete adds what is known only when all indexes have been read.
func (r *recording) complete(ctx context.Context, f *finding) error {
	if _, ok := f.parts["filelists"]; ok && len(r.paths) > 0 {
		data, err := r.part(ctx, f, "filelists")
		if err == nil {
			err = located(f.root, f.list.AddFiles(data, r.paths))
		}
		if err != nil {
			return err
		}
	}
	for _, kind := range []string{"group", "group_gz", "group_xz", "group_zst"} {
		if _, ok := f.parts[kind]; ok {
			data, err := r.part(ctx, f, kind)
			if err != nil {
				return err
			}
			return located(f.root, f.list.AddGroups(data))
		}
	}
	return nil
}

func (r *recording) pac(ctx context.Context, f *finding) error {
	data, err := r.signed(ctx, f, ".sig", f.address(), f.address()+".tar.gz", f.address()+".tar.zst", f.address()+".tar.xz")
	if err != nil {
		return err
	}
	f.list, err = index.ParsePac(data)
	return located(f.From, err)
}

// pkgng reads a repository of FreeBSD's pkg, whose own way of signing is not
// checked.
func (r *recording) pkgng(ctx context.Context, f *finding) error {
	conf, err := r.rec.Get(ctx, f.root+"meta.conf")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	meta := index.ParseMeta(conf)
	base := f.root + meta.Archive + "."
	data, from, err := r.first(ctx, base+"pkg", base+meta.Packing, base+"txz", base+"tzst")
	if err != nil {
		return err
	}
	f.take(from, data)
	f.list, err = index.ParsePkgNG(data, meta.Manifests)
	return located(from, err)
}

func located(from string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", from, err)
}
