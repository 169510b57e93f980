// SPDX-License-Identifier: Apache-2.0

package genshi_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl/genshi"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

var python = py.New()

type parser = func(file, src string) (*genshi.Template, *problem.Problem)

// render gives the text of a template, or its problem.
func render(parse parser, src string) string {
	files := map[string]string{
		"t/part.inc": "<$name>", "t/defs.inc": "{% python made = 1 %}{% def fmt(v) %}($v){% end %}", "t/bad.inc": "{% bogus %}", "t/loop.inc": "{% include loop.inc %}",
	}
	t, p := parse("t/t.genshi", src)
	if p != nil {
		return p.Error()
	}
	th := python.NewThread(&py.World{})
	defer th.Close()
	names := map[string]py.Value{"name": starlark.String("/t"), "items": starlark.NewList([]py.Value{starlark.MakeInt(1), starlark.MakeInt(2)})}
	out, p := t.Render(th, names, func(file string) (*genshi.Template, *problem.Problem) {
		src, ok := files[file]
		if !ok {
			return nil, nil
		}
		return parse(file, src)
	})
	if p != nil {
		return p.Error()
	}
	return out
}

// cases reads "template", a line "=>", "text" and a line "====".
func cases(t require.TestingT, file string) [][2]string {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var out [][2]string
	for _, c := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n====\n") {
		src, want, ok := strings.Cut(c, "\n=>\n")
		require.True(t, ok, c)
		out = append(out, [2]string{src, want})
	}
	return out
}

func TestNewText(t *testing.T) {
	for _, c := range cases(t, "testdata/new.txt") {
		require.Equal(t, c[1], render(genshi.Parse, c[0]), c[0])
	}
}

func TestOldText(t *testing.T) {
	for _, c := range cases(t, "testdata/old.txt") {
		require.Equal(t, c[1], render(genshi.ParseOld, c[0]), c[0])
	}
}

func TestBytes(t *testing.T) {
	require.Equal(t, "a\r\n�", render(genshi.Parse, "a\r\n\xff"))
}

func FuzzMarkup(f *testing.F) {
	f.Add(`<b xmlns:py="http://genshi.edgewall.org/"><a py:for="i in (1, 2)" py:if="i" n="$i"/>${name}<?python x = 1 ?></b>`)
	f.Add(`<b xmlns:py="http://genshi.edgewall.org/"><py:def function="f(x)"><c py:attrs="{'a': x}" py:content="x"/></py:def>${f(1)}</b>`)
	f.Add(`<b xmlns:py="http://genshi.edgewall.org/"><a py:attrs="{'\u0060': 1}"/><c n="${chr(1)}">${chr(0)}</c></b>`)
	f.Add(`<b xmlns:py="http://genshi.edgewall.org/"><a py:match="c[@n='1']/*|d" py:attrs="select('@*')">${select('*|text()')}</a><c n="1"><d m="2">x</d></c></b>`)
	// What XML cannot carry is written as it is, and refused where it is delivered.
	f.Add(`<b xmlns:py="http://genshi.edgewall.org/"><c n="${chr(1)}">${chr(0)}</c></b>`)
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1000 {
			return
		}
		tm, p := genshi.ParseMarkup("t.xml", src)
		if p != nil {
			return
		}
		th := python.NewThread(&py.World{})
		defer th.Close()
		none := func(string) (*genshi.Template, *problem.Problem) { return nil, nil }
		out, p := tm.RenderTree(th, map[string]py.Value{"name": starlark.String("n")}, none)
		require.True(t, out != nil || p != nil)
		if text, p := tm.RenderMarkup(th, map[string]py.Value{"name": starlark.String("n")}, none); p == nil && out != nil && xmltree.Fits([]byte(text)) {
			_, p := xmltree.Parse("t.xml", []byte(text))
			require.Nil(t, p, text)
		}
	})
}

func FuzzTemplates(f *testing.F) {
	for _, file := range []string{"testdata/new.txt", "testdata/old.txt"} {
		for _, c := range cases(f, file) {
			f.Add(c[0])
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1000 {
			return
		}
		render(genshi.Parse, src)
		render(genshi.ParseOld, src)
	})
}
