// SPDX-License-Identifier: Apache-2.0

// Package owner says whose a file is, by name. It must not know what the files are for.
package owner

import (
	"io/fs"
	"os/user"
	"strconv"
	"syscall"
)

// Of is the numbers of a file's user and group.
func Of(info fs.FileInfo) (uid, gid int, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}

// Name is a user's name, and the number where nobody has it.
func Name(uid int) string {
	number := strconv.Itoa(uid)
	u, err := user.LookupId(number)
	if err != nil {
		return number
	}
	return u.Username
}
