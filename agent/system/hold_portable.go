// SPDX-License-Identifier: Apache-2.0

//go:build !linux || portable

package system

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// This is how things are done where the kernel has only what POSIX asks for. Linux
// is built so with the tag "portable", so that all tests hold for it.

// forPath opens a directory to get past it, which needs the right to read it.
const forPath = unix.O_RDONLY

var errUnheld = fmt.Errorf("%w: this system can hold on to directories and files that it may read alone, and the directories that it is in are not the administrator's alone", errors.ErrUnsupported)

// held is one thing, and what is done is done to it, whatever has its name by now.
// What cannot be opened without harm, such as a link or a device, is known by its
// name, in directories where nobody but the administrator changes names.
type held struct {
	// fd is negative where the thing is not open.
	fd   int
	dir  int
	base string
}

// opened is a thing that was opened already.
func opened(fd int) held { return held{fd: fd} }

// hold takes hold of what has a name in the step's directory.
func (s *step) hold(base string) (held, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(s.dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return held{}, err
	}
	if kind := st.Mode & unix.S_IFMT; kind == unix.S_IFREG || kind == unix.S_IFDIR {
		fd, err := openat(s.dir, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		switch {
		case err == nil:
			h := held{fd: fd}
			var now unix.Stat_t
			if err := h.stat(&now); err != nil || now.Dev != st.Dev || now.Ino != st.Ino {
				h.close()
				return held{}, errors.Join(errMoved, err)
			}
			return h, nil
		case !errors.Is(err, unix.EACCES):
			return held{}, err
		}
	}
	if !s.alone(s.parents) {
		return held{}, errUnheld
	}
	return held{fd: -1, dir: s.dir, base: base}, nil
}

func (h held) close() {
	if h.fd >= 0 {
		_ = unix.Close(h.fd)
	}
}

func (h held) stat(st *unix.Stat_t) error {
	if h.fd < 0 {
		return unix.Fstatat(h.dir, h.base, st, unix.AT_SYMLINK_NOFOLLOW)
	}
	return unix.Fstat(h.fd, st)
}

func (h held) chown(uid, gid int) error {
	if h.fd < 0 {
		return unix.Fchownat(h.dir, h.base, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
	}
	return unix.Fchown(h.fd, uid, gid)
}

func (h held) chmod(mode uint32) error {
	if h.fd < 0 {
		return unix.Fchmodat(h.dir, h.base, mode, unix.AT_SYMLINK_NOFOLLOW)
	}
	return unix.Fchmod(h.fd, mode)
}

func (h held) date(times []unix.Timespec) error {
	if h.fd < 0 {
		return unix.UtimesNanoAt(h.dir, h.base, times, unix.AT_SYMLINK_NOFOLLOW)
	}
	short := make([]unix.Timeval, len(times))
	for i, t := range times {
		short[i] = unix.NsecToTimeval(t.Nano())
	}
	return unix.Futimes(h.fd, short)
}

// also gives what is held another name in the step's directory. It is linked by the
// name that it has, and gone again where that is another thing's by then.
func (s *step) also(h held, from *step, name string) error {
	if err := unix.Linkat(from.dir, from.base, s.dir, name, 0); err != nil {
		return err
	}
	var st, now unix.Stat_t
	err := errors.Join(h.stat(&st), unix.Fstatat(s.dir, name, &now, unix.AT_SYMLINK_NOFOLLOW))
	if err == nil && (st.Dev != now.Dev || st.Ino != now.Ino) {
		err = errMoved
	}
	if err != nil {
		return errors.Join(err, unix.Unlinkat(s.dir, name, 0))
	}
	return nil
}

// resolves tells that the kernel cannot be told what not to pass on the way to a name.
func resolves(int) bool { return false }

// descend opens a directory that is to be emptied.
func (t *Tree) descend(dir int, base string) (int, error) {
	return openat(dir, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
}

// straight never gets there at once: a call that refuses every link on the way is
// not to be had everywhere.
func (t *Tree) straight(_ *place, parts []string) (bool, error) { return len(parts) == 0, nil }

// direct never has the answer, for the same reason.
func (t *Tree) direct([]string, uint64) (fd int, done bool, err error) { return -1, false, nil }

// follow tells where a symbolic link on the way leads, where it may be followed.
func (t *Tree) follow(p *place, part string) (string, error) {
	var st, now unix.Stat_t
	if err := unix.Fstatat(p.dir(), part, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return "", err
	}
	if err := t.leads(p, part, &st); err != nil {
		return "", err
	}
	target, err := readlink(p.dir(), part)
	if err != nil {
		return "", err
	}
	// The directory may have been another one's until it was looked at.
	if err := unix.Fstatat(p.dir(), part, &now, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return "", err
	}
	if now.Dev != st.Dev || now.Ino != st.Ino || now.Uid != st.Uid || now.Ctim != st.Ctim {
		return "", errMoved
	}
	return target, nil
}

// swap puts a finished thing in its place, whatever stands there, and then takes
// away what stood there. A directory that goes, or comes, needs two steps where the
// system cannot exchange names; a crash between them leaves nothing at the name.
func (s *step) swap(tmp string) error {
	if err := s.before("rename", s.name); err != nil {
		return err
	}
	err := unix.Renameat(s.dir, tmp, s.dir, s.base)
	if errors.Is(err, unix.EISDIR) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		if err = exchange(s.dir, tmp, s.base); errors.Is(err, errors.ErrUnsupported) {
			err = s.replace(tmp)
		}
	}
	if err != nil {
		_ = s.discard(tmp)
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	// What was exchanged; one of two names of one file, which a rename leaves both;
	// and what a killed process put aside.
	return errors.Join(s.discard(tmp), s.discard(temp(s.base)+aside))
}

// replace puts what stands in the way aside first.
func (s *step) replace(tmp string) error {
	old := temp(s.base) + aside
	if err := s.discard(old); err != nil {
		return err
	}
	if err := unix.Renameat(s.dir, s.base, s.dir, old); err != nil {
		return err
	}
	err := s.before("replace", s.name)
	if err == nil {
		err = unix.Renameat(s.dir, tmp, s.dir, s.base)
	}
	if err != nil {
		return errors.Join(err, unix.Renameat(s.dir, old, s.dir, s.base))
	}
	return nil
}
