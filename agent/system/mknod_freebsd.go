// SPDX-License-Identifier: Apache-2.0

package system

import "golang.org/x/sys/unix"

func (s *step) mknod(base string, mode uint32, device uint64) error {
	return unix.Mknodat(s.dir, base, mode, device)
}
