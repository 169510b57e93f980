// SPDX-License-Identifier: Apache-2.0

package system

import (
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
// mount that shows a directory a second time, or by a hard link.
func (t *Tree) reaches(c Change, p *place, destroys, within bool, names []string) bool {
	in := t.chain(p)
	var st, own unix.Stat_t
	there := unix.Fstatat(p.dir(), p.base, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
	whole := there && destroys && st.Mode&unix.S_IFMT == unix.S_IFDIR
	shared := there && st.Nlink > 1 && (c.Op == Attributes || c.Op == Extend || c.Op == Date)
	return slices.ContainsFunc(names, func(name string) bool {
		q, err := t.walk(name)
		if err != nil {
			return false
		}
		defer q.close()
		to := t.chain(q)
		if len(in) == 0 || len(to) == 0 {
			return false
		}
		if q.base == p.base && to[len(to)-1] == in[len(in)-1] || whole && slices.Contains(to, identify(&st)) {
			return true
		}
		if !within || unix.Fstatat(q.dir(), q.base, &own, unix.AT_SYMLINK_NOFOLLOW) != nil {
			return false
		}
		if own.Mode&unix.S_IFMT == unix.S_IFDIR {
			return slices.Contains(in, identify(&own))
		}
		return shared && identify(&st) == identify(&own)
	})
}
