// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"maps"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem/explain"
)

// fixed gives the tree as it is with its fixes, and whether entries of before 1.0
// were among them.
func fixed(t *testing.T, fsys fstest.MapFS, fixes []engine.Fix) (fstest.MapFS, bool) {
	t.Helper()
	out, old := maps.Clone(fsys), false
	for _, f := range fixes {
		require.NotEqual(t, string(f.Before), string(f.After))
		_, p := xmltree.Parse(f.File, f.After)
		require.Nil(t, p, "%s:\n%s", f.File, f.After)
		if !f.Changes {
			out[f.File] = &fstest.MapFile{Data: f.After}
		}
		for _, e := range f.Edits {
			old = old || e.Code == "deprecated-element"
		}
	}
	return out, old
}

func digests(t *testing.T, fsys fstest.MapFS, opts engine.Options) map[string]string {
	t.Helper()
	spec, err := engine.Open(t.Context(), fsys, opts)
	require.NoError(t, err)
	out := map[string]string{}
	for _, h := range spec.Hosts() {
		r, err := spec.Build(t.Context(), engine.Input{Host: h})
		require.NoError(t, err)
		if out[h] = "refused"; r.Config != nil {
			out[h] = r.Config.Digest().String()
		}
	}
	return out
}

// No fix changes what any host of any fixture is given, but for entries of before 1.0.
func TestFixesKeepConfigurations(t *testing.T) {
	names, err := filepath.Glob("../fixtures/specs/*.txtar")
	require.NoError(t, err)
	some := 0
	for _, name := range names {
		f := readFixture(t, name)
		fixes, err := engine.Fixes(t.Context(), f.fsys, f.options)
		require.NoError(t, err, name)
		if len(fixes) == 0 {
			continue
		}
		after, old := fixed(t, f.fsys, fixes)
		if !old {
			some++
			require.Equal(t, digests(t, f.fsys, f.options), digests(t, after, f.options), name)
		}
	}
	require.Greater(t, some, 3)
}

// What a code says of --fix is so: its example has the code no more.
func TestFixesOfExamples(t *testing.T) {
	all, err := explain.All()
	require.NoError(t, err)
	some := 0
	for _, c := range all {
		if c.Mended == "" {
			continue
		}
		some++
		fsys := tree(example(c.Bad))
		fixes, err := engine.Fixes(t.Context(), fsys, engine.Options{})
		require.NoError(t, err)
		require.NotEmpty(t, fixes, c.Code)
		after, _ := fixed(t, fsys, fixes)
		found, err := engine.Lint(t.Context(), after, engine.Options{})
		require.NoError(t, err)
		for _, p := range found {
			require.NotEqual(t, c.Code, p.Code)
		}
	}
	require.Greater(t, some, 3)
}
