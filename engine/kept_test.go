// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

// Whoever goes from revision to revision keeps the last one and none before it,
// although most of its results were made long ago.
func TestResultsKeepNoOldRevision(t *testing.T) {
	f, err := fleet.New(fleet.Options{Hosts: 10, Seed: 3, Templates: true, SSHKeys: true})
	require.NoError(t, err)
	parsed := engine.NewCache(engine.CacheSize)
	in := make([]engine.Input, len(f.Hosts))
	for i, h := range f.Hosts {
		in[i].Host = h
	}
	var specs []weak.Pointer[engine.Spec]
	var trees []weak.Pointer[fleet.Tree]
	name := ""
	for name == "" || len(specs) < 6 {
		spec := open(t, f.Tree, engine.Options{Cache: parsed})
		results, err := spec.All(t.Context(), in)
		require.NoError(t, err)
		for i, r := range results {
			in[i].Last = r
			for _, e := range r.Config.Keyed() {
				if strings.HasSuffix(e.Entry.BoundAt.File, ".genshi") && name == "" {
					name = e.Entry.BoundAt.File
				}
			}
		}
		specs, trees = append(specs, weak.Make(spec)), append(trees, weak.Make(f.Tree))
		f = f.Replace(name, append(slices.Clone(f.Tree.Files()[name]), fmt.Sprintln("change", len(specs))...))
	}
	for range 3 {
		runtime.GC()
	}
	for i := range len(specs) - 1 {
		require.Nil(t, specs[i].Value(), "specification %d", i)
		require.Nil(t, trees[i].Value(), "tree %d", i)
	}
	runtime.KeepAlive(in)
}
