// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every table is on one page, and history speaks of attributes that a table has.
func TestPagesAreComplete(t *testing.T) {
	s := New()
	require.ElementsMatch(t, slices.Collect(maps.Keys(s.schemas)), Kinds())
	for key, text := range history() {
		element, kind, _ := strings.Cut(key, "@")
		for one := range strings.FieldsSeq(text) {
			name, _, _ := strings.Cut(one, ":")
			known := false
			for _, table := range s.schemas {
				e := table.Elements[element]
				known = known || e != nil && (kind == "" || kind == table.Name) && find(e.Attrs, name) != nil
			}
			require.True(t, known, "%s/%s", key, name)
		}
	}
}
