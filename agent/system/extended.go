// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"
)

// Extended reads extended attributes: access lists and security labels.
type Extended interface {
	// Extended gives the value of one. None is fs.ErrNotExist, and a file system
	// that cannot have it errors.ErrUnsupported.
	Extended(name, attribute string) ([]byte, error)
}

// Extended implements Extended.
func (t *Tree) Extended(name, attribute string) ([]byte, error) {
	p, err := t.walk(name)
	if err != nil {
		return nil, pathError("look at", name, err)
	}
	defer p.close()
	fd, err := openat(p.dir(), p.base, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, pathError("look at", name, err)
	}
	defer unix.Close(fd)
	// A descriptor that was opened for its path only is reached by its name in
	// /proc, which leads to the thing itself and never to where a link points.
	buf := make([]byte, 64<<10)
	n, err := unix.Getxattr(descriptor(fd), attribute, buf)
	if err != nil {
		return nil, pathError("read "+attribute+" of", name, unsupported(err))
	}
	return buf[:n], nil
}

func descriptor(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

func unsupported(err error) error {
	switch {
	case errors.Is(err, unix.ENODATA):
		return fs.ErrNotExist
	case errors.Is(err, unix.EOPNOTSUPP):
		return errors.ErrUnsupported
	}
	return err
}

// extend sets an extended attribute, or takes it away.
func (s *step) extend(c Change) error {
	fd, err := s.owned(false)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := s.before("setxattr", s.name); err != nil {
		return err
	}
	if c.Content == nil {
		err = unix.Removexattr(descriptor(fd), c.To)
		if errors.Is(err, unix.ENODATA) {
			err = nil
		}
	} else {
		err = unix.Setxattr(descriptor(fd), c.To, c.Content, 0)
	}
	return wrap("set "+c.To, unsupported(err))
}

// special makes a device or a named pipe.
func (s *step) special(c Change) error {
	kinds := map[Kind]uint32{Block: unix.S_IFBLK, Character: unix.S_IFCHR, Pipe: unix.S_IFIFO}
	kind, ok := kinds[c.Kind]
	if !ok {
		return errors.New("neither a device nor a named pipe")
	}
	tmp := temp(s.base)
	if err := s.clear(tmp); err != nil {
		return err
	}
	if err := s.before("mknod", s.name); err != nil {
		return err
	}
	if err := unix.Mknodat(s.dir, tmp, kind|0o600, int(unix.Mkdev(c.Major, c.Minor))); err != nil {
		return err
	}
	fd, err := openat(s.dir, tmp, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	err = s.own(fd, c, true)
	_ = unix.Close(fd)
	if err != nil {
		_ = s.clear(tmp)
		return err
	}
	return s.swap(tmp)
}
