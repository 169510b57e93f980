// SPDX-License-Identifier: Apache-2.0

package release

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"

	"github.com/bindery/bindery/engine/config"
)

// The members of a bundle, in the only order that is accepted.
const (
	memberManifest = "manifest.json"
	memberConfig   = "configuration.xml"
	memberProbes   = "probes.json"
)

// Pack writes a bundle as zstd-compressed tar. Equal bundles give equal bytes.
func Pack(b *Bundle) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("pack bundle of %s: %w", b.Manifest.Host, err)
	}
	manifest, err := json.Marshal(b.Manifest)
	if err != nil {
		return nil, fmt.Errorf("pack manifest: %w", err)
	}
	probes := b.Probes
	if probes == nil {
		probes = []config.Probe{}
	}
	probeData, err := json.Marshal(probes)
	if err != nil {
		return nil, fmt.Errorf("pack probes: %w", err)
	}
	members := []member{{memberManifest, manifest, MaxManifest}}
	if b.Config != nil {
		members = append(members, member{memberConfig, b.Config.XML(), MaxConfig})
	}
	members = append(members, member{memberProbes, probeData, MaxProbes})
	size := 0
	for _, m := range members {
		size += len(m.data) + 1024 // what tar adds
	}
	var out bytes.Buffer
	zw, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(window(size)))
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	tw := tar.NewWriter(zw)
	for _, m := range members {
		if err := m.write(tw); err != nil {
			return nil, fmt.Errorf("pack bundle of %s: %w", b.Manifest.Host, err)
		}
	}
	if err := tw.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if err := zw.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
}

// maxWindow bounds what an agent needs in memory to decompress.
const maxWindow = 1 << 20

// window is the smallest power of two that holds all, within the bound.
func window(size int) int {
	return max(zstd.MinWindowSize, min(maxWindow, 1<<bits.Len(uint(size))))
}

type member struct {
	name  string
	data  []byte
	limit int
}

func (m member) write(tw *tar.Writer) error {
	if err := checkSize(m.name, len(m.data), m.limit); err != nil {
		return err
	}
	h := &tar.Header{Format: tar.FormatUSTAR, Typeflag: tar.TypeReg, Name: m.name, Size: int64(len(m.data)), Mode: 0o600}
	if err := tw.WriteHeader(h); err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	if _, err := tw.Write(m.data); err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	return nil
}

// Unpack reads what Pack wrote. It is strict: every member exactly once and in
// order, nothing else, no unknown field, nothing over its limit, and content that
// has the digests that the manifest names.
func Unpack(data []byte) (*Bundle, error) {
	zr, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(MaxConfig+MaxProbes+MaxManifest+1<<20))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	defer zr.Close()
	in := io.Reader(zr)
	var m members
	if plain, ok := inOne(zr, data); ok {
		m.plain, m.at = plain, bytes.NewReader(plain)
		in = m.at
	} else if err := zr.Reset(bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	m.Reader = tar.NewReader(in)
	b, err := readBundle(&m)
	if err != nil {
		return nil, fmt.Errorf("unpack bundle: %w", err)
	}
	// The end of the tar archive is not the end of the stream: read on, so that
	// the checksum of the compression is looked at and nothing hides behind.
	switch n, err := in.Read(make([]byte, 1)); {
	case n > 0:
		return nil, errors.New("unpack bundle: data behind the end")
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("unpack bundle: %w", err)
	}
	return b, nil
}

// inOne decompresses what its window holds as a whole, without a second buffer for the
// window. It does not where that is more, or is damaged.
func inOne(zr *zstd.Decoder, data []byte) (plain []byte, ok bool) {
	var h zstd.Header
	if err := h.Decode(data); err != nil || h.WindowSize >= maxWindow {
		return nil, false
	}
	plain, err := zr.DecodeAll(data, make([]byte, 0, h.WindowSize))
	return plain, err == nil
}

// members reads an archive.
type members struct {
	*tar.Reader
	// plain is the archive where it is in memory as a whole, and at where in it the
	// reader is.
	plain []byte
	at    *bytes.Reader
}

func readBundle(tr *members) (*Bundle, error) {
	data, err := readMember(tr, memberManifest, MaxManifest)
	if err != nil {
		return nil, err
	}
	b := &Bundle{}
	if b.Manifest, err = decodeManifest(data); err != nil {
		return nil, err
	}
	if !b.Manifest.Waiting {
		if data, err = readMember(tr, memberConfig, MaxConfig); err != nil {
			return nil, err
		}
		cfg, err := config.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", memberConfig, err)
		}
		b.Config = restore(cfg, &b.Manifest)
	}
	if data, err = readMember(tr, memberProbes, MaxProbes); err != nil {
		return nil, err
	}
	if err := decodeStrict(data, &b.Probes); err != nil {
		return nil, fmt.Errorf("%s: %w", memberProbes, err)
	}
	if h, err := tr.Next(); err == nil {
		return nil, fmt.Errorf("member %q is not expected", h.Name)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, b.check()
}

func decodeManifest(data []byte) (Manifest, error) {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", memberManifest, err)
	}
	if head.Format < 1 || head.Format > Format {
		return Manifest{}, fmt.Errorf("%w %d: this program reads up to %d, a newer agent is needed", ErrFormat, head.Format, Format)
	}
	var m Manifest
	if err := decodeStrict(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", memberManifest, err)
	}
	return m, nil
}

func readMember(tr *members, name string, limit int) ([]byte, error) {
	h, err := tr.Next()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("member %s is missing", name)
	}
	if err != nil {
		return nil, fmt.Errorf("member %s: %w", name, err)
	}
	if h.Name != name || h.Typeflag != tar.TypeReg {
		return nil, fmt.Errorf("member %q where %s was expected", h.Name, name)
	}
	if h.Size < 0 || h.Size > int64(limit) {
		return nil, fmt.Errorf("member %s of %d bytes is over the limit of %d: %w", name, h.Size, limit, ErrTooLarge)
	}
	// In the form that Pack writes, a member stands behind its header as it is.
	if tr.plain != nil && h.Format == tar.FormatUSTAR && h.Size <= int64(tr.at.Len()) {
		from := len(tr.plain) - tr.at.Len()
		to := from + int(h.Size)
		return tr.plain[from:to:to], nil
	}
	// A header may lie about its size: beyond some of it, the buffer grows with what
	// really comes.
	var data bytes.Buffer
	data.Grow(int(min(h.Size, maxWindow)) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(tr, h.Size+1)); err != nil {
		return nil, fmt.Errorf("member %s: %w", name, err)
	}
	return data.Bytes(), nil
}
