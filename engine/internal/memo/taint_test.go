// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What was computed with a secret taints whoever gets it, also where it was
// remembered, and nobody else.
func TestTaintFollowsTheValue(t *testing.T) {
	var outer, inner Tree[string]
	get := func(groups ...int) bool {
		v := NewView(hostIn("a", groups...))
		outer.Get(v, func(v *View) string {
			if v.InGroup(1) {
				return inner.Get(v, func(v *View) string {
					v.Taint()
					return "secret"
				})
			}
			return "public"
		})
		return v.Tainted()
	}
	for range 2 {
		require.True(t, get(1))
		require.False(t, get())
		require.True(t, get(1, 2))
	}
}

func TestTaintOfOwnValues(t *testing.T) {
	var tree Tree[string]
	v := NewView(hostIn("a"))
	tree.Get(v, func(v *View) string {
		v.Name()
		v.Taint()
		return "secret"
	})
	require.True(t, v.Tainted())
}

func TestTaintOfAnotherHost(t *testing.T) {
	var tree, others Tree[string]
	v := NewView(hostIn("a"))
	read := func(v *View) {
		others.Get(v.About(hostIn("b")), func(v *View) string { v.About(hostIn("c")).Taint(); return "" })
	}
	for range 2 {
		require.True(t, v.Apart(func() { tree.Get(v, func(v *View) string { read(v); return "" }) }))
	}
}

func TestTaintApart(t *testing.T) {
	v := NewView(hostIn("a"))
	require.False(t, v.Apart(func() {}))
	require.True(t, v.Apart(v.Taint))
	require.False(t, v.Apart(func() {}))
	require.True(t, v.Tainted())
}
