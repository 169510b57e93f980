// SPDX-License-Identifier: Apache-2.0

// Package relay lets an agent that runs as root use the network without touching
// it. A fetcher, which runs as a user without any right, talks to the network and
// leaves what it verified in a folder of its own; the agent reads it from there as if
// a server had answered, and believes it as little: it verifies everything again, by
// the root and the counters that it keeps itself. What the agent has to say it leaves,
// signed, in a folder that only root writes.
//
// The fetcher has no key of the host. Whoever takes it over can keep news and reports
// back; it reads no release, and can neither forge one nor bring back an older one.
//
// The package must not know what a release holds nor what is done with it.
package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/engine/release"
)

// Names of what is in the folders.
const (
	fileRequest = "request.json" // the agent's folder: what it wants
	fileOutcome = "outcome.json" // the fetcher's folder: what came of it
	fileMemory  = "memory.json"  // the fetcher's own
	publicDir   = "public"       // the fetcher's folder: what it fetched and verified
)

// maxExchange bounds a request and an outcome: a report and what is around it.
const maxExchange = 2*release.MaxReport + 64<<10

// request is what the agent wants of the fetcher.
type request struct {
	// ID is of this request alone, so that no older outcome answers it.
	ID string `json:"id"`
	// Base is where releases are published and messages are taken.
	Base string `json:"base"`
	// HostID and Root are whose documents to fetch, and what to verify them by. None
	// before the host is enrolled.
	HostID string `json:"host_id,omitempty"`
	Root   []byte `json:"root,omitempty"`
	// Post is where below Base to send Body. "": look for news.
	Post string `json:"post,omitempty"`
	Body []byte `json:"body,omitempty"`
}

// outcome is what came of a request.
type outcome struct {
	ID string `json:"id"`
	// Status and Body answer a message.
	Status int    `json:"status,omitempty"`
	Body   []byte `json:"body,omitempty"`
	// Error is why there is no answer or no news; Untrusted tells that something came
	// which does not verify.
	Error     string `json:"error,omitempty"`
	Untrusted bool   `json:"untrusted,omitempty"`
}

// ErrSuspect is something in the fetcher's folder that it could not have left there
// in good faith.
var ErrSuspect = fmt.Errorf("%w: the fetcher's folder", release.ErrUntrusted)

// look reads a file that another user may change, replace or share at any moment.
// Nothing is opened but a plain file that belongs to that user, has no other name,
// and is not too long; links in it lead nowhere. Nothing there is fs.ErrNotExist.
func look(dir, name string, owner int, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// Without waiting: a pipe would keep the reader for ever.
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSuspect, err)
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, fmt.Errorf("%w: %s is no plain file", ErrSuspect, name)
	case int(st.Uid) != owner:
		return nil, fmt.Errorf("%w: %s belongs to user %d", ErrSuspect, name, st.Uid)
	case st.Nlink != 1:
		return nil, fmt.Errorf("%w: %s has %d names", ErrSuspect, name, st.Nlink)
	case st.Size > limit:
		return nil, fmt.Errorf("%w: %s is longer than %d bytes", ErrSuspect, name, limit)
	}
	return read(f, name, limit)
}

// lookJSON reads a document of the other half. A damaged one counts as absent.
func lookJSON(dir, name string, owner int, v any) (bool, error) {
	data, err := look(dir, name, owner, maxExchange)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return json.Unmarshal(data, v) == nil, nil
}

// put replaces a file in a folder that only this user writes.
func put(dir, name string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	final := filepath.Join(dir, name)
	f, err := os.CreateTemp(filepath.Dir(final), ".bindery-")
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), final)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return nil
}

func putJSON(dir, name string, v any, mode fs.FileMode) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return put(dir, name, data, mode)
}

// split takes the address of a published file apart: the base, and the name below it.
func split(path string) (base, name string) {
	for _, below := range []string{"/h/", "/root/", "/api/"} {
		if i := strings.LastIndex(path, below); i >= 0 {
			return path[:i], path[i+1:]
		}
	}
	return "", ""
}

// rootEvery is how often a next root is looked for when nothing was refused.
const rootEvery = time.Hour

// read takes a stream whole, or not at all where it is longer than the limit: it may
// grow while it is read.
func read(r io.Reader, name string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: %s is longer than %d bytes", ErrSuspect, name, limit)
	}
	return data, nil
}
