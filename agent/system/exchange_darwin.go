// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"

	"golang.org/x/sys/unix"
)

// exchange gives two names each other's things, at once. Not every file system of
// macOS can.
func exchange(dir int, a, b string) error {
	err := unix.RenameatxNp(dir, a, dir, b, unix.RENAME_SWAP)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return errors.ErrUnsupported
	}
	return err
}
