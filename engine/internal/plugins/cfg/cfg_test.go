// SPDX-License-Identifier: Apache-2.0

package cfg

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCat(t *testing.T) {
	for _, c := range []struct{ text, delta, want string }{
		{"a\nb\n", "+c\n", "a\nb\nc\n"},
		{"\n\n a\n\n", "", "a\n"},
		{"", "+a", "\na\n"},
		{"a\nb\na\n", "-a\n", "b\na\n"},
		{"a\n", "-b\n b\nb\n", "a\n"},
		{"a\n", "+\n", "a\n\n"},
		{"a\r\nb\r\n", "-a\n-a\r\n", "b\n"},
	} {
		require.Equal(t, c.want, cat(c.text, c.delta), "%q %q", c.text, c.delta)
	}
}

func TestPatch(t *testing.T) {
	numbers := "1\n2\n3\n4\n5\n6\n7\n8\n9\n"
	const change = "@@ -3,3 +3,3 @@\n 3\n-4\n+four\n 5\n"
	for name, c := range map[string]struct{ text, diff, want string }{
		"in place":                  {numbers, change, "1\n2\n3\nfour\n5\n6\n7\n8\n9\n"},
		"with names and times":      {numbers, "diff -u a b\nIndex: x\n--- a/x\t2020\n+++ b/x\t2021\n" + change, "1\n2\n3\nfour\n5\n6\n7\n8\n9\n"},
		"further down":              {"0\n0\n0\n0\n0\n" + numbers, change, "0\n0\n0\n0\n0\n1\n2\n3\nfour\n5\n6\n7\n8\n9\n"},
		"further up":                {"3\n4\n5\n", change, "3\nfour\n5\n"},
		"less context":              {"1\n2\nthree\n4\nfive\n", change, "1\n2\nthree\nfour\nfive\n"},
		"two hunks with one offset": {"0\n" + numbers, change + "@@ -7,3 +7,2 @@\n 7\n-8\n 9\n", "0\n1\n2\n3\nfour\n5\n6\n7\n9\n"},
		"into nothing":              {"", "@@ -0,0 +1,1 @@\n+a\n", "a\n"},
		"to nothing":                {"a\n", "@@ -1,1 +0,0 @@\n-a\n", ""},
		"without newline":           {"a", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n", "b"},
		"not there":                 {"1\n2\n", change, "error: the lines of @@ -3,3 +3,3 @@ are not in the file"},
		"hunks out of order":        {numbers, "@@ -7,3 +7,2 @@\n 7\n-8\n 9\n" + change, "error: the lines of @@ -3,3 +3,3 @@ are not in the file"},
		"two files":                 {numbers, "--- a\n+++ a\n" + change + "--- b\n+++ b\n" + change, "error: it changes 2 files"},
		"no diff":                   {numbers, "@@ -1,1 secret\n", "error: it is no unified diff"},
		"nothing":                   {numbers, "", "error: it changes 0 files"},
		"a place far away":          {numbers, "@@ -9000000000000000000,1 +1,1 @@\n-x\n+y\n", "error: its places are too hard to find"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, patched(c.text, c.diff))
		})
	}
}

func patched(text, diff string) string {
	list, err := hunks(diff)
	if err == nil {
		text, err = patch(text, list)
	}
	if err != nil {
		return "error: " + err.Error()
	}
	return text
}

func FuzzDelta(f *testing.F) {
	f.Add("a\nb\n", "@@ -1,1 +1,1 @@\n-a\n+b\n")
	f.Add("a\nb\n", "+a\n-b\n")
	f.Fuzz(func(t *testing.T, text, delta string) {
		require.LessOrEqual(t, len(cat(text, delta)), len(text)+len(delta)+2)
		if got := patched(text, delta); !strings.HasPrefix(got, "error: ") {
			require.LessOrEqual(t, len(got), len(text)+len(delta))
		}
	})
}
