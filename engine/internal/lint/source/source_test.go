// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/lint/source"
	"github.com/bindery/bindery/engine/problem"
)

// Every place where a secret may stand, with the lines that may be shown of it.
func TestSourceMasksSecrets(t *testing.T) {
	info := func(attrs string) string { return "<FileInfo><Info " + attrs + "/></FileInfo>" }
	for name, c := range map[string]struct {
		file, text string
		also       map[string]string
		want       string // "" where nothing may be shown
	}{
		"password":            {"Metadata/clients.xml", `<Client password="canary" profile='x'/>`, nil, `<Client password="***" profile='x'/>`},
		"password of 2 lines": {"Metadata/clients.xml", "<Client password='can\nary' profile='x'/>", nil, "<Client password='***\n***' profile='x'/>"},
		"open password":       {"Metadata/clients.xml", "<Client password='canary\n profile=canary", nil, "<Client password='***\n***"},
		"encrypted":           {"Properties/p.xml", `<a encrypted="site">canary</a><b>c</b>`, nil, `<a encrypted="site">***</a><b>c</b>`},
		"encrypted CDATA":     {"Properties/p.xml", `<a encrypted="site"><![CDATA[canary <b>]]></a>c`, nil, `<a encrypted="site">***</a>c`},
		"never closed":        {"Properties/p.xml", "<a encrypted='site'>canary\ncanary", nil, "<a encrypted='site'>***\n***"},
		"passphrase":          {"Cfg/k/privkey.xml", `<Passphrase>canary</Passphrase>`, nil, `<Passphrase>***</Passphrase>`},
		"sensitive entry":     {"Rules/r.xml", `<Path name="/x" sensitive="true">canary</Path>`, nil, `<Path name="/x" sensitive="true">***</Path>`},
		"mode of an entry":    {"Rules/r.xml", `<Path name="/x" mode="0600">canary</Path>`, nil, `<Path name="/x" mode="0600">***</Path>`},
		"perms of an entry":   {"Rules/r.xml", `<Path name="/x" perms="600">canary</Path>`, nil, `<Path name="/x" perms="600">***</Path>`},
		"public entry":        {"Rules/r.xml", `<Path name="/x" mode="0644">text</Path>`, nil, `<Path name="/x" mode="0644">text</Path>`},
		"JSON":                {"Properties/p.json", `{"db_password": "canary", "b": 1}`, nil, `{"db_password": "***", "b": 1}`},
		"YAML":                {"Properties/p.yaml", "api_key: canary\nb: 1", nil, "api_key: ***\nb: 1"},
		"encrypted file":      {"Cfg/etc/x/x.crypt", "canary", nil, ""},
		"encrypted template":  {"Cfg/etc/x/x.G10_g.crypt.genshi", "canary", nil, ""},
		"age file":            {"Cfg/etc/x/x.age", "canary", nil, ""},
		"private key":         {"Bundler/b.xml", "<!-- -----BEGIN RSA PRIVATE KEY-----\ncanary -->", nil, ""},
		"private mode":        {"Cfg/etc/x/x", "canary", map[string]string{"Cfg/etc/x/info.xml": info(`mode="0600"`)}, ""},
		"sensitive file":      {"Cfg/etc/x/x", "canary", map[string]string{"Cfg/etc/x/info.xml": info(`sensitive="True"`)}, ""},
		"broken info.xml":     {"Cfg/etc/x/x", "canary", map[string]string{"Cfg/etc/x/info.xml": "<FileInfo>"}, ""},
		"old info":            {"Cfg/etc/x/x", "canary", map[string]string{"Cfg/etc/x/:info": "owner: root\nperms: 600\n"}, ""},
		"info.xml itself":     {"Cfg/etc/x/info.xml", info(`mode="0600"`), nil, info(`mode="0600"`)},
		"public file":         {"Cfg/etc/x/x", "text", map[string]string{"Cfg/etc/x/info.xml": info(`mode="0644"`)}, "text"},
		"binary":              {"Cfg/etc/x/x", "a\x00b", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{c.file: {Data: []byte(c.text)}}
			for n, data := range c.also {
				fsys[n] = &fstest.MapFile{Data: []byte(data)}
			}
			lines := source.New(fsys)
			var got []string
			for line := 1; ; line++ {
				text, _, ok := lines.Line(problem.Pos{File: c.file, Line: line, Column: 1})
				if !ok {
					break
				}
				got = append(got, text)
			}
			require.Equal(t, c.want, strings.Join(got, "\n"))
			require.NotContains(t, strings.Join(got, "\n"), "canary")
		})
	}
}

// The caret stays below its character when what stands before it was masked.
func TestSourceMovesColumns(t *testing.T) {
	line := `<Client password="a long canary" profile="x"/>`
	lines := source.New(fstest.MapFS{"c.xml": {Data: []byte(line)}})
	for column, want := range map[int]byte{
		1:                                  '<',
		9:                                  'p',
		strings.Index(line, "canary") + 1:  '*',
		strings.Index(line, "profile") + 1: 'p',
	} {
		got, at, ok := lines.Line(problem.Pos{File: "c.xml", Line: 1, Column: column})
		require.True(t, ok)
		require.Equal(t, string(want), string(got[at-1]), "column %d of %s", column, got)
	}
	for _, pos := range []problem.Pos{{File: "c.xml"}, {File: "c.xml", Line: 9}, {File: "absent", Line: 1}, {File: "../c.xml", Line: 1}} {
		_, _, ok := lines.Line(pos)
		require.False(t, ok)
	}
}
