// SPDX-License-Identifier: Apache-2.0

// Package dir keeps published files in a local directory, which any web server can
// serve as it is. Writes are atomic and durable, and preconditions hold between
// processes. Tags follow from content. It must not know what it keeps.
package dir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/internal/filelock"
)

// lockFolder holds the lock files. Keys cannot start with a dot, so it is never
// read or listed.
const lockFolder = ".locks"

// lockShards is how many keys can be written at the same time.
const lockShards = 64

// tempPrefix starts the names of files that are being written.
const tempPrefix = ".new-"

// Config says where the files are.
type Config struct {
	// Path is made where it is missing.
	Path string
}

// Dir is a directory of published files. It is safe for concurrent use, also by
// several processes on one machine.
type Dir struct{ root *os.Root }

// New opens a directory.
func New(cfg Config) (*Dir, error) {
	if err := os.MkdirAll(cfg.Path, 0o755); err != nil {
		return nil, fmt.Errorf("open blob directory: %w", err)
	}
	root, err := os.OpenRoot(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("open blob directory: %w", err)
	}
	if err := root.Mkdir(lockFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, errors.Join(fmt.Errorf("open blob directory: %w", err), root.Close())
	}
	return &Dir{root: root}, nil
}

// Close releases the directory.
func (d *Dir) Close() error { return d.root.Close() }

// Get implements blob.Blob.
func (d *Dir) Get(ctx context.Context, key string) ([]byte, string, error) {
	if err := ready(ctx, key); err != nil {
		return nil, "", fmt.Errorf("get: %w", err)
	}
	data, err := d.root.ReadFile(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("get %s: %w", key, blob.ErrNotFound)
	}
	if err != nil {
		return nil, "", fmt.Errorf("get %s: %w", key, err)
	}
	return data, tag(data), nil
}

// Put implements blob.Blob.
func (d *Dir) Put(ctx context.Context, key string, data []byte, cond blob.Condition) (string, error) {
	if err := ready(ctx, key); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	unlock, err := d.lock(ctx, key)
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	defer unlock()
	if cond != (blob.Condition{}) {
		stored, err := d.stored(key)
		if err != nil {
			return "", fmt.Errorf("put %s: %w", key, err)
		}
		if err := cond.Check(stored); err != nil {
			return "", fmt.Errorf("put %s: %w", key, err)
		}
	}
	if err := d.makeFolders(path.Dir(key)); err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	if err := d.replace(key, data); err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return tag(data), nil
}

// Delete implements blob.Blob.
func (d *Dir) Delete(ctx context.Context, key string) error {
	if err := ready(ctx, key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	unlock, err := d.lock(ctx, key)
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	defer unlock()
	if err := d.root.Remove(key); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	if err := d.syncFolder(path.Dir(key)); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// List implements blob.Blob.
func (d *Dir) List(ctx context.Context, prefix string) ([]string, error) {
	if err := blob.CheckPrefix(prefix); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	// Only the folder that the prefix names has to be walked.
	start := "."
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		start = prefix[:i]
	}
	var keys []string
	err := fs.WalkDir(d.root.FS(), start, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch hidden := name != "." && strings.HasPrefix(path.Base(name), "."); {
		case hidden && e.IsDir():
			return fs.SkipDir
		case !hidden && e.Type().IsRegular() && strings.HasPrefix(name, prefix):
			keys = append(keys, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", prefix, err)
	}
	slices.Sort(keys)
	return keys, nil
}

func ready(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}

func tag(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// stored gives the tag of what is there, "" for nothing.
func (d *Dir) stored(key string) (string, error) {
	f, err := d.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// lock takes the lock of a key's shard. Each call opens the file anew, so that the
// lock also holds between goroutines of one process.
func (d *Dir) lock(ctx context.Context, key string) (unlock func(), err error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // a hash never fails
	name := path.Join(lockFolder, strconv.Itoa(int(h.Sum32()%lockShards)))
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return filelock.Wait(ctx, f)
}

// makeFolders makes the folders of a key and keeps each of them in its parent.
func (d *Dir) makeFolders(folder string) error {
	if folder == "." {
		return nil
	}
	if info, err := d.root.Stat(folder); err == nil && info.IsDir() {
		return nil
	}
	if err := d.makeFolders(path.Dir(folder)); err != nil {
		return err
	}
	if err := d.root.Mkdir(folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.syncFolder(path.Dir(folder))
}

// replace writes beside the file, makes it durable, and moves it into place. The
// name is free: the lock of the key is held.
func (d *Dir) replace(key string, data []byte) error {
	temp := path.Join(path.Dir(key), tempPrefix+path.Base(key))
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.root.Rename(temp, key)
	}
	if err != nil {
		return errors.Join(err, ignoreAbsent(d.root.Remove(temp)))
	}
	return d.syncFolder(path.Dir(key))
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d *Dir) syncFolder(folder string) error {
	f, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

var _ blob.Blob = (*Dir)(nil)
