// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
)

func TestMatchLikePython(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*~", "a~", true},
		{"*~", "~a", false},
		{"*.swp", ".a.swp", true},
		{".#*", ".#a", true},
		{"/etc/*", "/etc/a/b", true},
		{"/etc/?", "/etc//", true},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxbyy", false},
		{"[abc]", "b", true},
		{"[!abc]", "b", false},
		{"[!abc]", "d", true},
		{"[a-c]x", "bx", true},
		{"[]]", "]", true},
		{"[!]]", "]", false},
		{"[a-]", "-", true},
		{"[^a]", "a", true},
		{"[", "[", true},
		{"[a", "[a", true},
		{"[!", "[!", true},
		{`\*`, `\x`, true},
		{`\*`, "*", false},
		{"?", "é", true},
		{"[é]", "é", true},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"**", "ab", true},
		{"a", "", false},
		{"?", "", false},
	} {
		require.Equal(t, c.want, config.Match(c.pattern, c.name), "%q %q", c.pattern, c.name)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("[a-c]*?", "bxx")
	f.Add("[", "[")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		config.Match(pattern, name)
		require.True(t, config.Match("*", name))
		require.True(t, config.Match(pattern+"*", name) || !config.Match(pattern, name))
	})
}
