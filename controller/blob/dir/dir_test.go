// SPDX-License-Identifier: Apache-2.0

package dir_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/controller/blob/blobtest"
	"github.com/bindery/bindery/controller/blob/dir"
)

func open(t *testing.T, path string) *dir.Dir {
	t.Helper()
	d, err := dir.New(dir.Config{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func TestContract(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) (blob.Blob, func() blob.Blob) {
		path := filepath.Join(t.TempDir(), "new", "store")
		return open(t, path), func() blob.Blob { return open(t, path) }
	})
}

// A link that somebody put into the directory leads nowhere outside of it.
func TestLinkOutOfDirectory(t *testing.T) {
	path, outside := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(path, "h")))
	d := open(t, path)
	_, _, err := d.Get(t.Context(), "h/secret")
	require.Error(t, err)
	_, err = d.Put(t.Context(), "h/new", []byte("x"), blob.Condition{})
	require.Error(t, err)
	require.NoFileExists(t, filepath.Join(outside, "new"))
}

// What a crash left of an unfinished write is neither listed nor in the way.
func TestUnfinishedWrite(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	require.NoError(t, os.Mkdir(filepath.Join(path, "h"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(path, "h", ".new-k"), []byte("torn"), 0o644))
	keys, err := d.List(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, keys)
	_, err = d.Put(t.Context(), "h/k", []byte("whole"), blob.Absent())
	require.NoError(t, err)
	data, _, err := d.Get(t.Context(), "h/k")
	require.NoError(t, err)
	require.Equal(t, "whole", string(data))
	require.NoFileExists(t, filepath.Join(path, "h", ".new-k"))
}

// A write that fails says so and leaves what was there.
func TestUnwritable(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	_, err := d.Put(t.Context(), "h/k", []byte("old"), blob.Condition{})
	require.NoError(t, err)
	// A directory where the temporary file would be: fails for root, too.
	require.NoError(t, os.MkdirAll(filepath.Join(path, "h", ".new-k", "x"), 0o755))
	_, err = d.Put(t.Context(), "h/k", []byte("new"), blob.Condition{})
	require.Error(t, err)
	data, _, err := d.Get(t.Context(), "h/k")
	require.NoError(t, err)
	require.Equal(t, "old", string(data))
}
