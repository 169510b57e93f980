// SPDX-License-Identifier: Apache-2.0

package jinja2_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl/jinja2"
	"github.com/bindery/bindery/engine/problem"
)

var python = py.New()

// files are what the templates of the tests name.
var files = map[string]string{
	"t/inc": "[{{ name }} {{ x }} {{ i }}]{% set q = 9 %}\n",
	"t/base": "A{% block head %}base-head{% endblock %}-{% block body %}BB{% block inner %}in{% endblock %}{% endblock %}Z{{ v }}\n" +
		"{% set v = 7 %}{{ v }}",
	"t/mid": "{% extends 'base' %}{% block head %}mid({{ super() }}){% endblock %}",
	"t/macros": "{% macro m(a, b=2) %}<{{ a }}:{{ b }}:{{ name }}>{% endmacro %}{% set exp = 5 %}{% set _priv = 1 %}" +
		"{% macro wrap() %}[{{ caller(1) }}]{% endmacro %}",
	"t/sub/inc": "sub {% include 'other' %}", "t/sub/other": "other {{ name }}", "t/bad": "\n{% if %}", "t/req": "{% block r required %}{% endblock %}",
	"t/late": "\n\n{{ 1 / 0 }}", "t/again": "{% include 'again' %}", "t/derived": "{% extends 'derived' %}",
}

const names = `{"name": "N", "items": [1, 2, 3], "d": {"a": 1, "b": {"c": "x"}, "keys2": []}, "s": "hello world", "l": ["b", "A", "c"],
	"users": [{"n": "x", "age": 3, "g": {"k": 1}}, {"n": "Y", "age": 1, "g": {"k": 2}}, {"n": "z", "age": 3, "g": {"k": 1}}],
	"f": 1.5, "none": null, "html": "<b>&\"'"}`

// render gives the text of a template, or its problem.
func render(t require.TestingT, src string) (string, *problem.Problem) {
	tm, p := jinja2.Parse("t/t", src)
	if p != nil {
		return "", p
	}
	th := python.NewThread(&py.World{})
	defer th.Close()
	data, err := th.JSON(names)
	require.NoError(t, err)
	vars := map[string]py.Value{}
	for _, item := range data.(*starlark.Dict).Items() {
		vars[string(item[0].(starlark.String))] = item[1]
	}
	return tm.Render(th, vars, func(file string) (*jinja2.Template, *problem.Problem) {
		src, ok := files[file]
		if !ok {
			return nil, nil
		}
		return jinja2.Parse(file, src)
	})
}

// recorded reads what the real Jinja2 3.1 gives: "template", a line "=>", "text" or
// "fails", and a line "====".
func recorded(t require.TestingT) [][2]string {
	data, err := os.ReadFile("testdata/recorded.txt")
	require.NoError(t, err)
	var out [][2]string
	for _, c := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n====\n") {
		src, want, ok := strings.Cut(c, "\n=>\n")
		require.True(t, ok, c)
		out = append(out, [2]string{src, want})
	}
	return out
}

func TestRecorded(t *testing.T) {
	for _, c := range recorded(t) {
		got, p := render(t, c[0])
		if p != nil {
			got = "fails"
		}
		require.Equal(t, c[1], got, "%s: %v", c[0], p)
	}
}

// Line ends are those of Unix, as Jinja2 makes them.
func TestLineEnds(t *testing.T) {
	got, p := render(t, "a\r\n{% if true %}\r\nb{% endif %}\rc")
	require.Nil(t, p)
	require.Equal(t, "a\n\nb\nc", got)
}

func TestProblems(t *testing.T) {
	for src, want := range map[string]string{
		"\n{{ missing.x }}":                               "t/t:2: UndefinedError: 'missing' is undefined",
		"\n{% if name %}\n\n{{ 1 / 0 }}":                  "t/t:2: the template cannot be used: if is not closed: endif is missing",
		"{{ d.x.y }}":                                     "t/t:1: UndefinedError: 'dict object' has no attribute 'x'",
		"{% include 'late' %}":                            "t/late:3: ZeroDivisionError: ",
		"a\n{% include 'bad' %}":                          "t/bad:2: the template cannot be used: expected an expression, found the end of the tag",
		"a\n{% include 'nope' %}":                         "t/t:2: TemplateNotFound: nope",
		"{% include 'again' %}":                           "t/again:1: calls nest too deep: a recursion without end",
		"{% extends 'derived' %}":                         "t/derived:1: calls nest too deep: a recursion without end",
		"{% macro r() %}{{ r() }}{% endmacro %}{{ r() }}": "t/t:1: calls nest too deep: a recursion without end",
		"{% for i in range(10**9) %}{% endfor %}":         "t/t:1: too much memory",
		"{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}": "t/t:1: too m",
		"{% set x = 'a' * 10**7 %}{% for i in range(100) %}{{ x }}{% endfor %}":        "t/t:1: too much memory",
		"{{ 'a' | indent(10**9) }}": "t/t:1: too much memory",
		"{{ items|random }}":        "t/t:1: the filter random is not available in templates",
		"{{ " + strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200) + "}}": "t/t:1: the template cannot be used: too deeply nested",
		strings.Repeat("{% if 1 %}", 200):                                        "t/t:1: the template cannot be used: too deeply nested",
		"\n\n{{ name | nofilter }}":                                              "t/t:3: the template cannot be used: no filter named \"nofilter\"",
		"\xff":                                                                   "t/t: the template cannot be used: it is not UTF-8",
	} {
		_, p := render(t, src)
		require.NotNil(t, p, src)
		require.Contains(t, p.Error(), want, src)
	}
}

func FuzzTemplates(f *testing.F) {
	for _, c := range recorded(f) {
		f.Add(c[0])
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1000 {
			return
		}
		text, p := render(t, src)
		require.True(t, p == nil || text == "")
	})
}
