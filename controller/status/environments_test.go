// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

func TestOneEnvironment(t *testing.T) {
	f, r := newFleet(t)
	ctx := t.Context()
	for _, name := range []string{"stays", "moves", "stray"} {
		f.host(t, name)
		f.release(t, name, "d", 1)
		f.report(t, name, "d", release.Report{State: release.StateClean})
		f.facts(t, name)
	}
	move := func(name, to string) {
		h, err := f.HostNamed(ctx, name)
		require.NoError(t, err)
		require.NoError(t, f.Move(ctx, "alice", h, to))
	}
	move("moves", "b")
	move("stray", "gone")
	require.NoError(t, f.PutRef(ctx, store.Ref{Repo: "o/b", Name: "refs/heads/main", Commit: "c", Outcome: "held", Detail: "why"}))
	require.NoError(t, f.PutRef(ctx, store.Ref{Repo: "o/b", Name: "refs/heads/other", Commit: "c"}))
	require.NoError(t, f.PutRef(ctx, store.Ref{Repo: "o/a", Name: "refs/pull/1", Commit: "c"}))
	for _, v := range []store.Review{{Repo: "o/a", Pull: 1, Environment: "a"}, {Repo: "o/b", Pull: 1, Environment: "b"}} {
		_, err := f.PutReview(ctx, v)
		require.NoError(t, err)
	}

	hosts, err := r.Hosts(ctx, "b")
	require.NoError(t, err)
	require.Len(t, hosts, 1)
	require.Equal(t, status.StateBehind, hosts[0].State)
	require.Equal(t, "is in b now and has nothing of it yet; it keeps its last release", hosts[0].Cause)
	require.Nil(t, hosts[0].Facts, "another's probes asked")
	all, err := r.Overview(ctx, "")
	require.NoError(t, err)
	require.Equal(t, []int{1, 1, 1}, []int{all.Environments[0].Hosts, all.Environments[1].Hosts, all.Environments[2].Hosts})
	require.Equal(t, status.Environment{Name: "gone"}, all.Environments[2].Environment)
	require.Len(t, all.Repositories, 3)
	o, err := r.Overview(ctx, "b")
	require.NoError(t, err)
	require.Equal(t, 1, o.Hosts)
	require.Len(t, o.Environments, 1)
	require.Equal(t, "held why", o.Environments[0].Outcome+" "+o.Environments[0].Detail)
	require.Len(t, o.Repositories, 1)
	releases, err := r.Releases(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, []string{"moves", "stays", "stray"}, releases[0].Hosts, "it is what is in force")
	reviews, err := r.Reviews(ctx, "b", 10, false)
	require.NoError(t, err)
	require.Len(t, reviews, 1)
	require.Equal(t, "o/b", reviews[0].Repo)
	one, err := r.Review(ctx, "o/a", 1)
	require.NoError(t, err)
	require.Equal(t, "a", one.Environment)

	for _, err := range []error{
		func() error { _, err := r.Hosts(ctx, "typo"); return err }(), func() error { _, err := r.Overview(ctx, "typo"); return err }(),
		func() error { _, err := r.Releases(ctx, "typo"); return err }(), func() error { _, err := r.Reviews(ctx, "typo", 1, false); return err }(),
		func() error { _, err := r.Review(ctx, "o/c", 1); return err }(),
	} {
		require.ErrorIs(t, err, status.ErrNotFound)
	}
	hosts, err = r.Hosts(ctx, "gone")
	require.NoError(t, err)
	require.Len(t, hosts, 1)
}
