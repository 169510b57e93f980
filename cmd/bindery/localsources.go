// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"time"

	"github.com/bindery/bindery/cmd/bindery/internal/keyring"
	"github.com/bindery/bindery/engine"
)

// withLocalSources is a folder's tree, with what package sources on this machine
// (file://) have where nothing is recorded yet: so that a mirror on disk can be
// tried before it is recorded.
func withLocalSources(ctx context.Context, fsys fs.FS, opts engine.Options) (fs.FS, error) {
	if _, err := fs.Stat(fsys, engine.PackageSnapshotFile); !errors.Is(err, fs.ErrNotExist) {
		return fsys, nil
	}
	if data, err := fs.ReadFile(fsys, "Packages/sources.xml"); err != nil || !bytes.Contains(data, []byte("file://")) {
		return fsys, nil
	}
	spec, err := engine.Open(ctx, fsys, opts)
	if err != nil {
		return nil, err
	}
	local := localRecorder{layer: layer{FS: fsys, files: map[string][]byte{}}, list: engine.PackageSnapshot{Indexes: map[string]engine.RecordedPackages{}}}
	// What cannot be had is a finding of the build that needs it.
	_ = spec.RecordPackages(ctx, local)
	if local.files[engine.PackageSnapshotFile], err = marshal(local.list); err != nil {
		return nil, fmt.Errorf("record package sources: %w", err)
	}
	return local.layer, nil
}

// localRecorder records sources of this machine in memory. It trusts them: they
// belong to whoever runs the build.
type localRecorder struct {
	layer
	list engine.PackageSnapshot
}

// Get reads a file of this machine.
func (l localRecorder) Get(_ context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "file" {
		return nil, errors.New("it is not on this machine")
	}
	return readIndex(u)
}

// Verify takes any text as it is.
func (l localRecorder) Verify(_ context.Context, _ []string, text, signature []byte) (signed []byte, by string, err error) {
	if signature == nil {
		text = keyring.Text(text)
	}
	return text, "", nil
}

// Expires never refuses.
func (l localRecorder) Expires(time.Time) error { return nil }

// Keep adds a content to the tree.
func (l localRecorder) Keep(address string, content []byte, of engine.RecordedPackages) error {
	l.list.Indexes[address] = of
	l.files[engine.PackageSnapshotDir+"/"+of.Content] = content
	return nil
}

// layer is a tree with some more files, which no folder lists.
type layer struct {
	fs.FS
	files map[string][]byte
}

// Open opens a file of the layer, else one of the tree.
func (l layer) Open(name string) (fs.File, error) {
	if data, ok := l.files[name]; ok {
		return &layerFile{Reader: bytes.NewReader(data), name: path.Base(name)}, nil
	}
	return l.FS.Open(name)
}

// layerFile is an open file of a layer, and what is known of it.
type layerFile struct {
	*bytes.Reader
	name string
}

func (f *layerFile) Close() error               { return nil }
func (f *layerFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *layerFile) Name() string               { return f.name }
func (f *layerFile) Mode() fs.FileMode          { return 0o444 }
func (f *layerFile) ModTime() time.Time         { return time.Time{} }
func (f *layerFile) IsDir() bool                { return false }
func (f *layerFile) Sys() any                   { return nil }
