// SPDX-License-Identifier: Apache-2.0

//go:build !portable

package system

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// forPath opens a thing to get past it, without the right to read it.
const forPath = unix.O_PATH

// held is one thing, and what is done is done to it, whatever has its name by now.
// It is open for its path only.
type held struct {
	fd int
	// whole tells that it is open for more than its path.
	whole bool
}

// opened is a thing that was opened already.
func opened(fd int) held { return held{fd: fd, whole: true} }

// hold takes hold of what has a name in the step's directory.
func (s *step) hold(base string) (held, error) {
	fd, err := openat(s.dir, base, unix.O_PATH|unix.O_NOFOLLOW, 0)
	return held{fd: fd}, err
}

func (h held) close() { _ = unix.Close(h.fd) }

func (h held) stat(st *unix.Stat_t) error { return unix.Fstat(h.fd, st) }

func (h held) chown(uid, gid int) error {
	return unix.Fchownat(h.fd, "", uid, gid, unix.AT_EMPTY_PATH)
}

func (h held) chmod(mode uint32) error {
	if h.whole {
		return unix.Fchmod(h.fd, mode)
	}
	err := unix.Fchmodat(h.fd, "", mode, unix.AT_EMPTY_PATH)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
		// A kernel older than 6.6 has no other way to a path-only descriptor.
		return unix.Chmod(descriptor(h.fd), mode)
	}
	return err
}

func (h held) date(times []unix.Timespec) error {
	return unix.UtimesNanoAt(unix.AT_FDCWD, descriptor(h.fd), times, 0)
}

// also gives what is held another name in the step's directory.
func (s *step) also(h held, _ *step, name string) error {
	err := unix.Linkat(h.fd, "", s.dir, name, unix.AT_EMPTY_PATH)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		// Without the right to it only the name in /proc leads to the file.
		return unix.Linkat(unix.AT_FDCWD, descriptor(h.fd), s.dir, name, unix.AT_SYMLINK_FOLLOW)
	}
	return err
}

// resolves tells whether the kernel can be told what not to pass on the way to a
// name. Kernels before 5.6 cannot, nor can what filters or emulates newer ones.
func resolves(dir int) bool {
	fd, err := unix.Openat2(dir, ".", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC})
	if err != nil {
		return false
	}
	_ = unix.Close(fd)
	return true
}

// descend opens a directory that is to be emptied, unless something is mounted there.
func (t *Tree) descend(dir int, base string) (int, error) {
	if !t.resolves {
		return stepDown(dir, base)
	}
	fd, err := unix.Openat2(dir, base, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV,
	})
	if errors.Is(err, unix.EXDEV) {
		return -1, errMounted
	}
	return fd, err
}

// stepDown is descend where the kernel has to be asked afterwards what is mounted.
func stepDown(dir int, base string) (int, error) {
	fd, err := openat(dir, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
	if err != nil {
		return -1, err
	}
	above, err := mount(dir)
	here, failed := mount(fd)
	if err = errors.Join(err, failed); err == nil && above != here {
		err = errMounted
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// mount is the number of the mount that what is open was reached by. Two of one file
// system differ, which the number of the device does not tell.
func mount(fd int) (string, error) {
	name := "/proc/self/fdinfo/" + strconv.Itoa(fd)
	data, err := os.ReadFile(name)
	for line := range strings.Lines(string(data)) {
		if id, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			return strings.TrimSpace(id), nil
		}
	}
	if err == nil {
		err = errors.New(name + " names no mount")
	}
	return "", fmt.Errorf("whether something is mounted below it cannot be told: %w", err)
}

// straight goes all the way with one system call where no part is a link, which
// is nearly always. It tells whether it got there; what it cannot do is left to
// the walk.
func (t *Tree) straight(p *place, parts []string) (bool, error) {
	if len(parts) == 0 || !t.resolves {
		return len(parts) == 0, nil
	}
	fd, done, err := t.direct(parts, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if done && err == nil {
		p.fds, p.names = append(p.fds, fd), parts
	}
	return done && err == nil, err
}

// direct opens a thing by one system call. It tells whether that is its answer: only
// a walk can, where a part is a link.
func (t *Tree) direct(parts []string, flags uint64) (fd int, done bool, err error) {
	fd, err = unix.Openat2(t.fd, strings.Join(parts, "/"), &unix.OpenHow{
		Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH,
	})
	switch {
	case err == nil:
		return fd, true, nil
	case errors.Is(err, unix.ENOENT):
		return -1, true, err
	}
	return -1, false, nil
}

// follow tells where a symbolic link on the way leads, where it may be followed.
func (t *Tree) follow(p *place, part string) (string, error) {
	link, err := openat(p.dir(), part, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(link)
	var st unix.Stat_t
	if err := unix.Fstat(link, &st); err != nil {
		return "", err
	}
	if err := t.leads(p, part, &st); err != nil {
		return "", err
	}
	return readlink(link, "")
}

// swap puts a finished thing in its place at once, whatever stands there, and
// then takes away what stood there.
func (s *step) swap(tmp string) error {
	if err := s.before("rename", s.name); err != nil {
		return err
	}
	err := unix.Renameat2(s.dir, tmp, s.dir, s.base, unix.RENAME_NOREPLACE)
	switch {
	case errors.Is(err, unix.EEXIST):
		if err = unix.Renameat2(s.dir, tmp, s.dir, s.base, unix.RENAME_EXCHANGE); err != nil {
			break
		}
		if err := s.sync(); err != nil {
			return err
		}
		return s.discard(tmp)
	case errors.Is(err, unix.EINVAL):
		// The file system knows only the plain rename.
		err = unix.Renameat(s.dir, tmp, s.dir, s.base)
	}
	if err != nil {
		_ = s.discard(tmp)
		return err
	}
	return s.sync()
}
