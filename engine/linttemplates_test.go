// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

// A template that cannot be read is told at its line without a build, wherever a
// template may stand.
func TestLintReadsEveryTemplate(t *testing.T) {
	markup := func(root string) string {
		return "<" + root + " xmlns:py=\"http://genshi.edgewall.org/\">\n  <py:if test=\"a ==\"/>\n</" + root + ">\n"
	}
	for file, text := range map[string]string{
		"Cfg/etc/a/a.genshi":                         "a\n${a ==}\n",
		"Cfg/etc/a/a.G50_web.genshi":                 "a\n{% if a == %}{% end %}\n",
		"Cfg/etc/a/a.jinja2":                         "a\n{% if a == %}{% endif %}\n",
		"Cfg/etc/a/a.H_www.example.org.jinja2":       "a\n{% nosuch %}\n",
		"Cfg/etc/a/a.cheetah":                        "a\n#if $a ==\n#end if\n",
		"Cfg/etc/a/info.xml":                         markup("FileInfo"),
		"TGenshi/etc/a/template.txt":                 "a\n#if a ==\n#end\n",
		"TGenshi/etc/a/template.newtxt":              "a\n{% if a == %}{% end %}\n",
		"TGenshi/etc/a/template.newtxt.G10_web":      "a\n{% if a == %}{% end %}\n",
		"TGenshi/etc/a/template.xml":                 markup("a"),
		"TGenshi/etc/a/template.xml.H_a.example.org": markup("a"),
		"TCheetah/etc/a/template":                    "a\n#if $a ==\n#end if\n",
		"Bundler/a.xml":                              markup("Bundle"),
		"Bundler/a.genshi":                           markup("Bundle"),
		"SGenshi/a.xml":                              markup("Bundle"),
		"Rules/a.xml":                                markup("Rules"),
		"Defaults/a.xml":                             markup("Defaults"),
		"GroupLogic/groups.xml":                      markup("GroupLogic"),
		"Properties/a.xml":                           markup("Properties"),
	} {
		files := tree(map[string]string{
			"Metadata/groups.xml": `<Groups><Group name="web" profile="true"/></Groups>`,
			file:                  text,
		})
		found, err := engine.Lint(t.Context(), files, engine.Options{})
		require.NoError(t, err)
		var syntax []string
		for _, p := range found {
			if p.Code == "template-syntax" {
				syntax = append(syntax, p.Pos.File)
				require.Equal(t, 2, p.Pos.Line, p)
			}
		}
		require.Equal(t, []string{file}, syntax)
	}
}

// What is in an encrypted template shows where it is opened.
func TestLintLeavesEncryptedTemplates(t *testing.T) {
	for _, name := range []string{"a.genshi.crypt", "a.jinja2.crypt", "a.cheetah.age"} {
		found, err := engine.Lint(t.Context(), tree(map[string]string{
			"Metadata/groups.xml": `<Groups/>`,
			"Cfg/etc/a/" + name:   "{% if a == %}\n#if\n${a ==}",
		}), engine.Options{})
		require.NoError(t, err)
		for _, p := range found {
			require.NotEqual(t, "template-syntax", p.Code, name)
		}
	}
}
