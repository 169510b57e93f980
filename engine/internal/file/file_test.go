// SPDX-License-Identifier: Apache-2.0

package file_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/file"
)

func TestMatchLikePython(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*~", "a~", true},
		{"*~", "~a", false},
		{"*.swp", ".a.swp", true},
		{".#*", ".#a", true},
		{"/etc/*", "/etc/a/b", true},
		{"/etc/?", "/etc//", true},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxbyy", false},
		{"[abc]", "b", true},
		{"[!abc]", "b", false},
		{"[!abc]", "d", true},
		{"[a-c]x", "bx", true},
		{"[]]", "]", true},
		{"[!]]", "]", false},
		{"[a-]", "-", true},
		{"[^a]", "a", true},
		{"[", "[", true},
		{"[a", "[a", true},
		{"[!", "[!", true},
		{`\*`, `\x`, true},
		{`\*`, "*", false},
		{"?", "é", true},
		{"[é]", "é", true},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"**", "ab", true},
		{"a", "", false},
		{"?", "", false},
	} {
		require.Equal(t, c.want, file.Match(c.pattern, c.name), "%q %q", c.pattern, c.name)
	}
}

// huge is a file of which only the size may be asked.
type huge struct{ fs.FileInfo }

func (huge) Size() int64 { return 100 << 20 }

type hugeFS struct{ fstest.MapFS }

func (f hugeFS) Stat(name string) (fs.FileInfo, error) {
	st, err := f.MapFS.Stat(name)
	return huge{st}, err
}

func (hugeFS) ReadFile(string) ([]byte, error) { return nil, errors.New("the content was read") }

func TestLargeFilesAreNotRead(t *testing.T) {
	_, p := file.Read(hugeFS{fstest.MapFS{"a/b": {}}}, "a/b", 1<<20)
	require.Equal(t, "file-too-large", p.Code)
	require.Equal(t, "a/b: b has 104857600 bytes; at most 1048576 are read", p.Error())
	_, p = file.Read(fstest.MapFS{}, "a/b", 1<<20)
	require.Equal(t, "a/b: cannot be read: file does not exist", p.Error())
	data, p := file.Read(fstest.MapFS{"a/b": {Data: []byte("x")}}, "a/b", 1<<20)
	require.Nil(t, p)
	require.Equal(t, "x", string(data))
}

func FuzzMatch(f *testing.F) {
	f.Add("[a-c]*?", "bxx")
	f.Add("[", "[")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		file.Match(pattern, name)
		require.True(t, file.Match("*", name))
		require.True(t, file.Match(pattern+"*", name) || !file.Match(pattern, name))
	})
}
