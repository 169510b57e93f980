// SPDX-License-Identifier: Apache-2.0

package system

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// TreeConfig says which tree to open.
type TreeConfig struct {
	// Root is the directory to take as "/". It must exist.
	Root string
	// Protected are names inside the tree that no Change may touch; what is
	// below them is protected too.
	Protected []string
	// Vital are names inside the tree that may be changed and never go, nor become
	// something else: a host does not live without them.
	Vital []string
	// Filled are files among the Vital that never become empty: that is as bad.
	Filled []string
	// Before, if set, is asked before each step that alters the disk. What it
	// returns becomes the step's error: the place for faults and crashes.
	Before func(step, name string) error
}

// Tree is a directory of the real file system taken as a host's "/". It is safe
// for concurrent use, though two changes of one name may then meet.
type Tree struct {
	fd        int
	root      string
	uid       uint32
	protected []string
	vital     []string
	filled    []string
	// outside is the directory that was found last to be in none of the protected, by
	// whatever name.
	outside atomic.Pointer[identity]
	// resolves tells what the kernel can do. It is asked once.
	resolves bool
	before   func(step, name string) error
}

// NewTree opens a tree.
func NewTree(c TreeConfig) (*Tree, error) {
	root, err := filepath.Abs(c.Root)
	if err != nil {
		return nil, fmt.Errorf("open root %s: %w", c.Root, err)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, fmt.Errorf("open root: %w", err)
	}
	fd, err := openat(unix.AT_FDCWD, root, forPath|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("open root %s: %w", root, err)
	}
	t := &Tree{fd: fd, root: root, uid: uint32(os.Geteuid()), resolves: resolves(fd), before: c.Before}
	if t.before == nil {
		t.before = func(string, string) error { return nil }
	}
	for _, name := range c.Protected {
		if t.protected, err = t.both(t.protected, name); err != nil {
			t.Close()
			return nil, err
		}
	}
	for _, name := range c.Filled {
		if t.filled, err = t.both(t.filled, name); err != nil {
			t.Close()
			return nil, err
		}
	}
	for _, name := range c.Vital {
		if t.vital, err = t.both(t.vital, name); err != nil {
			t.Close()
			return nil, err
		}
	}
	return t, nil
}

// Root is the directory that stands for "/", without symbolic links.
func (t *Tree) Root() string { return t.root }

// Close gives the tree's one descriptor back.
func (t *Tree) Close() { _ = unix.Close(t.fd) }

// both adds a name to a list both as given and as it resolves today, because a
// walk ends at resolved names.
func (t *Tree) both(list []string, name string) ([]string, error) {
	clean, err := Clean(name)
	if err != nil {
		return list, fmt.Errorf("protect: %w", err)
	}
	list = append(list, clean)
	if p, err := t.walk(clean); err == nil {
		if real := p.path(); real != clean {
			list = append(list, real)
		}
		p.close()
	}
	return list, nil
}

// needed tells whether a host does not live without a resolved name, or without
// something below it.
func (t *Tree) needed(path string) bool {
	return slices.ContainsFunc(t.vital, func(name string) bool { return below(name, path) })
}

// inside tells whether a resolved name is one of the agent's own.
func (t *Tree) inside(path string) bool {
	return slices.ContainsFunc(t.protected, func(own string) bool { return below(path, own) })
}

// holds tells whether one of the agent's own names is below a resolved name.
func (t *Tree) holds(path string) bool {
	return slices.ContainsFunc(t.protected, func(own string) bool { return below(own, path) })
}

func (t *Tree) mark(info *Info, path string) {
	info.Protected, info.Shelters = t.inside(path), t.holds(path) || t.needed(path)
}

func below(name, dir string) bool {
	return name == dir || dir == "/" || strings.HasPrefix(name, dir) && name[len(dir)] == '/'
}

// Look implements Files.
func (t *Tree) Look(name string) (Info, error) {
	p, err := t.walk(name)
	if err != nil {
		return Info{}, pathError("look at", name, err)
	}
	defer p.close()
	info, err := t.look(p.dir(), p.base)
	if err != nil {
		return Info{}, pathError("look at", name, err)
	}
	t.mark(&info, p.path())
	return info, nil
}

func (t *Tree) look(dir int, base string) (Info, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return Info{}, err
	}
	info := describe(base, &st)
	if info.Kind == Symlink {
		target, err := readlink(dir, base)
		if err != nil {
			return Info{}, err
		}
		info.Target = target
	}
	return info, nil
}

func describe(base string, st *unix.Stat_t) Info {
	info := Info{
		Name: base, Kind: Other, Mode: uint32(st.Mode) & 0o7777, UID: int(st.Uid), GID: int(st.Gid),
		Size: st.Size, Device: uint64(st.Dev), Inode: st.Ino,
		Modified: time.Unix(st.Mtim.Unix()), Changed: time.Unix(st.Ctim.Unix()),
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK, unix.S_IFCHR:
		info.Kind = map[bool]Kind{true: Block, false: Character}[st.Mode&unix.S_IFMT == unix.S_IFBLK]
		info.Major, info.Minor = unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))
	case unix.S_IFIFO:
		info.Kind = Pipe
	case unix.S_IFREG:
		info.Kind = File
	case unix.S_IFDIR:
		info.Kind = Directory
	case unix.S_IFLNK:
		info.Kind = Symlink
	}
	return info
}

// Open implements Files.
func (t *Tree) Open(name string) (io.ReadCloser, error) {
	r, err := t.open(name)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// ReadFile reads a regular file to its end, but not much more than a limit.
func (t *Tree) ReadFile(name string, limit int64) ([]byte, error) {
	r, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var data bytes.Buffer
	// One look more shows that this is the end.
	data.Grow(int(min(r.size, limit)) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		return nil, err
	}
	return data.Bytes(), nil
}

func (t *Tree) open(name string) (*reader, error) {
	fd, err := t.openFile(name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		_ = unix.Close(fd)
		return nil, pathError("open", name, errors.Join(err, errors.New("not a regular file")))
	}
	return &reader{fd: fd, name: name, size: st.Size}, nil
}

func (t *Tree) openFile(name string) (int, error) {
	// Without O_NONBLOCK a FIFO put in the place of the file would hang us.
	const how = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK
	parts, err := Split(name)
	if err != nil {
		return -1, err
	}
	if fd, done, err := t.direct(parts, how); done {
		return fd, err
	}
	p, err := t.walk(name)
	if err != nil {
		return -1, err
	}
	defer p.close()
	return openat(p.dir(), p.base, how, 0)
}

// reader reads a regular file without the runtime's poller, which would cost
// more system calls than the reading.
type reader struct {
	fd   int
	name string
	// size is how long it was when it was opened.
	size int64
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := unix.Read(r.fd, p)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, pathError("read", r.name, err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Info describes the file that was opened, whatever has its name by now. It has no
// name itself.
func (r *reader) Info() (Info, error) {
	var st unix.Stat_t
	if err := unix.Fstat(r.fd, &st); err != nil {
		return Info{}, pathError("look at", r.name, err)
	}
	return describe("", &st), nil
}

// Extended gives an extended attribute of the file that was opened, as Extended does.
func (r *reader) Extended(attribute string) ([]byte, error) {
	value, err := opened(r.fd).extended(attribute)
	if err != nil {
		return nil, pathError("read "+attribute+" of", r.name, err)
	}
	return value, nil
}

// Close implements io.Closer.
func (r *reader) Close() error { return unix.Close(r.fd) }

// mostListed bounds what is listed of one directory: users fill theirs at will, and each thing
// takes memory.
const mostListed = 1 << 17

// List implements Files.
func (t *Tree) List(name string, only ...string) ([]Info, error) {
	for _, base := range only {
		if parts, err := Split("/" + base); err != nil || len(parts) != 1 || parts[0] != base {
			return nil, pathError("list", name, fmt.Errorf("%q: %w", base, ErrName))
		}
	}
	p, err := t.walk(name)
	if err != nil {
		return nil, pathError("list", name, err)
	}
	defer p.close()
	path := p.path()
	fd, err := openat(p.dir(), p.base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, pathError("list", name, err)
	}
	dir := os.NewFile(uintptr(fd), name)
	defer dir.Close()
	names := slices.Clone(only)
	if len(only) == 0 {
		if names, err = dir.Readdirnames(mostListed + 1); err != nil && !errors.Is(err, io.EOF) {
			return nil, pathError("list", name, err)
		}
		if len(names) > mostListed {
			return nil, pathError("list", name, fmt.Errorf("it holds more than %d things", mostListed))
		}
	}
	slices.Sort(names)
	out := make([]Info, 0, len(names))
	for _, base := range names {
		info, err := t.look(fd, base)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the directory was read
		}
		if err != nil {
			return nil, pathError("list", name, err)
		}
		t.mark(&info, strings.TrimSuffix(path, "/")+"/"+base)
		out = append(out, info)
	}
	return out, nil
}

// pathError names the operation and the path once, quoted because a name may
// hold a line end.
func pathError(op, name string, err error) error {
	return fmt.Errorf("%s %q: %w", op, name, err)
}

var _ Files = (*Tree)(nil)
