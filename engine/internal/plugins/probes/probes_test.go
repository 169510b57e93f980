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
		groups, refused := p.Groups(&host.Host{Probes: map[string]string{"z": "group:c d\n", "p": "group:a\ngroup:ab\n"}})
		require.Nil(t, refused)
		var got []string
		for _, g := range groups {
			got = append(got, g.Group)
		}
		require.Equal(t, want, strings.Join(got, ","), list)
	}
}
