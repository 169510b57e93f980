// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/bindery/bindery/internal/filelock"
)

// patience is how long one waits for another to make or migrate a database.
const patience = 30 * time.Second

// turn waits until nobody else makes or migrates a database in the folder. SQLite's
// own locks do not do: goose reads the version, and writes in later transactions. The
// folder is locked and not a file of its own beside the database, as whoever is first
// would own that file, and root is often first.
func turn(ctx context.Context, folder string) (unlock func(), err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	unlock, err = filelock.Wait(waiting, f)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("another process is still making or migrating a database there: see with lslocks which, and start this again when that has ended: %w", err)
	}
	return unlock, err
}

// private makes the file with its mode before SQLite does; its helpers (-wal, -shm)
// take the mode over. A file that is there is not opened: to close it would end the
// locks that SQLite has on it in this process.
func private(path string, existing bool) error {
	if !existing {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			err = f.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	return os.Chmod(path, 0o600)
}
