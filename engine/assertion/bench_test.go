// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/fixtures/fleet"
)

// BenchmarkCheck holds a fleet with templates, both sides of which are built anew and so
// share nothing, against twenty assertions of every kind.
func BenchmarkCheck(b *testing.B) {
	var rules strings.Builder
	rules.WriteString("assertions:\n")
	for i := range 5 {
		fmt.Fprintf(&rules, "  - {name: lines %d, entry: 'Path:/etc/*%d*', no_lines_match: ['^never %[1]d']}\n", i, i)
		fmt.Fprintf(&rules, "  - {name: attributes %d, entry: 'Path:*', attributes_match: {name: '^/'}, hosts: ['*%[1]d*']}\n", i)
		fmt.Fprintf(&rules, "  - {name: kept %d, entry: '*:*', kept: true}\n", i)
		fmt.Fprintf(&rules, "  - {name: limit %d, max_changed: %[1]d0%%}\n", i)
	}
	f, err := fleet.New(fleet.Options{Hosts: 300, Seed: 1, Templates: true})
	require.NoError(b, err)
	in := assertion.Input{Hosts: make([]assertion.Host, len(f.Hosts))}
	in.Head = read(b, rules.String())
	in.Base = in.Head
	for _, head := range []bool{false, true} {
		spec, err := engine.Open(b.Context(), f.Tree, engine.Options{})
		require.NoError(b, err)
		var inputs []engine.Input
		for _, h := range f.Hosts {
			inputs = append(inputs, engine.Input{Host: h})
		}
		results, err := spec.All(b.Context(), inputs)
		require.NoError(b, err)
		for i, r := range results {
			h := &in.Hosts[i]
			h.Name = r.Host
			if head {
				h.Head, h.Groups, h.InHead = r.Config, r.Groups, true
			} else {
				h.Base, h.BaseGroups, h.InBase = r.Config, r.Groups, true
			}
		}
	}
	for b.Loop() {
		require.Empty(b, check(b, in).Findings)
	}
}
