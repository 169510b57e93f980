// SPDX-License-Identifier: Apache-2.0

//go:build amd64 || arm64

package residence

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// written is in a part of the program that is not let go of.
var written = bytes.Repeat([]byte("own "), 4096)

// The program goes on as before, with what it wrote, and holds less of its file.
func TestLeave(t *testing.T) {
	copy(written, "mine")
	// All of the program is in memory.
	for _, s := range segments() {
		for _, b := range bytesAt(s.at, s.size) {
			written[len(written)-1] |= b
		}
	}
	before := resident(t)
	Leave()
	after := resident(t)
	require.Less(t, after, before, "kB of the program's file")
	require.Equal(t, "mine", string(written[:4]))
	require.Equal(t, "own ", string(written[4:8]))
}

// What may be written to is not among the segments, and all else is.
func TestSegments(t *testing.T) {
	f, err := elf.Open("/proc/self/exe")
	require.NoError(t, err)
	defer f.Close()
	var want []uintptr
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_W == 0 {
			want = append(want, uintptr(p.Filesz))
			require.NotZero(t, p.Filesz)
		}
	}
	var sizes []uintptr
	for _, s := range segments() {
		sizes = append(sizes, s.size)
		head := bytesAt(s.at, 16)
		require.Len(t, head, 16)
	}
	require.Equal(t, want, sizes)
}

// resident is how much of files the process has in memory.
func resident(t *testing.T) (kb int) {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, line, found := bytes.Cut(data, []byte("RssFile:"))
	require.True(t, found)
	_, err = fmt.Sscan(string(line), &kb)
	require.NoError(t, err)
	return kb
}
