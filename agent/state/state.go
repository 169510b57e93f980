// SPDX-License-Identifier: Apache-2.0

// Package state is the agent's own directory: identity, what was verified, what
// was applied, what is still to be sent. Every file is replaced as a whole, and a
// damaged one is treated as absent where that is safe, so that a host heals
// itself.
//
// It must not know what the documents in it mean.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent/system"
)

// ErrBusy is a directory that another run holds.
var ErrBusy = errors.New("another run is under way")

// Dir is a state directory. It is not safe for concurrent use; Lock keeps other
// processes away.
type Dir struct {
	path string
	tree *system.Tree
}

// Config says where the directory is.
type Config struct {
	Path string
	// Create makes the directory where it is missing, for its owner alone.
	Create bool
	// Before is asked before each step that alters the disk; see
	// system.TreeConfig.
	Before func(step, name string) error
}

// Open opens a state directory. It must belong to the user alone.
func Open(c Config) (*Dir, error) {
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	if c.Create {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("make state directory: %w", err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("open state: others can write to %s", path)
	}
	// Whoever owns the directory replaces what is in it.
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("open state: %s belongs to user %d, not to the one who runs this", path, st.Uid)
	}
	tree, err := system.NewTree(system.TreeConfig{Root: path, Before: c.Before})
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	return &Dir{path: tree.Root(), tree: tree}, nil
}

// Path is where the directory is, without symbolic links.
func (d *Dir) Path() string { return d.path }

// Close gives the directory back.
func (d *Dir) Close() { d.tree.Close() }

// Lock keeps every other run away until the function that it returns is called
// or the process ends, however it ends.
func (d *Dir) Lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(d.path, "lock"), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w (it holds %s)", ErrBusy, f.Name())
		}
		return nil, fmt.Errorf("lock state: %w", err)
	}
	// Unlocked by name, not only by closing: a program being started at this
	// moment holds the descriptor until it has begun.
	return func() {
		_ = unix.Flock(int(f.Fd()), unix.LOCK_UN)
		_ = f.Close()
	}, nil
}

// Holder is the process that holds the lock, 0 for none, and whether the kernel says.
// To try the lock would keep a run away that begins at that moment.
func (d *Dir) Holder() (pid int, known bool) {
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return 0, false
	}
	var st unix.Stat_t
	if unix.Stat(filepath.Join(d.path, "lock"), &st) != nil {
		return 0, true // nobody ever held it
	}
	// 1: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF
	file := fmt.Sprintf(":%d", st.Ino)
	for line := range strings.Lines(string(locks)) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || !strings.HasSuffix(f[5], file) {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil && pid > 0 && opened(pid, &st) {
			return pid, true
		}
	}
	return 0, true
}

// opened tells whether a process has a file open. The device of a lock is no answer: that
// of a btrfs is another one there than its files have.
func opened(pid int, file *unix.Stat_t) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	open, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, fd := range open {
		var st unix.Stat_t
		if unix.Stat(dir+"/"+fd.Name(), &st) == nil && st.Dev == file.Dev && st.Ino == file.Ino {
			return true
		}
	}
	return false
}

// Read returns a file, nil where there is none. More than limit bytes is an
// error.
func (d *Dir) Read(name string, limit int64) ([]byte, error) {
	data, err := d.tree.ReadFile("/"+name, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read state %s: more than %d bytes", name, limit)
	}
	return data, nil
}

// Write replaces a file, for its owner alone, and makes it durable.
func (d *Dir) Write(name string, data []byte) error {
	for i, c := range name {
		if c != '/' {
			continue
		}
		err := d.tree.Change(system.Change{Op: system.Mkdir, Name: "/" + name[:i], Mode: 0o700, UID: system.Keep, GID: system.Keep})
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("keep state: %w", err)
		}
	}
	err := d.tree.Change(system.Change{
		Op: system.Write, Name: "/" + name, Mode: 0o600, UID: system.Keep, GID: system.Keep, Content: data,
	})
	if err != nil {
		return fmt.Errorf("keep state: %w", err)
	}
	return nil
}

// Remove takes a file or a tree away. Nothing there is no error.
func (d *Dir) Remove(name string) error {
	if _, err := d.tree.Look("/" + name); errors.Is(err, fs.ErrNotExist) {
		return nil // and nothing to make durable
	}
	err := d.tree.Change(system.Change{Op: system.RemoveAll, Name: "/" + name})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep state: %w", err)
	}
	return nil
}

// List names what a directory of the state holds, sorted.
func (d *Dir) List(name string) ([]string, error) {
	sizes, err := d.Sizes(name)
	return slices.Sorted(maps.Keys(sizes)), err
}

// Sizes tells how large the files are that a directory of the state holds.
func (d *Dir) Sizes(name string) (map[string]int64, error) {
	list, err := d.tree.List("/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	out := map[string]int64{}
	for _, info := range list {
		if !strings.HasPrefix(info.Name, system.TempPrefix) {
			out[info.Name] = info.Size
		}
	}
	return out, nil
}

const maxJSON = 16 << 20

// Load reads a JSON document into v. It tells whether there was a whole one: a
// damaged document counts as absent, and v is then not to be used.
func (d *Dir) Load(name string, v any) (bool, error) {
	data, err := d.Read(name, maxJSON)
	if err != nil || data == nil {
		return false, err
	}
	return json.Unmarshal(data, v) == nil, nil
}

// ErrTorn is a document that is there and cannot be read.
var ErrTorn = errors.New("the file is damaged")

// Demand is Load for documents that keep a host from harm: a damaged one is ErrTorn,
// because to take it for absent would let happen what it forbids.
func (d *Dir) Demand(name string, v any) (bool, error) {
	data, err := d.Read(name, maxJSON)
	if err != nil || data == nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("read state %s: %w", name, ErrTorn)
	}
	return true, nil
}

// Save replaces a JSON document.
func (d *Dir) Save(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("keep state %s: %w", name, err)
	}
	return d.Write(name, append(data, '\n'))
}

// Counter returns a number that was never returned before, and keeps it first. A
// lost counter starts again at the clock, which is ahead of it.
func (d *Dir) Counter(now time.Time) (int64, error) {
	const name = "counter"
	data, err := d.Read(name, 64)
	if err != nil {
		return 0, err
	}
	last, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		last = 0
	}
	next := max(last+1, now.UnixMilli())
	return next, d.Write(name, []byte(strconv.FormatInt(next, 10)+"\n"))
}
