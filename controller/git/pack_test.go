// SPDX-License-Identifier: Apache-2.0

package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // git's own checksum
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/memfs"
	"github.com/stretchr/testify/require"
)

// packed gives the pack that git makes of files.
func packed(t *testing.T, files ...[]byte) []byte {
	t.Helper()
	dir := t.TempDir()
	git := func(in string, args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(in)
		out, err := cmd.Output()
		require.NoError(t, err)
		return out
	}
	git("", "init", "--quiet")
	var ids string
	for _, data := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), data, 0o600))
		ids += string(git("", "hash-object", "-w", "f"))
	}
	return git(ids, "pack-objects", "--stdout", "--quiet")
}

func look(t *testing.T, pack []byte, limit int64) error {
	t.Helper()
	f, err := memfs.New().Create("pack")
	require.NoError(t, err)
	defer closed(t, f)
	_, err = f.Write(pack)
	require.NoError(t, err)
	return inspect(f, int64(len(pack)), limit)
}

func closed(t *testing.T, f billy.File) { require.NoError(t, f.Close()) }

// copying is a delta that says that it makes size bytes.
func copying(size uint64) []byte {
	return append(binary.AppendUvarint([]byte{1}, size), 1, 'x')
}

// crafted is a pack of a blob of one byte and a delta on it, that says how many
// objects it has.
func crafted(count uint32, delta []byte) []byte {
	var b bytes.Buffer
	b.WriteString("PACK")
	b.Write(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 2}, count))
	add := func(head []byte, data []byte) int {
		from := b.Len()
		b.Write(head)
		w := zlib.NewWriter(&b)
		_, _ = w.Write(data)
		_ = w.Close()
		return b.Len() - from
	}
	back := add([]byte{3<<4 | 1}, []byte("a"))
	add([]byte{6<<4 | byte(len(delta)), byte(back)}, delta)
	sum := sha1.Sum(b.Bytes()) //nolint:gosec // git's own checksum
	return append(b.Bytes(), sum[:]...)
}

// A small pack may become anything in memory: by inflating, by a delta that copies,
// by a number that lies.
func TestPacksThatGrow(t *testing.T) {
	const limit = 1 << 20
	noise := make([]byte, limit-10)
	source := rand.NewChaCha8([32]byte{})
	_, err := source.Read(noise)
	require.NoError(t, err)

	require.NoError(t, look(t, packed(t, []byte("a"), noise, append(bytes.Clone(noise), 'x')), limit))
	require.NoError(t, look(t, packed(t, make([]byte, limit)), limit))
	zeros := packed(t, make([]byte, limit+1))
	require.Less(t, len(zeros), 4096)
	require.ErrorIs(t, look(t, zeros, limit), ErrTooLarge)

	require.NoError(t, look(t, crafted(2, copying(limit)), limit))
	require.ErrorIs(t, look(t, crafted(2, copying(limit+1)), limit), ErrTooLarge)
	require.ErrorIs(t, look(t, crafted(2, copying(1<<40)), limit), ErrTooLarge)
	require.Error(t, look(t, crafted(2, []byte{0xff}), limit))
	require.ErrorContains(t, look(t, crafted(1<<31, copying(1)), limit), "is said to have")
	require.Error(t, look(t, []byte("PACK"), limit))
}
