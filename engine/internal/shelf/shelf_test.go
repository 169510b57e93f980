// SPDX-License-Identifier: Apache-2.0

package shelf_test

import (
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/shelf"
)

// tree is files in memory with their digests: what they hold.
type tree struct{ fstest.MapFS }

func (t tree) Digest(name string) string {
	if f := t.MapFS[name]; f != nil {
		return string(f.Data)
	}
	return ""
}

func files(name, text string) tree { return tree{fstest.MapFS{name: {Data: []byte(text)}}} }

// got gives what is made of a file, and whether it was made now.
func got(fsys fs.FS, kind, name string, size int, keep bool) (text string, made bool) {
	text = shelf.Get(fsys, kind, name, func() (string, int, bool) {
		made = true
		data, _ := fs.ReadFile(fsys, name)
		return kind + ":" + string(data), size, keep
	})
	return text, made
}

func TestWhatIsTheSameIsMadeOnce(t *testing.T) {
	s := shelf.New(1 << 20)
	for _, c := range []struct {
		fsys       tree
		kind, name string
		made       bool
	}{
		{files("a", "1"), "x", "a", true},
		{files("a", "1"), "x", "a", false},
		{files("a", "2"), "x", "a", true},
		{files("a", "1"), "x", "a", false}, // both revisions are kept
		{files("b", "1"), "x", "b", true},  // positions have the name
		{files("a", "1"), "y", "a", true},
		{files("a", ""), "x", "a", true}, // a digest that is not known
		{files("a", ""), "x", "a", true},
	} {
		text, made := got(shelf.On(c.fsys, s), c.kind, c.name, 1, true)
		require.Equal(t, c.kind+":"+string(c.fsys.MapFS[c.name].Data), text)
		require.Equal(t, c.made, made, "%s %s", c.kind, c.name)
	}
}

func TestNothingIsKeptThatMustNotBe(t *testing.T) {
	s := shelf.New(1 << 20)
	for range 2 {
		_, made := got(shelf.On(files("a", "1"), s), "x", "a", 1, false)
		require.True(t, made)
		_, made = got(shelf.On(files("a", "1").MapFS, s), "x", "a", 1, true)
		require.True(t, made, "a tree without digests")
		_, made = got(shelf.On(files("a", "1"), nil), "x", "a", 1, true)
		require.True(t, made, "no shelf")
		_, made = got(shelf.On(files("a", "1"), s), "x", "a", 1<<20, true)
		require.True(t, made, "one that leaves no room")
	}
	require.Zero(t, s.Size())
}

func TestWhatWasNotUsedLongestGoesFirst(t *testing.T) {
	const most = 100_000
	s := shelf.New(most)
	first := shelf.On(files("a", "first"), s)
	_, _ = got(first, "x", "a", 1000, true)
	for i := range 1000 {
		_, _ = got(shelf.On(files("a", fmt.Sprint(i)), s), "x", "a", 1000, true)
		_, made := got(first, "x", "a", 1000, true)
		require.False(t, made, "it is used all the time")
		require.LessOrEqual(t, s.Size(), int64(most))
	}
	require.Greater(t, s.Size(), int64(most/2))
	_, made := got(shelf.On(files("a", "0"), s), "x", "a", 1000, true)
	require.True(t, made)
}

func TestShelfIsConcurrent(t *testing.T) {
	s := shelf.New(20_000)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				text := fmt.Sprint((i + j) % 40)
				is, _ := got(shelf.On(files("a", text), s), "x", "a", 100, true)
				if is != "x:"+text {
					t.Errorf("%s became %s", text, is)
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, s.Size(), int64(20_000))
}
