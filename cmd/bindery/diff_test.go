// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
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

// ending is a context that ends once it was asked so often.
type ending struct {
	context.Context
	asked atomic.Int64
	end   int64
	// told is who asked first after the end.
	told atomic.Pointer[[]byte]
}

func (e *ending) Err() error {
	if e.asked.Add(1) > e.end {
		by := debug.Stack()
		e.told.CompareAndSwap(nil, &by)
		return context.Canceled
	}
	return e.Context.Err()
}

// Who presses Ctrl-C while hosts are compared waits no longer than while they are built.
func TestDiffInterrupted(t *testing.T) {
	repo := history(t)
	diff := func(end int64) (code int, ctx *ending, out string) {
		ctx = &ending{Context: t.Context(), end: end}
		var stdout, stderr bytes.Buffer
		code = run(ctx, []string{"diff", "--git", repo, "main~1..main"}, streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
		return code, ctx, stdout.String()
	}
	code, whole, out := diff(1 << 30)
	require.Zero(t, code)
	require.NotEmpty(t, out)
	asked := whole.asked.Load()
	for end := asked - 3; end < asked; end++ {
		code, ctx, out := diff(end)
		require.Equal(t, exitInterrupted, code)
		require.Empty(t, out)
		require.Contains(t, string(*ctx.told.Load()), "engine/review.New")
	}
}
