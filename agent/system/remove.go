// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxDepth bounds how deep a tree may be that is taken away: each level holds a
// descriptor.
const maxDepth = 200

var errMounted = errors.New("another file system is mounted below it")

var errFilled = errors.New("a directory that is not empty has the name that the successor is made under, and may be anybody's: take it away")

// removeAll takes away the one tree that it is meant for.
func (s *step) removeAll(c Change) error {
	if err := s.clear(s.base, c); err != nil {
		return err
	}
	return s.sync()
}

// discard takes away what this or a killed process left half-made. Where others can
// rename what is not theirs, a tree that has the name now may be anybody's, and they
// could not empty it themselves.
func (s *step) discard(tmp string) error {
	var dir, st unix.Stat_t
	if err := unix.Fstatat(s.dir, tmp, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		return err
	}
	if err := unix.Fstat(s.dir, &dir); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return s.unlink(s.dir, tmp, false)
	}
	if s.private(&dir) || s.trusted(dir.Uid) && dir.Mode&unix.S_ISVTX != 0 {
		return s.clear(tmp, Change{})
	}
	if err := s.unshelter(tmp); err != nil {
		return err
	}
	err := s.unlink(s.dir, tmp, true)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return errFilled
	}
	return err
}

// unshelter empties a directory in which a half-made file is hidden from all.
func (s *step) unshelter(tmp string) error {
	fd, err := openat(s.dir, tmp, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), tmp)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if !s.trusted(st.Uid) || st.Mode&0o777 != 0o700 {
		return nil
	}
	names, err := f.Readdirnames(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return plain(err)
	}
	if len(names) == 1 && names[0] == sheltered {
		return s.unlink(fd, sheltered, false)
	}
	return nil
}

// vacate takes a directory away that is in the way of something else, where others can
// rename what is not theirs: under another name it could be anybody's by the time it
// goes. It must be the one that the change is meant for. Elsewhere it is exchanged at once.
func (s *step) vacate(c Change) error {
	var dir, st unix.Stat_t
	if err := unix.Fstat(s.dir, &dir); err != nil || s.private(&dir) {
		return err
	}
	err := unix.Fstatat(s.dir, s.base, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) || err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil
	}
	if err != nil {
		return err
	}
	if c.Inode == 0 {
		return errMoved // who wanted the change saw no directory there
	}
	return s.clear(s.base, c)
}

// place puts a finished thing in its place.
func (s *step) place(tmp string, c Change) error {
	if err := s.vacate(c); err != nil {
		_ = s.discard(tmp)
		return err
	}
	return s.swap(tmp)
}

// clear takes away a name of the open directory with all that is below it. It
// follows no link and leaves no file system: what cannot go as a whole stays as a whole.
// Nothing there is no error; another thing than the one that the change is meant for is.
func (s *step) clear(base string, c Change) error {
	var st unix.Stat_t
	if err := unix.Fstatat(s.dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		return err
	}
	if c.Inode != 0 && (c.Inode != st.Ino || c.Device != uint64(st.Dev)) {
		return errMoved
	}
	var dir unix.Stat_t
	if err := unix.Fstat(s.dir, &dir); err != nil {
		return err
	}
	look := func(int, string, bool) error { return nil }
	if err := s.sweep(s.dir, base, &st, uint64(dir.Dev), 0, look); err != nil {
		return err
	}
	return s.sweep(s.dir, base, &st, uint64(dir.Dev), 0, s.unlink)
}

// sweep goes through a tree, what is below a directory before it.
func (s *step) sweep(dir int, base string, st *unix.Stat_t, device uint64, depth int, unlink func(dir int, base string, directory bool) error) error {
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return unlink(dir, base, false)
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
	var is unix.Stat_t
	if err := unix.Fstat(fd, &is); err != nil {
		return err
	}
	if is.Dev != st.Dev || is.Ino != st.Ino {
		return errMoved
	}
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
		if err := s.sweep(fd, name, &child, device, depth+1, unlink); err != nil {
			return err
		}
	}
	return unlink(dir, base, true)
}
