// SPDX-License-Identifier: Apache-2.0

package git

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

const (
	// maxObject bounds what one object of a pack may become. go-git inflates objects
	// in memory, and zeros cost nothing to send.
	maxObject = 256 << 20
	// leastObject is what the smallest object takes in a pack.
	leastObject = 8
)

// unpack keeps a pack, after a look at what it would become.
func unpack(disk *filesystem.Storage, pack io.Reader) (err error) {
	files := disk.Filesystem()
	f, err := files.TempFile("objects/pack", "tmp_received_")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), files.Remove(f.Name())) }()
	size, err := io.Copy(f, pack)
	if err != nil {
		return err
	}
	if err := inspect(f, size, maxObject); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return packfile.UpdateObjectStorage(disk, f)
}

// inspect refuses a pack with an object beyond limit, whole or put together from
// another one, and one that says that it has more objects than fit into it.
func inspect(f billy.File, size, limit int64) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	scanner := packfile.NewScanner(f)
	_, count, err := scanner.Header()
	if errors.Is(err, packfile.ErrEmptyPackfile) {
		return nil
	}
	if err != nil {
		return err
	}
	if int64(count) > size/leastObject {
		return fmt.Errorf("the pack is said to have %d objects in %d bytes", count, size)
	}
	for range count {
		h, err := scanner.NextObjectHeader()
		if err != nil {
			return err
		}
		become := h.Length
		if h.Length <= limit && (h.Type == plumbing.OFSDeltaObject || h.Type == plumbing.REFDeltaObject) {
			if become, err = target(scanner); err != nil {
				return err
			}
		}
		if become < 0 || become > limit {
			return fmt.Errorf("an object of the pack: %w", describe(become, limit))
		}
	}
	return nil
}

// target gives the size of what the next delta makes.
func target(scanner *packfile.Scanner) (int64, error) {
	var start prefix
	if _, _, err := scanner.NextObject(&start); err != nil {
		return 0, err
	}
	_, from := binary.Uvarint(start)
	if from <= 0 {
		return 0, packfile.ErrInvalidDelta
	}
	size, n := binary.Uvarint(start[from:])
	if n <= 0 || size > 1<<62 {
		return 0, packfile.ErrInvalidDelta
	}
	return int64(size), nil
}

// prefix keeps the first bytes that are written to it: two lengths fit in.
type prefix []byte

// Write implements io.Writer.
func (p *prefix) Write(data []byte) (int, error) {
	if room := 2*binary.MaxVarintLen64 - len(*p); room > 0 {
		*p = append(*p, data[:min(room, len(data))]...)
	}
	return len(data), nil
}
