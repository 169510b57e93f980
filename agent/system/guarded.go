// SPDX-License-Identifier: Apache-2.0

package system

import (
	"strings"

	"golang.org/x/sys/unix"
)

// guarded tells whether a thing is a file that only the administrator may read, in a
// directory where others could give it the name of another one. Whoever means all that
// is in a directory, means it too.
func (s *step) guarded(st *unix.Stat_t, parents []string) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFREG && s.trusted(st.Uid) && !readable(uint32(st.Mode), st.Gid) && !s.settled(parents)
}

// opens tells whether a change of attributes lets somebody else read a file.
func (s *step) opens(c Change, st *unix.Stat_t) bool {
	mode, gid := uint32(st.Mode), st.Gid
	if c.Mode != Keep {
		mode = uint32(c.Mode)
	}
	if c.GID != Keep {
		gid = uint32(c.GID)
	}
	return c.UID != Keep && !s.trusted(uint32(c.UID)) || readable(mode, gid)
}

// readable tells whether a mode gives anything to others than the owner and root's group.
func readable(mode, gid uint32) bool { return mode&0o007 != 0 || mode&0o070 != 0 && gid != 0 }

// settled tells whether nobody but the administrator can give what is theirs in a
// directory another name, or move the directory. Who may only add names cannot.
func (s *step) settled(parents []string) bool {
	for i := range len(parents) + 1 {
		var st unix.Stat_t
		var err error
		if i == 0 {
			err = unix.Fstat(s.fd, &st)
		} else {
			err = unix.Fstatat(s.fd, strings.Join(parents[:i], "/"), &st, unix.AT_SYMLINK_NOFOLLOW)
		}
		if err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR || !s.private(&st) && (!s.trusted(st.Uid) || st.Mode&unix.S_ISVTX == 0) {
			return false
		}
	}
	return true
}
