// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/fixtures/canarytest"
)

const metadataClients = `<Clients><Client name="web1" profile="web"/><Client name="db1" profile="db"/></Clients>`

func metadataGroups() string {
	return `<Groups><Group name="db" profile="true"><Bundle name="db"/></Group><Group name="web" profile="true"><Bundle name="` +
		strings.Join(canarytest.Bundles, `"/><Bundle name="`) + `"/></Group></Groups>`
}

// A secret that is kept in every way there is shows in the literal configuration
// and in no other output of any command.
func TestACanaryInTheOutputOfCommands(t *testing.T) {
	k := canarytest.NewKeys(t)
	keys := []string{"--identity", k.Identity, "--passphrases", k.Passphrases, "--sops", k.SOPS}
	words := []string{`CANARY<&"one7f3k>`, `CANARY<&"two9q2z>`}
	dirs := []string{t.TempDir(), t.TempDir()}
	for i, word := range words {
		files := k.Files(t, word)
		files["Metadata/clients.xml"], files["Metadata/groups.xml"] = metadataClients, metadataGroups()
		files["Bundler/db.xml"] = "<Bundle/>\n"
		canarytest.Write(t, dirs[i], files)
	}
	out := t.TempDir()
	command := func(args ...string) string {
		var stdout, stderr bytes.Buffer
		run(t.Context(), args, streams{Out: &stdout, Err: &stderr})
		return stdout.String() + stderr.String()
	}
	shown := map[string]string{
		"build --all": command(append([]string{"build", "--spec", dirs[0], "--all", "--out", out}, keys...)...),
	}
	for _, name := range []string{"problems.json", "db1.xml"} {
		data, err := os.ReadFile(filepath.Join(out, name))
		require.NoError(t, err)
		shown["build "+name] = string(data)
	}
	for _, given := range [][]string{keys, nil} {
		for _, format := range []string{"text", "markdown", "json"} {
			shown["diff "+format] += command(append([]string{"diff", "--spec-dirs", dirs[0], dirs[1], "--format", format}, given...)...)
		}
		for _, format := range []string{"text", "json", "sarif", "github"} {
			shown["lint "+format] += command(append([]string{"lint", "--spec", dirs[0], "--build", "--format", format}, given...)...)
		}
	}
	entries := slices.Concat(canarytest.Entries, canarytest.Failing, []string{"/s/public", "/t/link"})
	for _, name := range entries {
		for _, format := range []string{"text", "json"} {
			shown["explain "+name] += command(append([]string{"explain", "--spec", dirs[0], "web1", "Path:" + name, "--line", "1", "--format", format}, keys...)...)
		}
	}
	for where, what := range shown {
		require.NotContains(t, what, "CANARY", where)
		for _, word := range words {
			around, found := canarytest.Find(what, word)
			require.False(t, found, "%s: %s", where, around)
		}
	}
	require.Contains(t, shown["diff text"], "/s/genshi", "the change is seen")
	require.Contains(t, shown["explain /s/public"], canarytest.Public, "what is no secret is seen")
	require.Contains(t, shown["build problems.json"], "withheld")

	literal, err := os.ReadFile(filepath.Join(out, "web1.xml"))
	require.NoError(t, err)
	_, found := canarytest.Find(string(literal), words[0])
	require.True(t, found, "the search finds what is there")
	require.Zero(t, run(t.Context(), []string{"lint", "--spec", dirs[0], "--build"}, streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}), "who lints has no keys")
	require.NotContains(t, command("lint", "--spec", dirs[0], "--build", "--strict"), "secret-key-missing")
}

// Keys that others may read are refused, and a missing file is misuse.
func TestKeysOnTheCommandLine(t *testing.T) {
	k := canarytest.NewKeys(t)
	require.NoError(t, os.Chmod(k.Identity, 0o644)) //nolint:gosec // that is what is refused
	dir := t.TempDir()
	canarytest.Write(t, dir, map[string]string{"Metadata/clients.xml": metadataClients, "Metadata/groups.xml": `<Groups><Group name="db" profile="true"/><Group name="web" profile="true"/></Groups>`})
	for _, args := range [][]string{{"--identity", k.Identity}, {"--passphrases", "/nonexistent"}, {"--passphrases", k.Identity}} {
		var stderr bytes.Buffer
		code := run(t.Context(), append([]string{"build", "--spec", dir, "--host", "web1"}, args...), streams{Out: &bytes.Buffer{}, Err: &stderr})
		require.Equal(t, exitUsage, code, stderr.String())
		require.NotContains(t, stderr.String(), "AGE-SECRET-KEY")
	}
}
