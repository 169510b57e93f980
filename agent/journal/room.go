// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"errors"
	"fmt"
)

// reserve takes a part of what the run may hold. Trees and large files leave a quarter of
// it: users may fill theirs, and the rest of the host is still to be made right.
func (r *Run) reserve(n, most int64) error {
	whole := r.journal.c.Limits.RunBytes
	if r.tree || n > whole/256 {
		whole -= whole / 4
	}
	if n > most || r.bytes+n > whole {
		return fmt.Errorf("%w: %d bytes more, of which one may have %d and the run %d", ErrFull, n, most, whole)
	}
	r.bytes += n
	return nil
}

// giveBack forgets what was kept for a change that is not made.
func (r *Run) giveBack(bytes int64) (err error) {
	for _, sum := range r.kept {
		delete(r.sums, sum)
		err = errors.Join(err, r.journal.c.State.Remove(runDir(r.head.ID)+"/"+contents+sum))
	}
	r.bytes = bytes
	return err
}

// keep makes a content durable under its sum.
func (r *Run) keep(data []byte) (string, error) {
	sum := digest(data)
	if r.sums[sum] {
		return sum, nil
	}
	if err := r.ensure(); err != nil {
		return "", err
	}
	if err := r.reserve(int64(len(data)), MaxFile); err != nil {
		return "", err
	}
	if err := r.journal.c.State.Write(runDir(r.head.ID)+"/"+contents+sum, data); err != nil {
		return "", err
	}
	r.sums[sum] = true
	r.kept = append(r.kept, sum)
	return sum, nil
}
