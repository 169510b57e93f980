// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The short form of make verify-random.
func TestRandom(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, random(t.Context(), &out, 120, 1))
	require.Contains(t, out.String(), "120 revisions: ")
}

// The short form of make verify-history, with the program itself.
func TestRevisions(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is needed: apt-get install git")
	}
	bindery := filepath.Join(t.TempDir(), "bindery")
	build, err := exec.CommandContext(t.Context(), "go", "build", "-o", bindery, "../../cmd/bindery").CombinedOutput()
	require.NoError(t, err, string(build))
	var out bytes.Buffer
	r := revisions{bindery: bindery, rev: "HEAD", n: 6, seed: 1}
	require.NoError(t, r.run(t.Context(), &out))
	require.Contains(t, out.String(), "6 diffs ")

	r = revisions{bindery: "/bin/false", rev: "HEAD", n: 1, seed: 1}
	require.ErrorContains(t, r.run(t.Context(), &out), "bindery build")
}

const host = `<Configuration version="2.0"><Bundle name="a">` +
	`<Package name="p" type="deb" version="1"/><Path name="/x" type="file">one</Path><Service name="s" failure="none"/></Bundle><Independent/></Configuration>`

func hosts(t *testing.T, replace ...string) map[string]*built {
	t.Helper()
	b, err := read([]byte(strings.NewReplacer(replace...).Replace(host)))
	require.NoError(t, err)
	b.probes["arch"] = "echo"
	return map[string]*built{"h": b, "refused": {}}
}

// The comparison that holds nothing of the review finds each kind of change, and
// notices a report that says less or more.
func TestExpect(t *testing.T) {
	base := hosts(t)
	require.Empty(t, expect(base, hosts(t)).hosts)
	for _, c := range []struct{ from, to, want string }{
		{"one", "two", "h: Path /x modified"},
		{`type="deb"`, `type="rpm"`, "h: Package p modified"},
		{`<Path name="/x" type="file">one</Path>`, "", "h: Path /x removed"},
		{"<Independent/>", "<Independent><Path name='/y'/></Independent>", "h: Path /y added"},
		{"<Independent/>", "", "h: Independent  removed"},
		{"<Independent/>", "<Bundle name='n'/><Independent/>", "h: Bundle n added"},
		{`name="a"`, `name="b"`, "h: Path /x moved"},
		{`failure="none"`, "", "h: Service s fixed"},
		{`failure="none"`, `failure="other"`, ""},
		{`version="1"`, `failure="none"`, "h: Package p failed"},
	} {
		got := expect(base, hosts(t, c.from, c.to))
		if c.want == "" {
			require.Empty(t, got.changes)
			continue
		}
		require.Contains(t, got.changes, c.want, c.to)
		require.Contains(t, got.hosts, "h")
		none := &said{map[string]bool{}, map[string]bool{}}
		require.NotEmpty(t, none.differ(got))
		require.NotEmpty(t, got.differ(none))
	}
	came := hosts(t)
	came["new"] = hosts(t, ">one<", ">three<")["h"]
	require.Equal(t, map[string]bool{"new: Path /x added": true}, expect(base, came).changes)
	require.Equal(t, map[string]bool{"new": true}, expect(base, came).hosts)
	require.Equal(t, map[string]bool{"new": true}, expect(came, base).hosts)
}

func TestUsage(t *testing.T) {
	var out bytes.Buffer
	require.ErrorContains(t, run(t.Context(), nil, &out), "history random")
	require.ErrorContains(t, run(t.Context(), []string{"x"}, &out), "unknown")
	require.Error(t, run(t.Context(), []string{"random", "-x"}, &out))
	require.ErrorContains(t, random(t.Context(), &out, 1, 1), "too poor")
}
