// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

func TestParseConf(t *testing.T) {
	for in, want := range map[string]map[string]map[string]string{
		"":                                        {},
		"# c\n; c\n[a]\n":                         {},
		"[Rules]\nRegex: Yes\n":                   {"rules": {"regex": "Yes"}},
		"[a]\nb = c ; comment\nd = e;f # g\n":     {"a": {"b": "c", "d": "e;f # g"}},
		"[a]\nb = \"quoted\" \nc='x'\n":           {"a": {"b": `"quoted"`, "c": "'x'"}},
		"[a]\nb = c,\n  d\n e\n[f]\ng=h\n":        {"a": {"b": "c,\nd\ne"}, "f": {"g": "h"}},
		"[a]\nb=\nc =  x  y  \n":                  {"a": {"b": "", "c": "x  y"}},
		"[a]\nb=1\nb=2\n[A]\nc=3\n":               {"a": {"b": "2", "c": "3"}},
		"[a]\nb = C:\\\nc = 1\n":                  {"a": {"b": `C:\`, "c": "1"}},
		"[packages:yum]\nuse_yum_libraries = 1\n": {"packages:yum": {"use_yum_libraries": "1"}},
		"[a]\r\nb = c\r\n":                        {"a": {"b": "c"}},
	} {
		got, err := engine.ParseConf([]byte(in))
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"[a\nb=c", "[a]\nno option\n"} {
		_, err := engine.ParseConf([]byte(in))
		require.ErrorContains(t, err, "read bcfg2.conf: ")
	}
}
