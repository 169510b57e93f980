// SPDX-License-Identifier: Apache-2.0

package grouppatterns

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

func TestGroups(t *testing.T) {
	for _, c := range []struct{ pattern, name, want string }{
		{`<NamePattern>db</NamePattern><Group>g</Group>`, "nodb1", "g"},
		{`<NamePattern>^db</NamePattern><Group>g</Group>`, "nodb1", ""},
		{`<NamePattern>(\w)(\d+)</NamePattern><Group>$1-$2-$3</Group><Group>x</Group>`, "a12", "a-12-$3 x"},
		{`<NamePattern>(a)|(b)</NamePattern><Group>g</Group>`, "a", ""},
		{`<NamePattern>(a)|(b)</NamePattern><NamePattern>a</NamePattern><Group>g</Group>`, "a", "g"},
		{`<NamePattern>(\$2)?(a)(b)</NamePattern><Group>$1</Group>`, "ab", ""},
		{`<NamePattern>(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)</NamePattern><Group>$10</Group>`, "abcdefghij", "a0"},
		{`<NamePattern>x{,2}\Z</NamePattern><Group>g</Group>`, "ax", "g"},
		{`<NameRange>web[[1-3,7]]</NameRange><Group>g</Group>`, "web2.example.org", "g"},
		{`<NameRange>web[[1-3,7]]</NameRange><Group>g</Group>`, "web007", "g"},
		{`<NameRange>web[[1-3,7]]</NameRange><Group>g</Group>`, "web4", ""},
		{`<NameRange>web[[1-3,7]]</NameRange><Group>g</Group>`, "xweb1", ""},
		{`<NameRange>web[[1-3,7]]</NameRange><Group>g</Group>`, "web99999999999999999999999999", ""},
		{`<NameRange>r[[1-2]]n[[5]].</NameRange><Group>g</Group>`, "r2n5.x", "g"},
		{`<NameRange>r[[1-2]]n[[5]].</NameRange><Group>g</Group>`, "r2n6.x", ""},
		{`<NameRange>web</NameRange><Group>g</Group>`, "web1", "g"},
		{`<NameRange>w(e)b[[1]]</NameRange><Group>g</Group>`, "web1", "bad"},
		{`<NameRange>web+[[1]]</NameRange><Group>g</Group>`, "webb1", "bad"},
		{`<NameRange>w\d[[1]]</NameRange><Group>g</Group>`, "w11", "bad"},
		{`<NameRange>w[[1-]]</NameRange><Group>g</Group>`, "w1", "bad"},
		{`<NameRange>w[[1-2-3]]</NameRange><Group>g</Group>`, "w1", "bad"},
		{`<NamePattern>(</NamePattern><Group>g</Group>`, "w1", "bad"},
		{`<NamePattern>(?=a)</NamePattern><Group>g</Group>`, "w1", "bad"},
	} {
		var found []*problem.Problem
		g := New(plugin.Env{Voc: &host.Vocabulary{}, Report: func(p *problem.Problem) { found = append(found, p) }, FS: fstest.MapFS{
			file: {Data: []byte(`<GroupPatterns><any><GroupPattern>` + c.pattern + `</GroupPattern></any></GroupPatterns>`)},
		}})
		groups, refused := g.Groups(&host.Host{Name: c.name})
		require.Nil(t, refused)
		got := ""
		for i, g := range groups {
			got += strings.Repeat(" ", min(i, 1)) + g.Group
		}
		if len(found) > 0 {
			require.Equal(t, "bad-regex", found[0].Code)
			got = "bad"
		}
		require.Equal(t, c.want, got, c.pattern)
	}
}

func FuzzNameRange(f *testing.F) {
	f.Add("web[[1-3,7]].x[[2]]", "web2.x2")
	f.Add("[[,-]]", "1")
	f.Fuzz(func(t *testing.T, text, name string) {
		p, err := nameRange(text)
		if err == nil {
			p.groups = []host.Grant{{Group: "g"}}
			require.LessOrEqual(t, len(p.match(name)), 1)
		}
	})
}
