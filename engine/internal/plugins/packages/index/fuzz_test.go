// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
)

// sound tells that a listing from somebody else's bytes can be recorded and used.
func sound(t *testing.T, l *index.Listing, err error) {
	if err != nil {
		return
	}
	data, err := l.Encode()
	require.NoError(t, err)
	again, err := index.Decode(data)
	require.NoError(t, err)
	require.Len(t, again.Entries, len(l.Entries))
	x := index.New()
	x.Add("a", again)
	x.Close()
	for _, name := range x.Essential {
		require.True(t, x.Known(name))
	}
}

func FuzzAPT(f *testing.F) {
	f.Add([]byte("Package: a\nDepends: b | c (>= 1), d\nProvides: e\nEssential: yes\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := index.ParseAPT(data)
		sound(t, l, err)
	})
}

func FuzzRelease(f *testing.F) {
	f.Add([]byte("Date: x\nSHA256:\n aa 1 b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := index.ParseRelease(data); err == nil {
			require.NotEmpty(t, r.Files)
		}
	})
}

func FuzzYUM(f *testing.F) {
	f.Add([]byte(primary), []byte(filelists), []byte(comps))
	f.Add([]byte(`<repomd><data type="primary"><location href="p"/></data></repomd>`), []byte(""), []byte(""))
	f.Fuzz(func(t *testing.T, primary, filelists, comps []byte) {
		_, _ = index.Parts(primary)
		paths := map[string]bool{}
		l, err := index.ParsePrimary(primary, paths)
		if err == nil {
			_ = l.AddFiles(filelists, paths)
			err = l.AddGroups(comps)
		}
		sound(t, l, err)
	})
}

func FuzzPac(f *testing.F) {
	f.Add(archive(f, "a-1-1/desc", "%NAME%\na\n\n%DEPENDS%\nb>=1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := index.ParsePac(data)
		sound(t, l, err)
	})
}

func FuzzPkgNG(f *testing.F) {
	f.Add(archive(f, "m", `{"name":"a","deps":{"b":{}}}`), []byte("manifests = m;"))
	f.Fuzz(func(t *testing.T, data, meta []byte) {
		l, err := index.ParsePkgNG(data, index.ParseMeta(meta).Manifests)
		sound(t, l, err)
		l, err = index.ParsePkgNG(data, "m")
		sound(t, l, err)
	})
}

func FuzzRecorded(f *testing.F) {
	f.Add([]byte("bindery package listing 1\nP\ta\nE\nD\tb\tc\nV\td\nI\tg\nG\tg\t\nM\ta\tdefault\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := index.Decode(data)
		sound(t, l, err)
	})
}
