// SPDX-License-Identifier: Apache-2.0

package pattern_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/pattern"
)

func TestPatternsAreCompiledWhenTheyAreUsed(t *testing.T) {
	bad := pattern.Of(`(`)
	require.Panics(t, func() { bad.MatchString("") }, "and not before")

	p := pattern.Of(`^([a-z]+)-([0-9]+)$`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !p.MatchString("a-1") || p.MatchString("a-1\n") {
				t.Error("it does not say what regexp says")
			}
		})
	}
	all.Wait()
	require.Equal(t, []string{"ab-12", "ab", "12"}, p.FindStringSubmatch("ab-12"))
	require.Nil(t, p.FindStringSubmatch("12-ab"))
}
