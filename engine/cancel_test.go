// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

// stopping is a tree that cancels a context at the n-th reading below a folder, and
// counts those that come after it.
type stopping struct {
	*counted
	seen, after atomic.Int64
}

func newStopping(tree *fleet.Tree, folder string, n int64, cancel func()) *stopping {
	s := &stopping{counted: &counted{Tree: tree}}
	s.reading = func(name string) {
		if !strings.HasPrefix(name, folder) {
			return
		}
		switch seen := s.seen.Add(1); {
		case seen == n:
			cancel()
		case seen > n:
			s.after.Add(1)
		}
	}
	return s
}

// Who cancels is not kept waiting: what is counted is the work that is still done.
func TestCancelEndsWorkSoon(t *testing.T) {
	f, err := fleet.New(fleet.Options{Hosts: 60, Seed: 1, Templates: true, SSHKeys: true})
	require.NoError(t, err)
	in := make([]engine.Input, len(f.Hosts))
	for i, h := range f.Hosts {
		in[i].Host = h
	}

	t.Run("open", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		tree := newStopping(f.Tree, "Metadata/clients.xml", 1, cancel)
		_, err := engine.Open(ctx, tree, engine.Options{})
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, tree.below("Bundler/")+tree.below("Cfg/"), "no plugin is loaded")
	})
	t.Run("build", func(t *testing.T) {
		whole := newStopping(f.Tree, "SSHbase/", 1, func() {})
		_, err := open(t, whole, engine.Options{}).All(t.Context(), in)
		require.NoError(t, err)
		all := whole.seen.Load()
		require.Greater(t, all, int64(2*len(in)))

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		tree := newStopping(f.Tree, "SSHbase/", all/4, cancel)
		_, err = open(t, tree, engine.Options{}).All(ctx, in)
		require.ErrorIs(t, err, context.Canceled)
		perHost := all/int64(len(in)) + 1
		require.LessOrEqual(t, tree.after.Load(), 2*perHost*int64(runtime.GOMAXPROCS(0)), "only hosts that were begun are built")
	})
	t.Run("lint", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		quiet := &counted{Tree: f.Tree}
		spec := open(t, quiet, engine.Options{})
		tree := newStopping(f.Tree, "Bundler/", 3, cancel)
		quiet.reading = tree.reading
		_, err := spec.Lint(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.LessOrEqual(t, tree.after.Load(), int64(2), "the file at hand is read to its end")
	})
}
