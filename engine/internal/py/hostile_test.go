// SPDX-License-Identifier: Apache-2.0

package py_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/fixtures/hostile"
)

// quick are the cases that end soon even under the race detector; "make hostile"
// runs them all.
var quick = []string{
	"while without end", "long text", "text that doubles", "list of 10**12", "growing dictionary", "growing numbers", "power of power", "shift",
	"long digits", "recursion", "recursion by getattr", "recursion by eval", "recursion by exec", "many percent widths", "many format widths", "ljust",
	"expandtabs", "join", "replace", "replace nothing", "translate", "split", "split at blanks", "list of characters", "range", "nested lists",
	"deep json", "generators nested", "repeat counts", "long pattern", "parentheses", "brackets", "unary", "long sum", "attributes", "hex",
	"text of numbers", "product of numbers", "division of numbers", "printf key",
}

func TestHostile(t *testing.T) {
	seen := 0
	for _, c := range hostile.Cases() {
		if !slices.Contains(quick, c.Name) {
			continue
		}
		seen++
		code, _, _ := strings.Cut(strings.TrimPrefix(c.Template, "{% python\n"), "\n%}")
		got := run(code + "\nout = 'it ended'")
		require.NotContains(t, got, "it ended", c.Name)
		require.Regexp(t, `^(limit at )?line [1-9]`, got, c.Name)
		require.Less(t, len(got), 4000, c.Name)
	}
	require.Equal(t, len(quick), seen)
}
