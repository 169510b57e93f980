// SPDX-License-Identifier: Apache-2.0

package textdiff_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/textdiff"
)

func marked(spans []textdiff.Span) string {
	var b strings.Builder
	for _, s := range spans {
		if s.Changed {
			b.WriteString("[" + s.Text + "]")
			continue
		}
		b.WriteString(s.Text)
	}
	return b.String()
}

func TestWords(t *testing.T) {
	for _, c := range [][4]string{
		{"server ntp1.dc1.example", "server ntp1.dc2.example iburst", "server ntp1.[dc1].example", "server ntp1.[dc2].example[ iburst]"},
		{"MaxAuthTries 6", "MaxAuthTries 3", "MaxAuthTries [6]", "MaxAuthTries [3]"},
		{"a = 1;", "a = 1", "a = 1[;]", "a = 1"},
		{"nothing", "in common", "", ""},
		{"same", "same", "", ""},
		{"", "new", "", ""},
	} {
		was, is := textdiff.Words(c[0], c[1])
		require.Equal(t, c[2], marked(was), c[0])
		require.Equal(t, c[3], marked(is), c[1])
	}
	long := strings.Repeat("word ", 1000)
	was, is := textdiff.Words(long+"a", long+"b")
	require.Nil(t, was)
	require.Nil(t, is)
}

// The spans of a line are the line.
func TestWordsKeepEveryByte(t *testing.T) {
	line := rapid.StringMatching(`([a-c]{1,2}|[ .]|ü|\xff){0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		old, now := line.Draw(t, "old"), line.Draw(t, "new")
		was, is := textdiff.Words(old, now)
		if was == nil && is == nil {
			return
		}
		join := func(spans []textdiff.Span) (all, equal string) {
			for _, s := range spans {
				require.NotEmpty(t, s.Text)
				all += s.Text
				if !s.Changed {
					equal += s.Text
				}
			}
			return all, equal
		}
		a, equalOld := join(was)
		b, equalNew := join(is)
		require.Equal(t, old, a)
		require.Equal(t, now, b)
		require.Equal(t, equalOld, equalNew)
	})
}
