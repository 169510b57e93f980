// SPDX-License-Identifier: Apache-2.0

package threeway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/controller/git/threeway"
)

// lines writes one line for each letter.
func lines(s string) []byte {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, "%c\n", r)
	}
	return []byte(b.String())
}

func TestText(t *testing.T) {
	for _, c := range []struct{ base, ours, theirs, want string }{
		{"abcdef", "Abcdef", "abcdeF", "AbcdeF"},
		{"abcdef", "abcdef", "abxdef", "abxdef"},
		{"abcdef", "abXdef", "abXdef", "abXdef"},
		{"abcdef", "XabXdef", "abXdefY", "XabXdefY"},
		{"abcdef", "bcdef", "abcdefg", "bcdefg"},
		{"abc", "aXbc", "abYc", "aXbYc"},
		{"", "a", "", "a"},
		{"a", "", "", ""},
		{"abc", "aXc", "aYc", "-"},   // the same line
		{"abc", "Xbc", "aYc", "-"},   // lines side by side
		{"abc", "aXbc", "aYbc", "-"}, // both add, and who is first
		{"", "a", "b", "-"},
		{"abc", "ac", "abXc", "-"},
		{"axxb", "axxxb", "axxbY", "axxxbY"},
		{"axxb", "axxxb", "Yxxb", "-"}, // the new x may stand beside what became Y
		{"a..b", "A..b", "a..B", "-"},  // what stands between could be anywhere
	} {
		for _, swap := range []bool{false, true} {
			ours, theirs := c.ours, c.theirs
			if swap {
				ours, theirs = theirs, ours
			}
			got, ok := threeway.Text(lines(c.base), lines(ours), lines(theirs))
			require.Equal(t, c.want != "-", ok, "%+v", c)
			if ok {
				require.Equal(t, string(lines(c.want)), string(got), "%+v", c)
			}
		}
	}
	got, ok := threeway.Text([]byte("a\nb\nc"), []byte("A\nb\nc"), []byte("a\nb\nc\n"))
	require.True(t, ok)
	require.Equal(t, "A\nb\nc\n", string(got))
}

// Whoever merges whom, the text is the same; nobody's line is lost or made up.
func TestTextIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-e]{0,12}`)
		base, ours, theirs := lines(text.Draw(t, "base")), lines(text.Draw(t, "ours")), lines(text.Draw(t, "theirs"))
		one, ok := threeway.Text(base, ours, theirs)
		other, again := threeway.Text(base, theirs, ours)
		require.Equal(t, ok, again)
		require.Equal(t, string(one), string(other))
		same, ok := threeway.Text(base, ours, ours)
		require.True(t, ok)
		require.Equal(t, string(ours), string(same))
		same, ok = threeway.Text(base, base, theirs)
		require.True(t, ok)
		require.Equal(t, string(theirs), string(same))
	})
}

// What was made to take long is given up, in time that goes with its size.
func TestTextIsLinear(t *testing.T) {
	base, ours, theirs := strings.Repeat("x\n", 30_000), strings.Repeat("x\ny\n", 30_000), strings.Repeat("z\nx\n", 30_000)
	_, ok := threeway.Text([]byte(base), []byte(ours), []byte(theirs))
	require.False(t, ok)
	_, ok = threeway.Text([]byte(base), []byte(base+"x\n"), []byte("y\n"+base))
	require.False(t, ok)
}

// shelf keeps objects in memory, by what they hold.
type shelf map[string]any

func (s shelf) Tree(id string) ([]threeway.Entry, error) {
	entries, ok := s[id].([]threeway.Entry)
	if !ok {
		return nil, errors.New("no such tree")
	}
	return entries, nil
}

func (s shelf) Blob(id string, limit int64) ([]byte, error) {
	data := s[id].([]byte)
	if int64(len(data)) > limit {
		return nil, threeway.ErrTooLarge
	}
	return data, nil
}

func (s shelf) PutTree(entries []threeway.Entry) (string, error) {
	id := fmt.Sprint("tree ", entries)
	s[id] = entries
	return id, nil
}

func (s shelf) PutBlob(data []byte) (string, error) {
	id := "blob " + string(data)
	if len(data) > 100 {
		id = fmt.Sprintf("blob of %d %x", len(data), data[0])
	}
	s[id] = data
	return id, nil
}

// tree keeps files by path: "name" or "name*" for one that runs, with what they hold.
func (s shelf) tree(files map[string]string) string {
	var entries []threeway.Entry
	below := map[string]map[string]string{}
	for name, data := range files {
		if dir, rest, ok := strings.Cut(name, "/"); ok {
			if below[dir] == nil {
				below[dir] = map[string]string{}
			}
			below[dir][rest] = data
			continue
		}
		id, _ := s.PutBlob([]byte(data))
		e := threeway.Entry{Name: strings.TrimSuffix(name, "*"), Mode: threeway.Regular, ID: id}
		if e.Name != name {
			e.Mode = threeway.Executable
		}
		entries = append(entries, e)
	}
	for dir, list := range below {
		entries = append(entries, threeway.Entry{Name: dir, Mode: threeway.Dir, ID: s.tree(list)})
	}
	slices.SortFunc(entries, func(a, b threeway.Entry) int { return strings.Compare(a.Name, b.Name) })
	id, _ := s.PutTree(entries)
	return id
}

type tree = map[string]string

func TestMerge(t *testing.T) {
	long := strings.Repeat("x", 9<<20)
	for name, c := range map[string]struct {
		base, ours, theirs, want tree
		conflicts                []string
	}{
		"apart":               {tree{"a": "1", "d/b": "1"}, tree{"a": "2", "d/b": "1"}, tree{"a": "1", "d/b": "2", "d/c": "1"}, tree{"a": "2", "d/b": "2", "d/c": "1"}, nil},
		"alike":               {tree{"a": "1"}, tree{"a": "2"}, tree{"a": "2"}, tree{"a": "2"}, nil},
		"changed and deleted": {tree{"a": "1"}, tree{"a": "2"}, tree{}, nil, []string{"a"}},
		"both deleted":        {tree{"a": "1", "b": "1"}, tree{"b": "1"}, tree{"b": "1"}, tree{"b": "1"}, nil},
		"both added":          {tree{}, tree{"a": "1"}, tree{"a": "2"}, nil, []string{"a"}},
		"mode and text":       {tree{"a": "1\n"}, tree{"a*": "1\n"}, tree{"a": "2\n"}, tree{"a*": "2\n"}, nil},
		"added with modes":    {tree{}, tree{"a": "1"}, tree{"a*": "1"}, nil, []string{"a"}},
		"file for folder":     {tree{"a": "1"}, tree{"a/x": "1"}, tree{"a": "2"}, nil, []string{"a"}},
		"folder emptied":      {tree{"a/x": "1", "b": "1"}, tree{"a": "1", "b": "1"}, tree{"a/x": "1", "b": "2"}, tree{"a": "1", "b": "2"}, nil},
		"folder that stays":   {tree{"a/x": "1"}, tree{"a": "1"}, tree{"a/x": "1", "a/y": "1"}, nil, []string{"a"}},
		"last file goes":      {tree{"d/a": "1", "d/b": "1"}, tree{"d/a": "1"}, tree{"d/b": "1"}, tree{}, nil},
		"binary":              {tree{"a": "\x00"}, tree{"a": "\x00\n1"}, tree{"a": "1\n\x00"}, nil, []string{"a"}},
		"too large":           {tree{"a": "1\n"}, tree{"a": "2\n"}, tree{"a": long}, nil, []string{"a"}},
		"many":                {tree{"a": "1", "b/c": "1"}, tree{"a": "2", "b/c": "2"}, tree{"a": "3", "b/c": "3"}, nil, []string{"a", "b/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := shelf{}
			base, ours, theirs := s.tree(c.base), s.tree(c.ours), s.tree(c.theirs)
			for range 2 {
				got, conflicts, err := threeway.Merge(t.Context(), s, base, ours, theirs)
				require.NoError(t, err)
				require.Equal(t, c.conflicts, conflicts)
				if c.want != nil {
					require.Equal(t, s.tree(c.want), got)
				} else {
					require.Empty(t, got)
				}
				ours, theirs = theirs, ours
			}
		})
	}
}

// A tree that means harm ends in an error or a conflict, and not in much work.
func TestMergeOfHostileTrees(t *testing.T) {
	s := shelf{}
	var deep [3]string
	for side := range deep {
		deep[side] = s.tree(tree{"a": fmt.Sprint(side)})
		for range 100 {
			deep[side], _ = s.PutTree([]threeway.Entry{{Name: "d", Mode: threeway.Dir, ID: deep[side]}})
		}
	}
	_, _, err := threeway.Merge(t.Context(), s, deep[0], deep[1], deep[2])
	require.ErrorIs(t, err, threeway.ErrTooLarge)

	twice := func(data string) string {
		id, _ := s.PutBlob([]byte(data))
		e := threeway.Entry{Name: "a", Mode: threeway.Regular, ID: id}
		out, _ := s.PutTree([]threeway.Entry{e, e})
		return out
	}
	_, conflicts, err := threeway.Merge(t.Context(), s, twice("1"), twice("2"), twice("3"))
	require.NoError(t, err)
	require.Len(t, conflicts, 1)

	all := [3]tree{{}, {}, {}}
	for i := range 2000 {
		for side := range all {
			all[side][fmt.Sprintf("f%d", i)] = fmt.Sprint(side)
		}
	}
	_, conflicts, err = threeway.Merge(t.Context(), s, s.tree(all[0]), s.tree(all[1]), s.tree(all[2]))
	require.NoError(t, err)
	require.Len(t, conflicts, 1000)

	_, _, err = threeway.Merge(t.Context(), s, "x", "y", "z")
	require.ErrorContains(t, err, "no such tree")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = threeway.Merge(ctx, s, "x", "y", "z")
	require.ErrorIs(t, err, context.Canceled)
}
