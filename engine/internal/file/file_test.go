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
