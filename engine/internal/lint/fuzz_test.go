// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/lint/source"
	"github.com/bindery/bindery/engine/problem"
)

// Whatever a pull request puts into a file, lint ends, points to places that
// exist, and shows no password.
func FuzzLint(f *testing.F) {
	f.Add(`<Groups><Group name="a" profile="true"><Bundle name="b"/></Group></Groups>`)
	f.Add(`<Bundle><Path name="/x" altsrc="/y"/><BoundPath name="/z" type="file"/></Bundle>`)
	f.Add(`<GroupPatterns><GroupPattern><NameRange>a[[1-3]]</NameRange><Group>$1</Group></GroupPattern></GroupPatterns>`)
	f.Add(`{"a": [1, 2`)
	f.Add("#!/bin/sh\necho group:${x}y\n")
	f.Add("\xef\xbb\xbf<Rules priority='1'>\n\t<Service name='日本' x='y'/></Rules>")
	names := []string{
		"Metadata/groups.xml", "Metadata/clients.xml", "Bundler/b.xml", "Rules/r.xml", "Cfg/etc/x/info.xml", "Cfg/etc/x/x.crypt",
		"GroupPatterns/config.xml", "Packages/sources.xml", "Probes/p", "Properties/p.json", "Properties/p.xml",
	}
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{}
		for _, n := range names {
			fsys[n] = &fstest.MapFile{Data: []byte(text)}
		}
		fsys["Metadata/more.xml"] = &fstest.MapFile{Data: []byte(text + "\npassword='canary'\n")}
		lines := source.New(fsys)
		for _, p := range run(t, fsys) {
			require.LessOrEqual(t, p.Pos.Line, strings.Count(text, "\n")+strings.Count(text, "\r")+4)
			if line, column, ok := lines.Line(p.Pos); ok {
				require.GreaterOrEqual(t, column, 0)
				require.NotContains(t, line, "\n")
			}
		}
		for n := 1; ; n++ {
			line, _, ok := lines.Line(problem.Pos{File: "Metadata/more.xml", Line: n, Column: 1})
			if !ok {
				break
			}
			if !strings.Contains(text, "canary") {
				require.NotContains(t, line, "canary")
			}
		}
	})
}
