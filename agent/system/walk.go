// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is the kernel's own bound.
const maxLinks = 40

// place is a directory that was walked to, and a name in it.
type place struct {
	// fds are the directories from the root on, all open.
	fds []int
	// names are the parts behind fds, links resolved; the first has none.
	names []string
	base  string
}

func (p *place) dir() int { return p.fds[len(p.fds)-1] }

// path is where the place really is in the host's tree.
func (p *place) path() string {
	dir := "/" + strings.Join(p.names, "/")
	switch {
	case p.base == ".":
		return dir
	case dir == "/":
		return dir + p.base
	}
	return dir + "/" + p.base
}

func (p *place) close() {
	for _, fd := range p.fds[1:] {
		_ = unix.Close(fd)
	}
	p.fds = p.fds[:1]
	p.names = nil
}

// up leaves a directory; the root is its own parent.
func (p *place) up() {
	if n := len(p.fds); n > 1 {
		_ = unix.Close(p.fds[n-1])
		p.fds, p.names = p.fds[:n-1], p.names[:n-2]
	}
}

// walk goes to a name part by part, each from the open directory before it, so
// that nobody can put another directory underneath. A symbolic link is followed
// inside the root, and only where nobody but the administrator can have made it.
func (t *Tree) walk(name string) (*place, error) {
	parts, err := Split(name)
	if err != nil {
		return nil, err
	}
	p := &place{fds: []int{t.fd}, base: "."}
	if len(parts) == 0 {
		return p, nil
	}
	p.base = parts[len(parts)-1]
	if done, err := t.straight(p, parts[:len(parts)-1]); done || err != nil {
		return p, err
	}
	todo, links := parts[:len(parts)-1], 0
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			p.up()
			continue
		}
		target, err := t.enter(p, part)
		if err != nil {
			p.close()
			return nil, err
		}
		if target == "" {
			continue
		}
		if links++; links > maxLinks {
			p.close()
			return nil, fmt.Errorf("%q: %w", name, unix.ELOOP)
		}
		if strings.HasPrefix(target, "/") {
			p.close()
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return p, nil
}

// enter goes one part down, or returns where a symbolic link leads.
func (t *Tree) enter(p *place, part string) (target string, err error) {
	fd, err := openat(p.dir(), part, forPath|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
	if err == nil {
		p.fds, p.names = append(p.fds, fd), append(p.names, part)
		return "", nil
	}
	// What a link is called that is no directory differs: the last is FreeBSD's word.
	if !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.ELOOP) && !errors.Is(err, unix.EMLINK) {
		return "", err
	}
	target, err = t.follow(p, part)
	if err == nil && target == "" {
		err = fs.ErrNotExist
	}
	return target, err
}

// leads tells why a thing on the way is no link that may be followed.
func (t *Tree) leads(p *place, part string, st *unix.Stat_t) error {
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return unix.ENOTDIR
	}
	var dir unix.Stat_t
	if err := unix.Fstat(p.dir(), &dir); err != nil {
		return err
	}
	if !t.trusted(st.Uid) || !t.private(&dir) {
		return fmt.Errorf("%q: %w", "/"+strings.Join(append(p.names, part), "/"), ErrUntrusted)
	}
	return nil
}

// trusted tells whether a user is the administrator: root, or under another root
// whoever runs the agent.
func (t *Tree) trusted(uid uint32) bool {
	return uid == 0 || t.root != "/" && uid == t.uid
}

// private tells whether only the administrator can add names to a directory.
func (t *Tree) private(dir *unix.Stat_t) bool {
	return t.trusted(dir.Uid) && dir.Mode&0o022 == 0
}

func openat(dir int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC, mode)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

func readlink(dir int, name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
