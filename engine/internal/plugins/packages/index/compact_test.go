// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
)

// What is recorded is what was read.
func TestRecordedAgain(t *testing.T) {
	name := rapid.StringMatching(`[a-z/][ -~]{0,8}`)
	some := rapid.SliceOfN(name, 0, 3)
	needs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) index.Need { return rapid.SliceOfN(name, 1, 3).Draw(t, "need") }), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		l := &index.Listing{}
		for range rapid.IntRange(0, 4).Draw(t, "packages") {
			e := index.Entry{Name: name.Draw(t, "name"), Essential: rapid.Bool().Draw(t, "essential")}
			e.Depends = append(e.Depends, needs.Draw(t, "depends")...)
			e.Recommends = append(e.Recommends, needs.Draw(t, "recommends")...)
			e.Provides = append(e.Provides, some.Draw(t, "provides")...)
			e.Groups = append(e.Groups, some.Draw(t, "groups")...)
			l.Entries = append(l.Entries, e)
		}
		for range rapid.IntRange(0, 2).Draw(t, "groups") {
			l.Groups = append(l.Groups, index.Group{ID: name.Draw(t, "id"), Members: []index.Member{{Name: name.Draw(t, "member"), Kind: "optional"}}})
		}
		data, err := l.Encode()
		require.NoError(t, err)
		again, err := l.Encode()
		require.NoError(t, err)
		require.Equal(t, data, again)
		got, err := index.Decode(data)
		require.NoError(t, err)
		require.Equal(t, l, got)
	})
}

func TestNotRecorded(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "it is no recorded listing",
		"Package: a\n":                          "it is no recorded listing",
		"bindery package listing 1\nD\ta\n":     "line 2",
		"bindery package listing 1\nP\n":        "line 2",
		"bindery package listing 1\nM\ta\tb":    "line 2",
		"bindery package listing 1\nP\ta\nX":    "line 3",
		"bindery package listing 1\nP\ta\nX\tb": "line 3",
	} {
		_, err := index.Decode([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}
