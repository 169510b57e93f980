// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bindery/bindery/internal/filelock"
	"github.com/bindery/bindery/internal/owner"
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
// take mode and owner over. A file that is there is not opened: to close it would end
// the locks that SQLite has on it in this process. Root may be first, with a token for
// a host: then the file is its who owns the folder, as that is who will serve.
func private(path string, existing bool) error {
	if !existing {
		if err := create(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: the database itself must be there, and not a link to it, as SQLite keeps others beside it", path)
	}
	if uid, _, ok := owner.Of(info); ok && os.Geteuid() != 0 && uid != os.Geteuid() {
		return notOurs(path, uid)
	}
	if info.Mode().Perm() == 0o600 {
		return nil
	}
	return os.Chmod(path, 0o600)
}

func notOurs(path string, uid int) error {
	me, other := owner.Name(os.Geteuid()), ""
	if uid != 0 {
		other = "; or run this as " + owner.Name(uid)
	}
	return fmt.Errorf("%s belongs to %s, and this runs as %s: as root, `chown %[3]s: %[1]s*` gives it over%[4]s", path, owner.Name(uid), me, other)
}

// create makes an empty file that is not there yet.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		err = likeFolder(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// likeFolder gives a file to the owner of the folder that it is in.
func likeFolder(f *os.File) error {
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	if uid, gid, ok := owner.Of(info); ok && uid != 0 {
		return f.Chown(uid, gid)
	}
	return nil
}

// local refuses folders on other machines: the processes that share the database share
// memory, and that is lost between machines, without an error.
func local(folder string) error {
	name, err := remoteFileSystem(folder)
	if err != nil {
		return fmt.Errorf("ask for the file system of %s: %w", folder, err)
	}
	return refuse(folder, name)
}

func refuse(folder, fileSystem string) error {
	if fileSystem == "" {
		return nil
	}
	return fmt.Errorf("%s is on %s: SQLite's database needs a file system of this machine; set \"state\" in controller.yaml to a folder on a local disk, and copy there what is in this one while no controller runs", folder, fileSystem)
}
