// SPDX-License-Identifier: Apache-2.0

package index

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// What compressed data may become: so many times its own size and some more, and
// never more than so many bytes. Decompressors may use maxWindow bytes themselves.
const (
	maxUnpacked = 2 << 30
	maxRatio    = 250
	always      = 16 << 20
	maxWindow   = 128 << 20
)

// ErrTooLarge is an index that unpacks to more than is read.
var ErrTooLarge = errors.New("it unpacks to too much")

// Unpack decompresses data if it is compressed, by gzip, xz or zstd, and fails
// where it becomes too much.
func Unpack(data []byte) (io.Reader, error) {
	var r io.Reader
	var err error
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(bytes.NewReader(data))
	case bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")):
		r, err = xz.NewReader(bytes.NewReader(data), maxWindow)
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// Without goroutines of its own the reader needs no closing.
		r, err = zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	default:
		return bytes.NewReader(data), nil
	}
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return &bounded{from: r, left: min(maxUnpacked, always+maxRatio*int64(len(data)))}, nil
}

// bounded fails where more is read than it may.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("decompress: %w", err)
	}
	return n, err
}

// members calls visit for the regular files of an archive.
func members(data []byte, visit func(name string, r io.Reader) error) error {
	r, err := Unpack(data)
	if err != nil {
		return err
	}
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := visit(h.Name, t); err != nil {
			return err
		}
	}
}
