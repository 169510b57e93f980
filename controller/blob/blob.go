// SPDX-License-Identifier: Apache-2.0

// Package blob is where published files are kept: bytes under a name, with
// preconditions on writing, so that several controllers are safe without a leader.
//
// The package must not know what the bytes mean.
package blob

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNotFound is a key that nothing is stored under.
	ErrNotFound = errors.New("no such file")
	// ErrPrecondition is a write whose condition does not hold: somebody else was
	// faster. Read again and decide anew.
	ErrPrecondition = errors.New("somebody else has written it")
	// ErrKey is a key that no store may be asked for.
	ErrKey = errors.New("malformed key")
)

// Blob is a store of files. Implementations are safe for concurrent use, also by
// several processes. A Put that returned without error survives a crash; one that
// returned an error may or may not have happened.
type Blob interface {
	// Put writes a whole file if the condition holds, and returns its new tag.
	Put(ctx context.Context, key string, data []byte, cond Condition) (etag string, err error)
	// Get reads a whole file and its tag.
	Get(ctx context.Context, key string) (data []byte, etag string, err error)
	// Delete removes a file. One that is not there is no error.
	Delete(ctx context.Context, key string) error
	// List gives the keys that start with prefix, sorted.
	List(ctx context.Context, prefix string) ([]string, error)
}

// Condition is what must hold for a Put. The zero value is no condition.
type Condition struct {
	absent bool
	etag   string
}

// Absent demands that nothing is stored under the key.
func Absent() Condition { return Condition{absent: true} }

// Match demands that what is stored has this tag.
func Match(etag string) Condition { return Condition{etag: etag} }

// Check compares a condition with the tag of what is stored, "" for nothing. It is
// for implementations.
func (c Condition) Check(stored string) error {
	if c.absent && stored != "" || c.etag != "" && stored != c.etag {
		return ErrPrecondition
	}
	return nil
}

// maxKey is below what file systems and object stores allow.
const maxKey = 512

// CheckKey refuses keys that are not plain relative paths: absolute ones, empty,
// "." or ".." elements, elements that start with a dot, and anything but letters,
// digits, dot, dash and underscore between slashes.
func CheckKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("%w of %d bytes", ErrKey, len(key))
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' || len(part) > 255 {
			return fmt.Errorf("%w: %q", ErrKey, key)
		}
	}
	return checkLetters(key)
}

// CheckPrefix is CheckKey for what List is asked: "" and a trailing slash are fine.
func CheckPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return CheckKey(strings.TrimSuffix(prefix, "/"))
}

func checkLetters(key string) error {
	for i := range len(key) {
		c := key[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' || c == '/'
		if !plain {
			return fmt.Errorf("%w: %q", ErrKey, key)
		}
	}
	return nil
}
