// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

// A host can be built as if it were in other groups: those that hang on them come and
// go too, and a category is taken only once.
func TestAsIf(t *testing.T) {
	spec, err := engine.Open(t.Context(), fstest.MapFS{
		"Metadata/clients.xml": {Data: []byte(`<Clients><Client name="h" profile="p"/></Clients>`)},
		"Metadata/groups.xml": {Data: []byte(`<Groups><Group name="p" profile="true"><Group name="blue"/></Group>
			<Group name="blue" category="colour"><Group name="sky"/></Group><Group name="sky"/>
			<Group name="red" category="colour"/><Group name="extra"><Group name="more"/></Group><Group name="more"/></Groups>`)},
	}, engine.Options{})
	require.NoError(t, err)
	for _, c := range []struct {
		join, leave, want []string
	}{
		{nil, nil, []string{"blue", "p", "sky"}},
		{[]string{"extra"}, nil, []string{"blue", "extra", "more", "p", "sky"}},
		{[]string{"red"}, nil, []string{"blue", "p", "sky"}},
		{[]string{"red"}, []string{"blue"}, []string{"p", "red"}},
		{nil, []string{"sky"}, []string{"blue", "p"}},
		{[]string{"nowhere"}, []string{"blue"}, []string{"nowhere", "p"}},
	} {
		r, err := spec.Build(t.Context(), engine.Input{Host: "h", Join: c.join, Leave: c.leave})
		require.NoError(t, err)
		require.Nil(t, r.Refused)
		require.Equal(t, c.want, r.Groups, "join %v, leave %v", c.join, c.leave)
	}
}
