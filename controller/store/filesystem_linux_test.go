// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestFoldersOfOtherMachinesAreNamed(t *testing.T) {
	for magic, name := range map[uint32]string{
		unix.NFS_SUPER_MAGIC: "NFS", unix.CIFS_SUPER_MAGIC: "SMB", unix.SMB2_SUPER_MAGIC: "SMB", unix.AFS_SUPER_MAGIC: "AFS",
		unix.EXT4_SUPER_MAGIC: "", unix.XFS_SUPER_MAGIC: "", unix.BTRFS_SUPER_MAGIC: "", unix.TMPFS_MAGIC: "", unix.OVERLAYFS_SUPER_MAGIC: "",
	} {
		require.Equal(t, name, remote(magic), "%#x", magic)
	}
	require.NoError(t, local(t.TempDir()))
	require.ErrorContains(t, refuse("/srv/state", "NFS"), `/srv/state is on NFS: SQLite's database needs a file system of this machine; set "state" in controller.yaml`)
}
