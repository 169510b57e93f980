// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/internal/schema"
	"github.com/bindery/bindery/engine/problem/explain"
	"github.com/bindery/bindery/internal/reference"
)

// The pages of the specification are what the tables say.
func TestReferenceSpecification(t *testing.T) {
	dir := "../docs/reference/specification"
	pages := schema.New().Pages()
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		require.NoError(t, reference.Check(filepath.Join(dir, name), pages[name]))
	}
	there, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, there, len(pages), "a page is left over")
}

// Every kind of file has an example without a finding of its table.
func TestExamplesOfSpecification(t *testing.T) {
	set := schema.New()
	for _, kind := range schema.Kinds() {
		e := schema.ExampleOf(kind)
		require.NotEmpty(t, e.Data, kind)
		files := []explain.File{{Name: e.File, Data: e.Data}}
		found, err := engine.Lint(t.Context(), tree(example(files)), engine.Options{})
		require.NoError(t, err)
		for _, p := range found {
			require.False(t, p.Pos.File == e.File && p.Pos.Line > 0, "%s: %s", kind, p)
		}
		require.Equal(t, kind, set.For(e.File, "").Name)
	}
}
