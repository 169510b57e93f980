// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/stretchr/testify/require"
)

// history is a repository with two branches that part after their first commit:
// main changes b, topic changes a.
func history(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	repo, err := gogit.PlainInitWithOptions(dir, &gogit.PlainInitOptions{InitOptions: gogit.InitOptions{DefaultBranch: "refs/heads/main"}})
	require.NoError(t, err)
	tree, err := repo.Worktree()
	require.NoError(t, err)
	commit := func(files map[string]string) plumbing.Hash {
		for name, text := range files {
			path := filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		require.NoError(t, tree.AddWithOptions(&gogit.AddOptions{All: true}))
		hash, err := tree.Commit("change", &gogit.CommitOptions{Author: &object.Signature{Name: "a", Email: "a@example.org", When: time.Unix(1, 0)}})
		require.NoError(t, err)
		return hash
	}
	first := commit(map[string]string{
		"Metadata/clients.xml": `<Clients><Client name="a" profile="ga"/><Client name="b" profile="gb"/></Clients>`,
		"Metadata/groups.xml": `<Groups><Group name="ga" profile="true"><Bundle name="a"/></Group>` +
			`<Group name="gb" profile="true"><Bundle name="b"/></Group></Groups>`,
		"Bundler/a.xml": `<Bundle name="a"><Path name="/a"/></Bundle>`,
		"Bundler/b.xml": `<Bundle name="b"><Path name="/b"/></Bundle>`,
		"Cfg/a/a":       "1\n", "Cfg/b/b": "1\n",
	})
	commit(map[string]string{"Cfg/b/b": "2\n"})
	require.NoError(t, tree.Checkout(&gogit.CheckoutOptions{Hash: first, Branch: "refs/heads/topic", Create: true}))
	commit(map[string]string{"Cfg/a/a": "2\n"})
	return dir
}

func TestDiffGit(t *testing.T) {
	repo := history(t)
	for revs, want := range map[string][]string{
		"main..topic":   {"a", "b"},
		"main...topic":  {"a"},
		"topic..topic":  {},
		"topic~1..main": {"b"},
	} {
		t.Run(revs, func(t *testing.T) {
			var out, problems bytes.Buffer
			code := run(t.Context(), []string{"diff", "--git", repo, revs, "--format", "json"}, streams{In: strings.NewReader(""), Out: &out, Err: &problems})
			require.Zero(t, code, problems.String())
			var report struct{ Hosts []string }
			require.NoError(t, json.Unmarshal(out.Bytes(), &report))
			require.Equal(t, want, report.Hosts)
		})
	}
}

func TestDiffGitCannotBeRead(t *testing.T) {
	for args, want := range map[string]string{
		"main..nowhere": "nowhere",
		"main":          "is not BASE..HEAD",
		"..main":        "is not BASE..HEAD",
	} {
		var out, problems bytes.Buffer
		code := run(t.Context(), []string{"diff", "--git", history(t), args}, streams{In: strings.NewReader(""), Out: &out, Err: &problems})
		require.NotZero(t, code)
		require.Contains(t, problems.String(), want)
		require.Empty(t, out.String())
	}
}
