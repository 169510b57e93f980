// SPDX-License-Identifier: Apache-2.0

package plugin_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

func TestParseSpecific(t *testing.T) {
	for _, c := range []struct {
		name, base, extension string
		want                  plugin.Specific
		ok                    bool
	}{
		{"a", "a", "", plugin.Specific{}, true},
		{"a.cat", "a", "cat", plugin.Specific{}, true},
		{"a.H_h.x.org", "a", "", plugin.Specific{Host: "h.x.org"}, true},
		{"a.H_h.x.org.cat", "a", "cat", plugin.Specific{Host: "h.x.org"}, true},
		{"a.G10_web", "a", "", plugin.Specific{Group: "web", Priority: 10}, true},
		{"a.G010_web.db", "a", "", plugin.Specific{Group: "web.db", Priority: 10}, true},
		{"a.G0__", "a", "", plugin.Specific{Group: "_"}, true},
		{"a.G10_g.H_h", "a", "", plugin.Specific{Group: "g.H_h", Priority: 10}, true},
		{"a.G99999999999999999999_g", "a", "", plugin.Specific{Group: "g", Priority: math.MaxInt}, true},
		{"a.", "a", "", plugin.Specific{}, false},
		{"b", "a", "", plugin.Specific{}, false},
		{"ab", "a", "", plugin.Specific{}, false},
		{"a", "a", "cat", plugin.Specific{}, false},
		{"a.H_", "a", "", plugin.Specific{}, false},
		{"a.G10", "a", "", plugin.Specific{}, false},
		{"a.G10_", "a", "", plugin.Specific{}, false},
		{"a.G_g", "a", "", plugin.Specific{}, false},
		{"a.Gx_g", "a", "", plugin.Specific{}, false},
		{"a.G+1_g", "a", "", plugin.Specific{}, false},
		{"a.G-1_g", "a", "", plugin.Specific{}, false},
		{"a.G1_g h", "a", "", plugin.Specific{}, false},
		{"a.H_h\n", "a", "", plugin.Specific{}, false},
	} {
		got, ok := plugin.ParseSpecific(c.name, c.base, c.extension)
		require.Equal(t, c.ok, ok, c.name)
		if ok {
			require.Equal(t, c.want, got, c.name)
		}
	}
}

func TestVariantsPreferTheMoreSpecific(t *testing.T) {
	voc := &host.Vocabulary{}
	var list []plugin.Variant[string]
	for _, name := range []string{"f", "f.cheetah", "f.G5_a", "f.G10_b", "f.G10_c", "f.H_h", "f.H_h.cheetah"} {
		s, ok := plugin.ParseSpecific(strings.TrimSuffix(name, ".cheetah"), "f", "")
		require.True(t, ok)
		list = append(list, plugin.Variant[string]{Specific: s, File: name, Value: name})
	}
	vs := plugin.NewVariants(voc, list)
	for host, want := range map[string]string{"h": "f.H_h.cheetah", "x": "f.cheetah", "x a": "f.G5_a", "x a b": "f.G10_b", "x a b c": "f.G10_c"} {
		require.Equal(t, want, vs.Best(view(t, voc, host)).Value, host)
	}
	require.Nil(t, plugin.NewVariants[string](voc, nil).Best(view(t, voc, "h")))
}

// view makes a host of a name and the groups behind it.
func view(t *testing.T, voc *host.Vocabulary, fields string) *memo.View {
	t.Helper()
	f := strings.Fields(fields)
	var groups strings.Builder
	for _, g := range f[1:] {
		fmt.Fprintf(&groups, "<Group name=%q/>", g)
	}
	fsys := fstest.MapFS{
		host.GroupsFile:  {Data: []byte(`<Groups><Group name="test profile" profile="true">` + groups.String() + `</Group></Groups>`)},
		host.ClientsFile: {Data: []byte(`<Clients><Client name="` + f[0] + `" profile="test profile"/></Clients>`)},
	}
	meta := host.Read(fsys, voc)
	h, refused := meta.Resolve(f[0], "")
	require.Nil(t, refused)
	return memo.NewView(h)
}

func TestInfoLines(t *testing.T) {
	for in, want := range map[string]string{
		"owner: o\ngroup:g\n":          "owner=o group=g",
		"mode: 644":                    "mode=0644",
		"perms:\t0600":                 "mode=0600",
		"mode: 0644; x":                "mode=0644",
		"mode: u+x":                    "mode=u",
		"mtime: 12.5":                  "mtime=12",
		"paranoid: maybe not":          "paranoid=maybe",
		"encoding: base64\r\n":         "encoding=base64",
		" owner: o\nowner : o\nowner=": "3 warnings",
		"owner:\n":                     "1 warnings",
		"":                             "",
	} {
		warnings := 0
		env := plugin.Env{Report: func(*problem.Problem) { warnings++ }}
		d := &plugin.Draft{Tag: "Path"}
		require.Nil(t, plugin.NewInfo(env, "info", []byte(in)).Bind(memo.NewView(&host.Host{}), d))
		require.Equal(t, want, strings.Join(append(attrs(d), warned(warnings)...), " "), in)
	}
}

func warned(n int) []string {
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d warnings", n)}
}

func attrs(d *plugin.Draft) []string {
	var out []string
	for _, a := range d.Attrs {
		out = append(out, a.Name+"="+a.Value)
	}
	return out
}

func TestDraft(t *testing.T) {
	d := &plugin.Draft{Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: "/a"}, {Name: "x", Value: ""}}}
	require.Equal(t, plugin.Name{Tag: "Path", Name: "/a", Named: true}, d.Key())
	require.Equal(t, "/a", d.RealName())
	d.Default("x", "not over an empty one")
	d.Default("y", "1")
	d.Set("name", "/b")
	d.Set("realname", "/a")
	require.Equal(t, "/a", d.RealName())
	v, ok := d.Remove("realname")
	require.True(t, ok)
	require.Equal(t, "/a", v)
	_, ok = d.Remove("realname")
	require.False(t, ok)
	require.Equal(t, []string{"name=/b", "x=", "y=1"}, attrs(d))
}

func TestPrioDir(t *testing.T) {
	var found []string
	env := plugin.Env{Voc: &host.Vocabulary{}, Report: func(p *problem.Problem) { found = append(found, p.Error()) }, FS: fstest.MapFS{
		"Rules/a.xml": {Data: []byte(`<Rules priority="99999999999999999999999"><Path name="/a" from="a"/></Rules>`)},
		"Rules/b.xml": {Data: []byte(`<Rules priority="+-5"><Path name="/b/" from="b"/><Group name="g"><Path name="/c"/></Group></Rules>`)},
	}}
	dir := plugin.NewPrioDir(env, "Rules", plugin.PrioOptions{})
	require.Equal(t, []string{`Rules/b.xml:1:8: priority "+-5" is no whole number; -1 is taken`}, found)
	v := view(t, env.Voc, "h")
	r, ok := dir.Find(v, plugin.Name{Tag: "Path", Name: "/a/", Named: true})
	require.True(t, ok)
	require.Equal(t, math.MaxInt, r.Priority)
	for name, want := range map[string][3]bool{"/a": {true, true, true}, "/b": {false, true, true}, "/b/": {true, true, true}, "/b//": {}, "/c": {true, true, false}, "/d": {}} {
		n := plugin.Name{Tag: "Path", Name: name, Named: true}
		_, applies := dir.Find(v, n)
		require.Equal(t, want, [3]bool{dir.Lists(n), dir.Handles(v, n), applies}, name)
	}
	require.Equal(t, []string{"/a", "/b/"}, dir.Names("Path"))
}

func TestIgnored(t *testing.T) {
	for name, want := range map[string]bool{"a~": true, "#a#": true, ".#a": true, "a.swp": true, "a.swpx": true, ".a.swx": true, "a.swx": false, "SCCS": true, ".svn": true, "4913": true, ".gitignore": true, ".git": false, "a": false} {
		require.Equal(t, want, plugin.Ignored(nil, name), name)
	}
	conf := plugin.Conf{"server": {"ignore_files": "*.bak, [a-c]*,"}}
	for name, want := range map[string]bool{"x.bak": true, "bx": true, "dx": false, "a~": true, "d~": false, "": false} {
		require.Equal(t, want, plugin.Ignored(conf, name) && name != "", name)
	}
}

func TestConf(t *testing.T) {
	conf := plugin.Conf{"s": {"yes": "YES", "on": "on", "one": "1", "true": "True", "no": "nope", "empty": ""}}
	for option, want := range map[string]bool{"yes": true, "on": true, "one": true, "true": true, "no": false, "empty": false, "absent": true} {
		require.Equal(t, want, conf.True("s", option, true), option)
	}
	require.Empty(t, conf.Get("s", "empty", "x"))
	require.Equal(t, "x", conf.Get("t", "empty", "x"))
}

func FuzzInfo(f *testing.F) {
	f.Add([]byte("owner: o\nmode: 644\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := strings.Count(string(data), "\n") + 1
		warnings := 0
		d := &plugin.Draft{Tag: "Path"}
		in := plugin.NewInfo(plugin.Env{Report: func(*problem.Problem) { warnings++ }}, "info", data)
		require.Nil(t, in.Bind(memo.NewView(&host.Host{}), d))
		require.LessOrEqual(t, warnings, lines)
		require.LessOrEqual(t, len(d.Attrs), 9)
	})
}
