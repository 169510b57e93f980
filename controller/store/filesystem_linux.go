// SPDX-License-Identifier: Apache-2.0

package store

import "golang.org/x/sys/unix"

// remoteFileSystem names the file system of a folder where it is another machine's.
func remoteFileSystem(folder string) (name string, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return "", err
	}
	return remote(uint32(st.Type)), nil //nolint:gosec,unconvert // magic numbers have 32 bits; Type's own size is each machine's
}

// remote knows file systems by their magic numbers.
func remote(magic uint32) string {
	switch magic {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "SMB"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	case unix.NCP_SUPER_MAGIC:
		return "NCP"
	default:
		return ""
	}
}
