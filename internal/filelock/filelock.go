// SPDX-License-Identifier: Apache-2.0

// Package filelock lets processes, and goroutines of one, take turns at a file or a
// folder. The lock is advisory and ends with whoever holds it, however that ends. It
// must not know what is locked, and why.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Wait takes the lock of an open file, which from then on is its own: it is closed by
// unlock, and where the context ends first. Each turn needs a file that was opened anew.
func Wait(ctx context.Context, f *os.File) (unlock func(), err error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 10*time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			// Unlocked by name, not only by closing: a program being started at this
			// moment holds the descriptor until it has begun.
			return func() {
				_ = unix.Flock(int(f.Fd()), unix.LOCK_UN)
				_ = f.Close() // nothing was written
			}, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), ctx.Err()), f.Close())
		case <-time.After(wait):
		}
	}
}
