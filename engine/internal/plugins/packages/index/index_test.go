// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
)

func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// What one architecture alone provides is provided for all; what several provide
// differently only where the host has it.
func TestArchitectures(t *testing.T) {
	x := index.New()
	require.NoError(t, x.AddAPT("a", compressed(t, "Package: p\nDepends: x | y, z:any (>= 1)\nProvides: both, mine\nEssential: yes\n\nPackage: q\nProvides: both\n"), true))
	require.NoError(t, x.AddAPT("b", []byte("Package: p\nProvides: both\nEssential: yes\n"), false))
	x.Close()
	require.Equal(t, []string{"p"}, x.Essential)
	require.True(t, x.Known("q"))
	require.Nil(t, x.Package("q", []string{"b"}))
	require.Equal(t, []string{"choice-p-a-0", "z"}, x.Package("p", []string{"c", "a"}).Depends)
	require.Equal(t, []string{"x", "y"}, x.Providers("choice-p-a-0", nil))
	require.Equal(t, []string{"p"}, x.Providers("mine", []string{"b"}))
	require.Equal(t, []string{"p", "q"}, x.Providers("both", []string{"a"}))
	require.Equal(t, []string{"p"}, x.Providers("both", []string{"b"}))
	require.Empty(t, x.Providers("both", nil))
}

func TestBrokenFiles(t *testing.T) {
	x := index.New()
	require.ErrorContains(t, x.AddAPT("a", []byte{0x1f, 0x8b, 0}, true), "decompress")
	require.ErrorContains(t, x.AddAPT("a", compressed(t, strings.Repeat("x", 5<<20)), true), "too long")
	require.ErrorContains(t, x.AddPrimary("a", []byte("<metadata><package>")), "read packages")
	require.ErrorContains(t, x.AddFiles("a", []byte("<filelists><package></x>")), "read packages")
	_, _, err := index.Parts([]byte("<repomd"))
	require.ErrorContains(t, err, "read repomd.xml")
	_, _, err = index.Parts([]byte("<repomd/>"))
	require.ErrorContains(t, err, "names no primary")
}

// Indexes are somebody else's bytes.
func FuzzIndex(f *testing.F) {
	f.Add([]byte("Package: a\nDepends: b | c (>= 1), d\nProvides: e\n"))
	f.Add([]byte(`<metadata><package><name>a</name><format><requires><entry name="/b"/></requires></format></package></metadata>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x := index.New()
		_ = x.AddAPT("a", data, true)
		_ = x.AddPrimary("b", data)
		_ = x.AddFiles("b", data)
		_, _, _ = index.Parts(data)
		x.Close()
		for _, name := range x.Essential {
			require.True(t, x.Known(name))
		}
	})
}
