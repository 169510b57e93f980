// SPDX-License-Identifier: Apache-2.0

package system

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Change implements Files.
func (t *Tree) Change(c Change) error {
	p, err := t.walk(c.Name)
	if err != nil {
		return pathError(string(c.Op), c.Name, err)
	}
	defer p.close()
	if err := t.allow(c, p); err != nil {
		return pathError(string(c.Op), c.Name, err)
	}
	s := &step{Tree: t, dir: p.dir(), base: p.base, name: c.Name, parents: p.names}
	switch c.Op {
	case Write:
		err = s.write(c)
	case Mkdir:
		err = s.mkdir(c)
	case Link:
		err = s.link(c)
	case Hardlink:
		err = s.hardlink(c)
	case Special:
		err = s.special(c)
	case Extend:
		err = s.extend(c)
	case Date:
		err = s.date(c)
	case Attributes:
		err = s.attributes(c)
	case Remove:
		err = s.remove()
	case RemoveAll:
		err = s.removeAll(c)
	case Discard:
		err = s.discard(s.base)
	default:
		err = errors.New("unknown operation")
	}
	if err != nil {
		return pathError(string(c.Op), c.Name, err)
	}
	return nil
}

// allow keeps changes away from the agent's own files, and from the root.
func (t *Tree) allow(c Change, p *place) error {
	path := p.path()
	if t.inside(path) {
		return ErrProtected
	}
	destroys, empties := t.destroys(c, p), c.Op == Write && len(c.Content) == 0
	if destroys && t.needed(path) || empties && slices.Contains(t.filled, path) {
		return ErrVital
	}
	switch {
	case t.reaches(c, p, destroys, true, t.protected):
		return ErrProtected
	case destroys && t.reaches(c, p, true, false, t.vital), empties && t.reaches(c, p, false, false, t.filled):
		return ErrVital
	}
	if c.Op == Attributes || c.Op == Extend || c.Op == Date || path != "/" && !t.holds(path) {
		return nil
	}
	if c.Op == Mkdir {
		// A directory that is not there yet hides nothing.
		if _, err := t.look(p.dir(), p.base); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return ErrProtected
}

// destroys tells whether a change takes away what stands there, or makes it
// something else.
func (t *Tree) destroys(c Change, p *place) bool {
	switch c.Op {
	case Attributes, Extend, Date:
		return false
	case Remove, RemoveAll, Discard:
		return true
	}
	info, err := t.look(p.dir(), p.base)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || c.Op != Write && c.Op != Mkdir || c.Op == Write && info.Kind != File || c.Op == Mkdir && info.Kind != Directory
}

// step is one change under way in an open directory.
type step struct {
	*Tree
	dir  int
	base string
	name string
	// parents are the parts of where dir is.
	parents []string
}

// temp is the one name under which the successor of a file is made. It is the
// same each time, so that what a killed run left behind is found and replaced.
func temp(base string) string {
	sum := sha256.Sum256([]byte(base))
	return TempPrefix + hex.EncodeToString(sum[:8])
}

// TempName is the name under which the successor of a name is made. A killed
// process may leave it behind.
func TempName(name string) string {
	dir, base := path.Split(name)
	return dir + temp(base)
}

// Leftovers are the names that a killed process may leave behind beside a name.
func Leftovers(name string) []string { return []string{TempName(name), TempName(name) + aside} }

// aside ends the name of what stands in the way while it is replaced, where a system
// cannot exchange two names at once.
const aside = "-old"

// TempPrefix starts the names of half-made files.
const TempPrefix = ".bindery-new-"

func (s *step) write(c Change) (err error) {
	tmp := temp(s.base)
	if err := s.before("create", s.name); err != nil {
		return err
	}
	n, err := s.half(tmp, c)
	if errors.Is(err, unix.EEXIST) {
		if err := s.discard(tmp); err != nil {
			return err
		}
		n, err = s.half(tmp, c)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = unix.Unlinkat(n.dir, n.base, 0)
		}
		if n.dir != s.dir {
			_ = unix.Close(n.dir)
			_ = unix.Unlinkat(s.dir, tmp, unix.AT_REMOVEDIR)
		}
	}()
	if err := s.fill(n.file, c); err != nil {
		_ = n.file.Close()
		return err
	}
	if err := s.before("rename", s.name); err != nil {
		return err
	}
	if err := unix.Renameat(n.dir, n.base, s.dir, s.base); err != nil {
		return err
	}
	return s.sync()
}

// fill gives the new file everything, and closes it.
func (s *step) fill(f *os.File, c Change) error {
	h := opened(int(f.Fd()))
	// Before there is anything to read, and before the mode is set, which bounds what an
	// access list gives: a process killed in between leaves nothing of use to others.
	theirs, err := s.disinherit(h)
	if err != nil {
		return err
	}
	if err := s.before("write", s.name); err != nil {
		return err
	}
	if _, err := f.Write(c.Content); err != nil {
		return plain(err)
	}
	if !theirs {
		if err := s.inherit(h, c); err != nil {
			return err
		}
	}
	if err := s.own(h, c); err != nil {
		return err
	}
	if err := s.before("fsync", s.name); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return plain(err)
	}
	return plain(f.Close())
}

// plain drops the path of an os error: it would name the temporary file.
func plain(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// own sets owner, then mode, because a change of owner clears setuid.
func (s *step) own(h held, c Change) error {
	if c.UID != Keep || c.GID != Keep {
		if err := s.before("chown", s.name); err != nil {
			return err
		}
		if err := h.chown(c.UID, c.GID); err != nil {
			return fmt.Errorf("set owner: %w", err)
		}
	}
	if c.Mode == Keep {
		return nil
	}
	if err := s.before("chmod", s.name); err != nil {
		return err
	}
	return wrap("set mode", h.chmod(uint32(c.Mode)))
}

func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op, err)
}

func (s *step) mkdir(c Change) error {
	if info, err := s.look(s.dir, s.base); err == nil && info.Kind == Directory {
		return fs.ErrExist
	}
	tmp := temp(s.base)
	if err := s.discard(tmp); err != nil {
		return err
	}
	if err := s.before("mkdir", s.name); err != nil {
		return err
	}
	if err := unix.Mkdirat(s.dir, tmp, 0o700); err != nil {
		return err
	}
	fd, err := openat(s.dir, tmp, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	h := opened(fd)
	if err = s.made(h, unix.S_IFDIR|0o700, 0); err == nil {
		_, err = s.disinherit(h)
	}
	if err == nil {
		err = s.own(h, c)
	}
	_ = unix.Close(fd)
	if err != nil {
		_ = s.discard(tmp)
		return err
	}
	return s.place(tmp, c)
}

func (s *step) link(c Change) error {
	tmp := temp(s.base)
	if err := s.discard(tmp); err != nil {
		return err
	}
	if err := s.before("symlink", s.name); err != nil {
		return err
	}
	if err := unix.Symlinkat(c.To, s.dir, tmp); err != nil {
		return err
	}
	return s.place(tmp, c)
}

func (s *step) hardlink(c Change) error {
	from, err := s.walk(c.To)
	if err != nil {
		return err
	}
	defer from.close()
	if s.inside(from.path()) {
		return ErrProtected
	}
	// What is linked is what was looked at, whatever has its name by then.
	there := &step{Tree: s.Tree, dir: from.dir(), base: from.base, name: c.To, parents: from.names}
	h, err := there.hold(from.base)
	if err != nil {
		return err
	}
	defer h.close()
	var st unix.Stat_t
	if err := h.stat(&st); err != nil {
		return err
	}
	// A name in a directory of others may be that of anybody's file, which would be
	// given an owner and a mode next.
	if st.Nlink > 1 && !s.alone(from.names) {
		return errShared
	}
	if c.Sole && !s.alone(from.names) {
		return errOthers
	}
	if s.guarded(&st, from.names) {
		return ErrGuarded // its new name would say who may read it
	}
	tmp := temp(s.base)
	if err := s.discard(tmp); err != nil {
		return err
	}
	if err := s.before("link", s.name); err != nil {
		return err
	}
	if err := s.also(h, there, tmp); err != nil {
		return err
	}
	return s.place(tmp, c)
}

var (
	errShared = errors.New("it has several names, and the directories that it is in are not the administrator's alone")
	errOthers = errors.New("the directories that it is in are not the administrator's alone")
	errSole   = errors.New("it has several names, and may be anybody's file")
	errTaken  = errors.New("it would be setuid or setgid, and somebody else could write to it until now, or may then")
	errGiven  = errors.New("it would be setuid or setgid, and the directories that it is in are not the administrator's alone")
	errMoved  = errors.New("somebody is moving it")
)

func (s *step) attributes(c Change) error {
	h, err := s.owned(c)
	if err != nil {
		return err
	}
	defer h.close()
	var st unix.Stat_t
	if err := h.stat(&st); err != nil {
		return err
	}
	if c.Kind != "" && c.Kind != describe("", &st).Kind {
		return errMoved
	}
	if !c.Sole && s.opens(c, &st) && s.guarded(&st, s.parents) {
		return ErrGuarded
	}
	moves := c.UID != Keep && uint32(c.UID) != st.Uid
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		c.Mode = Keep
		return s.own(h, c)
	case unix.S_IFREG:
		// Its content may be anybody's by now.
		if c.elevates() && !s.alone(s.parents) {
			return errGiven
		}
		if c.elevates() && (st.Mode&0o002 != 0 || moves && (!s.trusted(st.Uid) || !s.trusted(uint32(c.UID)))) {
			return errTaken
		}
	}
	if moves && !s.trusted(st.Uid) {
		// Who had it may have given themselves rights that outlive its owner and mode.
		// They go twice: a process killed in between leaves the owner right, and until
		// then who had it can give them again.
		owner := c
		owner.Mode, c.UID, c.GID = Keep, Keep, Keep
		if err := errors.Join(h.unlist(), s.own(h, owner), h.unlist()); err != nil {
			return err
		}
	}
	return s.own(h, c)
}

// elevates tells whether a file gives rights to who runs it.
func (c *Change) elevates() bool { return c.Mode != Keep && c.Mode&0o6000 != 0 }

// owned takes hold of the thing itself, unless whoever may write to the
// directory, or could until now, may have linked someone's file there, or it is not
// the one that the change is meant for.
func (s *step) owned(c Change) (held, error) {
	h, err := s.hold(s.base)
	if err != nil {
		return held{}, err
	}
	var st unix.Stat_t
	if err = h.stat(&st); err == nil && c.Inode != 0 && (c.Inode != st.Ino || c.Device != uint64(st.Dev)) {
		err = errMoved
	}
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		switch open := !s.alone(s.parents); {
		case st.Nlink > 1 && c.Sole:
			err = errSole
		case st.Nlink > 1 && open:
			err = errShared
		case open:
			err = s.single(h, &st)
		}
	}
	if err != nil {
		h.close()
		return held{}, err
	}
	return h, nil
}

// single tells whether the one name of a held thing is the one that it was held
// by. It may have been another one's, and the name be gone by now.
func (s *step) single(h held, st *unix.Stat_t) error {
	var named, again unix.Stat_t
	if err := unix.Fstatat(s.dir, s.base, &named, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if err := h.stat(&again); err != nil {
		return err
	}
	if named.Dev != st.Dev || named.Ino != st.Ino || named.Nlink != 1 || again.Nlink != 1 {
		return errMoved
	}
	return nil
}

// alone tells whether only the administrator can add names to a directory or move it.
func (s *step) alone(parents []string) bool {
	var st unix.Stat_t
	if unix.Fstat(s.fd, &st) != nil || !s.private(&st) {
		return false
	}
	for i := range parents {
		name := strings.Join(parents[:i+1], "/")
		if unix.Fstatat(s.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR || !s.private(&st) {
			return false
		}
	}
	return true
}

func (s *step) remove() error {
	info, err := s.look(s.dir, s.base)
	if err != nil {
		return err
	}
	if err := s.unlink(s.dir, s.base, info.Kind == Directory); err != nil {
		return err
	}
	return s.sync()
}

func (s *step) unlink(dir int, base string, directory bool) error {
	if err := s.before("unlink", s.name); err != nil {
		return err
	}
	flags := 0
	if directory {
		flags = unix.AT_REMOVEDIR
	}
	return unix.Unlinkat(dir, base, flags)
}

// sync makes the directory's names durable.
func (s *step) sync() error {
	if err := s.before("fsync directory", s.name); err != nil {
		return err
	}
	fd, err := openat(s.dir, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if errors.Is(err, unix.EACCES) {
		return nil // a directory that may be written but not read cannot be synced
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Fsync(fd)
}
