// SPDX-License-Identifier: Apache-2.0

package host

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitAnswer(t *testing.T) {
	for in, want := range map[string]struct{ groups, data string }{
		"":                               {"", ""},
		"data\n":                         {"", "data\n"},
		"no newline":                     {"", "no newline"},
		"group:a\ndata\n\ngroup: b \n x": {"a,b", "data\n\n x"},
		"group:with:colon":               {"with", ""},
		"group: sp aced":                 {"sp aced", ""},
		"\t group:indented\r\nx\r\n":     {"indented", "x\r\n"},
		"group:\n":                       {"", ""},
		"mygroup:a\nGroup:b\n":           {"", "mygroup:a\nGroup:b\n"},
		" \n\n":                          {"", " \n\n"},
	} {
		groups, data := SplitAnswer(in)
		require.Equal(t, want.groups, strings.Join(groups, ","), "%q", in)
		require.Equal(t, want.data, data, "%q", in)
	}
}

func FuzzSplitAnswer(f *testing.F) {
	f.Add("group:a\ndata\n")
	f.Fuzz(func(t *testing.T, answer string) {
		groups, data := SplitAnswer(answer)
		require.LessOrEqual(t, len(data), len(answer))
		again, same := SplitAnswer(data)
		require.Empty(t, again)
		require.Equal(t, data, same)
		for _, g := range groups {
			require.Contains(t, answer, g)
		}
	})
}
