// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"
)

// descriptor is the name in /proc by which a descriptor that was opened for its
// path only is reached. It leads to the thing itself and never to where a link
// points.
func descriptor(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

func (h held) extended(attribute string) ([]byte, error) {
	if h.fd < 0 {
		return nil, errors.ErrUnsupported
	}
	// Nearly all are short; the kernel has none that is longer than the second.
	buf := make([]byte, 256)
	n, err := unix.Getxattr(descriptor(h.fd), attribute, buf)
	if errors.Is(err, unix.ERANGE) {
		buf = make([]byte, 64<<10)
		n, err = unix.Getxattr(descriptor(h.fd), attribute, buf)
	}
	if err != nil {
		return nil, unsupported(err)
	}
	return buf[:n], nil
}

func (h held) extend(attribute string, value []byte) error {
	if h.fd < 0 {
		return errors.ErrUnsupported
	}
	if value != nil {
		return unsupported(unix.Setxattr(descriptor(h.fd), attribute, value, 0))
	}
	err := unix.Removexattr(descriptor(h.fd), attribute)
	if errors.Is(err, unix.ENODATA) {
		return nil
	}
	return unsupported(err)
}

func unsupported(err error) error {
	switch {
	case errors.Is(err, unix.ENODATA):
		return fs.ErrNotExist
	case errors.Is(err, unix.EOPNOTSUPP):
		return errors.ErrUnsupported
	}
	return err
}

func (s *step) mknod(base string, mode uint32, device uint64) error {
	return unix.Mknodat(s.dir, base, mode, int(device))
}
