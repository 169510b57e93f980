// SPDX-License-Identifier: Apache-2.0

package system

import (
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// identity is what a thing is, whatever leads to it.
type identity struct{ device, inode uint64 }

func identify(st *unix.Stat_t) identity { return identity{uint64(st.Dev), st.Ino} }

// chain identifies the directories that a place is in, from the root on.
func (t *Tree) chain(p *place) []identity {
	out := make([]identity, 0, len(p.names)+1)
	var st unix.Stat_t
	if unix.Fstat(t.fd, &st) == nil {
		out = append(out, identify(&st))
	}
	name := ""
	for _, part := range p.names {
		name += part
		if unix.Fstatat(t.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			out = append(out, identify(&st))
		}
		name += "/"
	}
	// What was walked to counts, whatever has its names by now.
	if unix.Fstat(p.dir(), &st) == nil {
		out = append(out, identify(&st))
	}
	return out
}

// reaches tells whether a change gets at one of some names by another one than these: by a
// mount that shows a directory a second time, or by a hard link. A run makes thousands of
// changes, many in one directory: what cannot be meant is not walked to.
func (t *Tree) reaches(c Change, p *place, destroys, within bool, names []string) bool {
	var st, dir unix.Stat_t
	there := unix.Fstatat(p.dir(), p.base, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
	directory := there && st.Mode&unix.S_IFMT == unix.S_IFDIR
	whole := destroys && directory
	shared := there && st.Nlink > 1 && (c.Op == Attributes || c.Op == Extend || c.Op == Date)
	if unix.Fstat(p.dir(), &dir) != nil {
		return false
	}
	in := identify(&dir)
	last := t.outside.Load()
	all := whole || within && (directory || shared || last == nil || *last != in)
	var above []identity
	if within && all {
		above = t.chain(p)
	}
	hit := slices.ContainsFunc(names, func(name string) bool {
		alike := path.Base(name) == p.base
		if !all && !alike {
			return false
		}
		q, err := t.walk(name)
		if err != nil {
			return false
		}
		defer q.close()
		var own unix.Stat_t
		if alike && unix.Fstat(q.dir(), &own) == nil && identify(&own) == in || whole && slices.Contains(t.chain(q), identify(&st)) {
			return true
		}
		if !within || unix.Fstatat(q.dir(), q.base, &own, unix.AT_SYMLINK_NOFOLLOW) != nil {
			return false
		}
		it := identify(&own)
		if own.Mode&unix.S_IFMT == unix.S_IFDIR {
			return directory && identify(&st) == it || slices.Contains(above, it)
		}
		return shared && identify(&st) == it
	})
	if within && all && !hit {
		t.outside.Store(&in)
	}
	return hit
}
