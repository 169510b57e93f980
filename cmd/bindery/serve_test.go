// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/owner"
)

// Root would leave files in the folder of the controller's user that the unit cannot
// open.
func TestServeDoesNotRunAsRootInTheFolderOfAnother(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, ownState(filepath.Join(dir, "none"), "c.yaml", 0))
	require.NoError(t, ownState(dir, "c.yaml", os.Geteuid()))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(dir, 65534, 65534))
	}
	info, err := os.Stat(dir)
	require.NoError(t, err)
	uid, _, _ := owner.Of(info)
	name := owner.Name(uid)
	require.EqualError(t, ownState(dir, "c.yaml", 0), dir+" belongs to "+name+", who could not read what root leaves there: systemctl start bindery, or runuser -u "+name+" -- bindery serve --config c.yaml")
	require.NoError(t, ownState(dir, "c.yaml", uid))
}

func TestWhoWasNotPermittedIsSaid(t *testing.T) {
	err := asWhom(withCode(exitUsage, &fs.PathError{Op: "open", Path: "k", Err: fs.ErrPermission}))
	require.ErrorContains(t, err, "open k: permission denied; this runs as "+owner.Name(os.Geteuid())+", who has to own the keys")
	require.ErrorIs(t, err, fs.ErrPermission)
	require.Equal(t, fs.ErrNotExist, asWhom(fs.ErrNotExist))
	require.NoError(t, asWhom(nil))
}
