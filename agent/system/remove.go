// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// maxDepth bounds how deep a tree may be that is taken away: each level holds a
// descriptor.
const maxDepth = 200

var errMounted = errors.New("another file system is mounted below it")

// clear takes away a name of the open directory with all that is below it. It
// follows no link and leaves no file system. Nothing there is no error.
func (s *step) clear(base string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(s.dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		return err
	}
	var dir unix.Stat_t
	if err := unix.Fstat(s.dir, &dir); err != nil {
		return err
	}
	return s.clearTree(s.dir, base, &st, uint64(dir.Dev), 0)
}

func (s *step) clearTree(dir int, base string, st *unix.Stat_t, device uint64, depth int) error {
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return s.unlink(dir, base, false)
	}
	if uint64(st.Dev) != device {
		return errMounted
	}
	if depth > maxDepth {
		return errors.New("the tree is too deep")
	}
	fd, err := s.descend(dir, base)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), base)
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return plain(err)
	}
	for _, name := range names {
		var child unix.Stat_t
		err := unix.Fstatat(fd, name, &child, unix.AT_SYMLINK_NOFOLLOW)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return err
		}
		if err := s.clearTree(fd, name, &child, device, depth+1); err != nil {
			return err
		}
	}
	return s.unlink(dir, base, true)
}
