// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/fixtures/site"
)

// Ten lines of the sample site, each traced to what wrote it. BINDERY_UPDATE=1
// writes the golden file.
func TestExplainTracesTenLines(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, site.Site()))
	facts := dir + "/facts.json"
	require.NoError(t, os.WriteFile(facts, []byte(`{"db2.example.org": {"release": "group:bookworm\n", "hardware": "group:virtual\n"}}`), 0o600))
	var got bytes.Buffer
	for _, c := range []struct {
		host, entry string
		line        int
	}{
		{"web1.example.org", "Path:/etc/nginx/nginx.conf", 4},
		{"web1.example.org", "Path:/srv/www/shop/canary.html", 1},
		{"web2.example.org", "Path:/etc/nginx/conf.d/pool.conf", 2},
		{"web2.example.org", "Path:/etc/nginx/conf.d/pool.conf", 4},
		{"web1.example.org", "Path:/etc/nginx/conf.d/pool.conf", 5},
		{"db2.example.org", "Path:/etc/issue.net", 2},
		{"db2.example.org", "Path:/etc/apt/sources.list.d/debian.sources", 1},
		{"db1.example.org", "Path:/etc/postgresql/replication.pass", 1},
		{"mail2.example.org", "Path:/etc/postfix/main.cf", 3},
		{"mail2.example.org", "Path:/etc/mailname", 1},
	} {
		var out, bad bytes.Buffer
		code := run(t.Context(), []string{"explain", "--spec", dir, "--probe-data", facts, c.host, c.entry, "--line", strconv.Itoa(c.line)}, streams{Out: &out, Err: &bad})
		require.Equal(t, exitOK, code, bad.String())
		fmt.Fprintf(&got, "== %s %s, line %d\n%s\n", c.host, c.entry, c.line, out.String())
	}
	const golden = "testdata/explain.golden"
	if os.Getenv("BINDERY_UPDATE") != "" {
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}
