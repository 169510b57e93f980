// SPDX-License-Identifier: Apache-2.0

package explain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/problem/explain"
)

// Every finding of Bcfg2 has a code here or a reason, and every name that a code
// takes from there is in the list.
func TestFindingsOfBcfg2(t *testing.T) {
	all, err := explain.All()
	require.NoError(t, err)
	codes, listed := map[string]bool{}, map[string]bool{}
	for _, c := range all {
		codes[c.Code] = true
	}
	for _, f := range explain.Findings(all) {
		require.NotEqual(t, len(f.Codes) > 0, f.Why != "", "%s %s%s", f.Program, f.Name, f.What)
		for _, code := range f.Codes {
			require.True(t, codes[code], code)
		}
		if f.Name != "" {
			require.False(t, listed[f.Name], f.Name)
			listed[f.Name] = true
		}
	}
	for _, c := range all {
		for _, name := range c.Bcfg2 {
			require.True(t, listed[name], "%s is no finding of Bcfg2", name)
		}
	}
}
