// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// site says of the hosts in the recorded templates what their metadata were.
var site = map[string]struct {
	profile string
	groups  []string
}{
	"cheetah-comment-lines/a.ex.org": {"p", []string{"g1", "g2", "p"}},
	"rules/a.ex.org":                 {"p", []string{"g1", "g2"}},
	"cheetah-if-elif/a.ex.org":       {"pa", []string{"pa", "x"}},
	"cheetah-if-elif/b.ex.org":       {"pb", []string{"pb"}},
	"cheetah-metadata/a.ex.org":      {"pa", []string{"etch", "pa"}},
	"tcheetah-basic/a.ex.org":        {"pa", []string{"pa", "x"}},
	"tcheetah-basic/b.ex.org":        {"pb", []string{"pb"}},
	"cfg-cheetah/a.ex.org":           {"pa", []string{"pa", "x"}},
	"cfg-cheetah/b.ex.org":           {"pb", []string{"pb"}},
}

func texts(list []string) *starlark.List {
	var out []starlark.Value
	for _, s := range list {
		out = append(out, starlark.String(s))
	}
	return starlark.NewList(out)
}

// function makes a function of one text.
func function(name string, f func(arg string) py.Value) py.Value {
	return py.Func(name, func(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
		if len(args) == 0 {
			return f(""), nil
		}
		s, _ := starlark.AsString(args[0])
		return f(s), nil
	})
}

func metadata(test, host string) py.Value {
	of := site[test+"/"+host]
	hosts := texts([]string{"b.ex.org", "a.ex.org"})
	return py.NewModule("metadata", map[string]py.Value{
		"hostname": starlark.String(host), "profile": starlark.String(of.profile), "groups": texts(of.groups),
		"inGroup":           function("inGroup", func(g string) py.Value { return starlark.Bool(strings.Contains(strings.Join(of.groups, " "), g)) }),
		"group_in_category": function("group_in_category", func(string) py.Value { return starlark.String("etch") }),
		"query": py.NewModule("query", map[string]py.Value{
			"all_clients": function("all_clients", func(string) py.Value { return hosts }),
			"by_name": function("by_name", func(h string) py.Value {
				return py.NewModule("metadata", map[string]py.Value{"hostname": starlark.String(h), "profile": starlark.String("pb")})
			}),
		}),
	})
}

// render renders a template as Bcfg2 gave it its names.
func render(t *testing.T, src, test, host, path string) (string, error) {
	t.Helper()
	tm, p := Parse("t.cheetah", src)
	if p != nil {
		return "", p
	}
	th := py.New().NewThread(&py.World{Read: func(name string) (string, error) {
		if name != "/inc" {
			return "", py.Fail("IOError", "[Errno 2] No such file or directory: %s", name)
		}
		return "inc $name $gg\n", nil
	}})
	defer th.Close()
	text := func(s string) py.Value { return starlark.String(s) }
	out, p := tm.Render(th, map[string]py.Value{
		"metadata": metadata(test, host), "name": text(path), "path": text(path), "source_path": text("/repo/Cfg" + path + "/" + filepath.Base(path) + ".cheetah"),
	})
	if p != nil {
		return "", p
	}
	return out, nil
}

// TestRecorded holds rendering to what Bcfg2 1.3 (for tcheetah-basic 1.2) made of
// the same templates.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*@*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		kind := filepath.Ext(file)
		if kind == ".want" {
			continue
		}
		stem := strings.TrimSuffix(file, kind)
		t.Run(filepath.Base(stem), func(t *testing.T) {
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			name, host, _ := strings.Cut(filepath.Base(stem), "@")
			test, path, _ := strings.Cut(name, "_")
			got, err := render(t, string(src), test, host, "/"+strings.ReplaceAll(path, "_", "/"))
			if kind == ".fails" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			want, err := os.ReadFile(stem + ".want")
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}
