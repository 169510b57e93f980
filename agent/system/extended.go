// SPDX-License-Identifier: Apache-2.0

package system

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"time"

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
	s := &step{Tree: t, dir: p.dir(), base: p.base, name: name, parents: p.names}
	h, err := s.hold(p.base)
	if err != nil {
		return nil, pathError("look at", name, err)
	}
	defer h.close()
	value, err := h.extended(attribute)
	if err != nil {
		return nil, pathError("read "+attribute+" of", name, err)
	}
	return value, nil
}

// extend sets an extended attribute, or takes it away.
func (s *step) extend(c Change) error {
	h, err := s.owned(c)
	if err != nil {
		return err
	}
	defer h.close()
	var st unix.Stat_t
	if err := h.stat(&st); err != nil {
		return err
	}
	// An access list sets the mode too. It may be meant for another file.
	if st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&0o6000 != 0 && !s.alone(s.parents) {
		return errGiven
	}
	if err := s.before("setxattr", s.name); err != nil {
		return err
	}
	return wrap("set "+c.To, h.extend(c.To, c.Content))
}

// date says when the content last changed.
func (s *step) date(c Change) error {
	h, err := s.owned(c)
	if err != nil {
		return err
	}
	defer h.close()
	if err := s.before("utimensat", s.name); err != nil {
		return err
	}
	// Nothing says when it was last read; that is now.
	times := []unix.Timespec{unix.NsecToTimespec(time.Now().UnixNano()), unix.NsecToTimespec(c.Modified.UnixNano())}
	return wrap("set modification time", h.date(times))
}

// inherit gives the successor of a file the access list and the label that the old one
// had, unless somebody else made that: an entry that says nothing of them leaves them.
func (s *step) inherit(to held, c Change) error {
	old, err := s.hold(s.base)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, errMoved) {
		return nil // there is none, or none that leaves anything
	}
	if err != nil {
		return err
	}
	defer old.close()
	owner := c.UID
	if owner == Keep {
		owner = os.Geteuid()
	}
	var st unix.Stat_t
	if err := old.stat(&st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Uid != 0 && int(st.Uid) != owner {
		return err
	}
	if !s.alone(s.parents) && (st.Nlink != 1 || s.single(old, &st) != nil) {
		return nil // somebody may have put a name of another file there, whose rights are not for this one
	}
	for _, attribute := range []string{"system.posix_acl_access", "security.selinux"} {
		value, err := old.extended(attribute)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errors.ErrUnsupported), err == nil && len(value) == 0:
			continue
		case err != nil:
			// Without it others could lose a right, or the file its confinement, and
			// nobody would be told.
			return wrap("read "+attribute, err)
		}
		if err := s.before("setxattr", s.name); err != nil {
			return err
		}
		if c.Mode != Keep && attribute == "system.posix_acl_access" {
			value = bounded(value, c.Mode)
		}
		if err := to.extend(attribute, value); err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, errors.ErrUnsupported) {
			return wrap("set "+attribute, err)
		}
	}
	return nil
}

// bounded is an access list that gives no more than a mode: what the old file allowed,
// and the new one does not, would else be allowed until its mode is set. The form is
// that of include/uapi/linux/posix_acl_xattr.h: a version, then a tag, permissions and
// an id for each entry.
func bounded(list []byte, mode int) []byte {
	list = bytes.Clone(list)
	for i := 4; i+8 <= len(list); i += 8 {
		perms := binary.LittleEndian.Uint16(list[i+2:])
		switch binary.LittleEndian.Uint16(list[i:]) {
		case 0x01: // the owner
			perms = uint16(mode>>6) & 7
		case 0x04: // the group
			perms &= uint16(mode>>3) & 7
		case 0x10: // the mask, which is what a mode shows of the group
			perms = uint16(mode>>3) & 7
		case 0x20: // the others
			perms = uint16(mode) & 7
		}
		binary.LittleEndian.PutUint16(list[i+2:], perms)
	}
	return list
}

// special makes a device or a named pipe.
func (s *step) special(c Change) error {
	kinds := map[Kind]uint32{Block: unix.S_IFBLK, Character: unix.S_IFCHR, Pipe: unix.S_IFIFO}
	kind, ok := kinds[c.Kind]
	if !ok {
		return errors.New("neither a device nor a named pipe")
	}
	tmp := temp(s.base)
	if err := s.discard(tmp); err != nil {
		return err
	}
	if err := s.before("mknod", s.name); err != nil {
		return err
	}
	device := unix.Mkdev(c.Major, c.Minor)
	if c.Kind == Pipe {
		device = 0
	}
	if err := s.mknod(tmp, kind|0o600, device); err != nil {
		return err
	}
	h, err := s.hold(tmp)
	if err == nil {
		if err = s.made(h, kind|0o600, device); err == nil {
			_, err = s.disinherit(h)
		}
		if err == nil {
			err = s.own(h, c)
		}
		h.close()
	}
	if err != nil {
		_ = s.discard(tmp)
		return err
	}
	return s.place(tmp, c)
}
