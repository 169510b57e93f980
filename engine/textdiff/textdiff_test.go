// SPDX-License-Identifier: Apache-2.0

package textdiff_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/textdiff"
)

func TestUnified(t *testing.T) {
	old := []byte("a\nb\nc\nd\ne\nf\ng\nh\ni\n")
	now := []byte("a\nb\nc\nD\ne\nf\ng\nh\nj")
	require.Equal(t, `--- old
+++ new
@@ -3,3 +3,3 @@
 c
-d
+D
 e
@@ -8,2 +8,2 @@
 h
-i
+j
\ No newline at end of file
`, textdiff.Unified("old", "new", old, now, 1))
	require.Equal(t, "--- o\n+++ n\n@@ -4,1 +4,1 @@\n-d\n+D\n@@ -9,1 +9,1 @@\n-i\n+j\n\\ No newline at end of file\n",
		textdiff.Unified("o", "n", old, now, 0))
	require.Equal(t, 1, strings.Count(textdiff.Unified("o", "n", old, now, 3), "@@ -"))
	require.Empty(t, textdiff.Unified("o", "n", old, old, 3))
	require.Equal(t, "--- o\n+++ n\n@@ -0,0 +1,1 @@\n+x\n", textdiff.Unified("o", "n", nil, []byte("x\n"), 3))
	require.Equal(t, "--- o\n+++ n\n@@ -1,1 +0,0 @@\n-x\n", textdiff.Unified("o", "n", []byte("x\n"), nil, 3))
}

// A line that is unique only between two anchors still counts as an anchor.
func TestRefines(t *testing.T) {
	old := textdiff.Lines([]byte("}\nkey\n}\n1\n2\n}\nother\n"))
	now := textdiff.Lines([]byte("}\nkey\n}\n3\n}\nother\nkey\nother\n"))
	changed := 0
	for _, e := range textdiff.Edits(old, now) {
		changed += e.OldTo - e.OldFrom + e.NewTo - e.NewFrom
	}
	require.LessOrEqual(t, changed, 7)
}

func TestBinary(t *testing.T) {
	require.True(t, textdiff.Binary([]byte("a\x00b")))
	require.True(t, textdiff.Binary([]byte("a\xffb")))
	require.False(t, textdiff.Binary([]byte("a\u202eb\r\n")))
	require.False(t, textdiff.Binary(nil))
}

func texts(t *rapid.T) ([]byte, []byte) {
	line := rapid.SampledFrom([]string{"", "a", "b", "c", "}", "@@ -1,1 +1,1 @@", "--- x", "+++ y", "diff", "-", " ", "\\ No", "0", "1"})
	text := func(label string) []byte {
		s := strings.Join(rapid.SliceOfN(line, 0, 30).Draw(t, label), "\n")
		if s != "" && rapid.Bool().Draw(t, "newline") {
			s += "\n"
		}
		return []byte(s)
	}
	return text("old"), text("new")
}

// Whatever the texts hold: applying the edits gives the new text, equal ranges
// are equal, and hunks say the same with any context.
func TestEditsApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		oldText, newText := texts(t)
		old, now := textdiff.Lines(oldText), textdiff.Lines(newText)
		edits := textdiff.Edits(old, now)
		var got []string
		at, to := 0, 0
		for i, e := range edits {
			require.True(t, e.OldTo > e.OldFrom || e.NewTo > e.NewFrom, "empty edit")
			require.Equal(t, e.OldFrom-at, e.NewFrom-to, "equal ranges have one length")
			require.False(t, i > 0 && e.OldFrom == at && e.NewFrom == to, "edits touch")
			got = append(append(got, old[at:e.OldFrom]...), now[e.NewFrom:e.NewTo]...)
			at, to = e.OldTo, e.NewTo
		}
		require.Equal(t, string(newText), strings.Join(append(got, old[at:]...), ""))

		context := rapid.IntRange(0, 5).Draw(t, "context")
		var minus, plus int
		for _, h := range textdiff.Group(old, now, edits, context) {
			sides := map[textdiff.Op]int{}
			for _, l := range h.Lines {
				sides[l.Op]++
			}
			require.Equal(t, h.OldLines, sides[textdiff.Equal]+sides[textdiff.Delete])
			require.Equal(t, h.NewLines, sides[textdiff.Equal]+sides[textdiff.Insert])
			minus += sides[textdiff.Delete]
			plus += sides[textdiff.Insert]
		}
		require.Equal(t, len(now)-len(old), plus-minus)
	})
}

// Repetitive input must not make the time explode; a quadratic algorithm would
// not come back from this one.
func TestHostileInputIsLinear(t *testing.T) {
	old := []byte(strings.Repeat("a\nb\n", 200_000))
	now := []byte(strings.Repeat("b\na\na\n", 200_000))
	require.NotEmpty(t, textdiff.Edits(textdiff.Lines(old), textdiff.Lines(now)))
}

func FuzzUnified(f *testing.F) {
	f.Add([]byte("a\nb\n"), []byte("b\nc"), 1)
	f.Add([]byte("@@ -1,1 +1,1 @@\n"), []byte("--- a\n+++ b\n"), 0)
	f.Fuzz(func(t *testing.T, old, now []byte, context int) {
		out := textdiff.Unified("o", "n", old, now, context%8)
		require.Equal(t, string(old) == string(now), out == "")
	})
}
