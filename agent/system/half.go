// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// half is a file that is not whole yet, in a directory in which it has a name.
type half struct {
	dir  int
	base string
	file *os.File
}

// sheltered is the name of a half-made file in a directory of its own.
const sheltered = "new"

// half makes the successor of a file, empty and for the administrator alone. One that
// gives its rights to who runs it, and belongs to somebody else, is made where nobody
// else gets: between being theirs and having its mode they could write to it.
func (s *step) half(tmp string, c Change) (half, error) {
	h := half{dir: s.dir, base: tmp}
	hidden := c.elevates() && c.UID != Keep && !s.trusted(uint32(c.UID))
	if hidden {
		if err := unix.Mkdirat(s.dir, tmp, 0o700); err != nil {
			return h, err
		}
		fd, err := openat(s.dir, tmp, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		if err != nil {
			return h, err
		}
		h.dir, h.base = fd, sheltered
		if err := s.made(opened(fd), unix.S_IFDIR|0o700, 0); err != nil {
			_ = unix.Close(fd)
			return h, err
		}
	}
	fd, err := openat(h.dir, h.base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		if hidden {
			_ = unix.Close(h.dir)
		}
		return h, err
	}
	h.file = os.NewFile(uintptr(fd), tmp)
	return h, nil
}

// made tells whether what was opened by name is what was just made by that name,
// where others could have put another thing there: it is given an owner next.
func (s *step) made(h held, mode uint32, device uint64) error {
	var dir, st unix.Stat_t
	if err := unix.Fstat(s.dir, &dir); err != nil {
		return err
	}
	if s.private(&dir) {
		return nil
	}
	if err := h.stat(&st); err != nil {
		return err
	}
	// A directory takes setgid over from the one that it is in.
	if uint32(st.Mode)&^unix.S_ISGID != mode || st.Uid != s.uid || device != 0 && uint64(st.Rdev) != device {
		return errMoved
	}
	if mode&unix.S_IFMT != unix.S_IFDIR {
		if st.Nlink != 1 {
			return errMoved
		}
		return nil
	}
	buf := make([]byte, 4<<10)
	n, err := unix.ReadDirent(h.fd, buf)
	if err != nil {
		return err
	}
	if _, count, _ := unix.ParseDirent(buf[:n], 1, nil); count > 0 {
		return errMoved
	}
	return nil
}

// disinherit takes the access lists from a new thing that it got from a directory of
// somebody else, who would have a right to it, and tells whether it is in one.
func (s *step) disinherit(h held) (theirs bool, err error) {
	var dir unix.Stat_t
	if err := unix.Fstat(s.dir, &dir); err != nil || s.trusted(dir.Uid) {
		return false, err
	}
	return true, h.unlist()
}

// unlist takes the access lists from a thing. Only directories have the second, and
// some file systems neither.
func (h held) unlist() error {
	for _, list := range []string{"system.posix_acl_access", "system.posix_acl_default"} {
		if err := h.extend(list, nil); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return wrap("take "+list+" away", err)
		}
	}
	return nil
}
