// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

func TestSplit(t *testing.T) {
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
		groups, data := Split(in)
		require.Equal(t, want.groups, strings.Join(groups, ","), "%q", in)
		require.Equal(t, want.data, data, "%q", in)
	}
}

func TestAllowedGroups(t *testing.T) {
	for list, want := range map[string]string{
		"":        "",
		".*":      "a,ab,c d",
		"a":       "a",
		"a, c d":  "a,c d",
		"x ab":    "ab",
		"b|a":     "a",
		"^a$ ,ab": "a,ab",
		"(, a":    "a",
	} {
		conf := plugin.Conf{"probes": {"allowed_groups": list}}
		p := New(plugin.Env{FS: fstest.MapFS{}, Conf: conf, Report: func(p *problem.Problem) { require.Equal(t, "bad-regex", p.Code) }})
		got := p.Groups(&host.Host{Probes: map[string]string{"z": "group:c d\n", "p": "group:a\ngroup:ab\n"}})
		require.Equal(t, want, strings.Join(got, ","), list)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("group:a\ndata\n")
	f.Fuzz(func(t *testing.T, answer string) {
		groups, data := Split(answer)
		require.LessOrEqual(t, len(data), len(answer))
		again, same := Split(data)
		require.Empty(t, again)
		require.Equal(t, data, same)
		for _, g := range groups {
			require.Contains(t, answer, g)
		}
	})
}
