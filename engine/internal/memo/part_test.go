// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// digested is a tree that knows digests, but of files that are called unknown.
type digested struct{ fstest.MapFS }

func (d digested) Digest(name string) string {
	h := sha256.New()
	_ = fs.WalkDir(d.MapFS, name, func(p string, e fs.DirEntry, err error) error {
		if f := d.MapFS[p]; f != nil {
			fmt.Fprintf(h, "%q %q ", p, f.Data)
		}
		return err
	})
	if _, err := fs.Stat(d.MapFS, path.Join(name, "unknown")); name == "unknown" || err == nil {
		return ""
	}
	return string(h.Sum(nil))
}

func tree(files ...string) digested {
	d := digested{fstest.MapFS{}}
	for i := 0; i < len(files); i += 2 {
		d.MapFS[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return d
}

func TestPartHoldsWhereTheSameIsRead(t *testing.T) {
	now := tree("d/a", "1", "d/b", "2", "e/c", "3")
	for name, c := range map[string]struct {
		read  func(r *Revision, p *Part, fsys fs.FS)
		holds []digested
		not   []digested
	}{
		"a file": {
			func(_ *Revision, _ *Part, fsys fs.FS) { _, _ = fs.ReadFile(fsys, "d/a") },
			[]digested{tree("d/a", "1"), tree("d/a", "1", "d/b", "9")}, []digested{tree("d/a", "2"), tree("d/b", "2")},
		},
		"absence": {
			func(_ *Revision, _ *Part, fsys fs.FS) { _, _ = fs.Stat(fsys, "d/z") },
			[]digested{tree("d/a", "5"), tree()}, []digested{tree("d/z", "")},
		},
		"an open file": {
			func(_ *Revision, _ *Part, fsys fs.FS) { _, _ = fsys.Open("d/a") },
			[]digested{tree("d/a", "1")}, []digested{tree("d/a", "2")},
		},
		"names": {
			func(_ *Revision, _ *Part, fsys fs.FS) { _, _ = fs.ReadDir(fsys, "d") },
			[]digested{tree("d/a", "7", "d/b", "8")}, []digested{tree("d/a", "1"), tree("d/a/x", "1", "d/b", "2"), tree()},
		},
		"a tree": {
			func(r *Revision, p *Part, _ fs.FS) { p.Below(r, "d") },
			[]digested{tree("d/a", "1", "d/b", "2")}, []digested{tree("d/a", "1", "d/b", "3"), tree("d/a", "1", "d/b", "2", "d/c/e", "")},
		},
	} {
		s := NewSources(now, nil)
		p, fsys := s.Part()
		c.read(s.Revision, p, fsys)
		require.True(t, p.Holds(s.Revision), name)
		for i, other := range c.holds {
			require.True(t, p.Holds(NewRevision(other)), "%s %d", name, i)
		}
		for i, other := range c.not {
			require.False(t, p.Holds(NewRevision(other)), "%s %d", name, i)
			require.False(t, p.Holds(NewRevision(other)), "%s %d", name, i)
		}
	}
}

func TestWhatCannotBeToldDoesNotHold(t *testing.T) {
	s := NewSources(tree("unknown", "1"), nil)
	require.False(t, s.File("unknown").Holds(s.Revision))
	require.False(t, s.Whole.Holds(s.Revision))

	plain := NewSources(fstest.MapFS{"a": {}}, nil)
	p, fsys := plain.Part("d")
	require.Equal(t, fstest.MapFS{"a": {}}, fsys, "without digests nothing stands in between")
	require.Zero(t, p.count.Load())
	require.Nil(t, plain.File("a"))
	plain.Revision.Fact("x", "1")
}

func TestFacts(t *testing.T) {
	p := &Part{}
	r := NewRevision(tree())
	r.Fact("x", "1")
	p.Fact(r, "x")
	for value, holds := range map[string]bool{"1": true, "2": false} {
		other := NewRevision(tree())
		other.Fact("x", value)
		require.Equal(t, holds, p.Holds(other), value)
	}
}

// What counted for values that are taken over counts from then on, even if nobody
// reads it again.
func TestTakesKeepsWhatCounted(t *testing.T) {
	first := NewSources(tree("a", "1", "b", "2"), nil)
	_, _ = fs.ReadFile(first.Rest.FS(first.Revision, first.Tree), "a")
	second := NewSources(tree("a", "1", "b", "3"), nil)
	require.True(t, second.Takes(first.Rest))
	_, _ = fs.ReadFile(first.Rest.FS(first.Revision, first.Tree), "b")
	require.False(t, second.Takes(first.Rest), "something more was read since")
	third := NewSources(tree("a", "2", "b", "3"), nil)
	require.False(t, third.Takes(second.Rest))
	require.True(t, NewSources(tree("a", "1", "b", "9"), nil).Takes(second.Rest))
}

func TestValuesTellWhatTheyUse(t *testing.T) {
	s := NewSources(tree("a", "1", "b", "2"), nil)
	var outer, inner Tree[string]
	get := func(name string) []*Part {
		v := NewView(hostIn(name)).Inner()
		outer.Get(v, func(v *View) string {
			v.Use(s.File("a"), nil, s.File("a"))
			return inner.Get(v, func(v *View) string {
				v.Use(s.File("b"))
				if name == "own" {
					v.Name()
				}
				return ""
			})
		})
		return s.Uses(v)
	}
	for _, name := range []string{"own", "h", "h2"} {
		require.Equal(t, []*Part{s.File("a"), s.File("b")}, get(name), name)
		require.Same(t, &get("own")[0], &get(name)[0], "equal lists are one")
	}
	v := NewView(hostIn("h"))
	v.Use(s.File("a"))
	require.Empty(t, s.Uses(v), "nothing depends on the outermost View")
}
