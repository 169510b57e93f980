// SPDX-License-Identifier: Apache-2.0

//go:build freebsd || darwin

package store

import "golang.org/x/sys/unix"

// remoteFileSystem names the file system of a folder where it is another machine's.
func remoteFileSystem(folder string) (name string, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return "", err
	}
	if st.Flags&unix.MNT_LOCAL != 0 {
		return "", nil
	}
	return unix.ByteSliceToString(st.Fstypename[:]), nil
}
