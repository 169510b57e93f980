// SPDX-License-Identifier: Apache-2.0

package system

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mknod makes it by its whole name, for want of a call that takes a directory: only
// where nobody but the administrator can put another directory there, from the
// system's own root on.
func (s *step) mknod(base string, mode uint32, device uint64) error {
	if !s.alone(s.parents) {
		return errUnheld
	}
	for dir := s.root; ; dir = filepath.Dir(dir) {
		var st unix.Stat_t
		if err := unix.Lstat(dir, &st); err != nil {
			return err
		}
		if !s.private(&st) {
			return errUnheld
		}
		if dir == "/" {
			break
		}
	}
	name := filepath.Join(s.root, strings.Join(s.parents, "/"), base)
	if mode&unix.S_IFMT == unix.S_IFIFO {
		return unix.Mkfifo(name, mode&0o777)
	}
	return unix.Mknod(name, mode, int(device))
}
