// SPDX-License-Identifier: Apache-2.0

package hostset_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/review/hostset"
)

func names(format string, from, to int) []string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ names, want []string }{
		{names("web%03d", 1, 240), []string{"web[001-240]"}},
		{names("web%d", 8, 12), []string{"web[8-9]", "web[10-12]"}},
		{[]string{"edge19", "edge07"}, []string{"edge[07,19]"}},
		{[]string{"edge07", "edge07"}, []string{"edge07"}},
		{names("web%02d.dc1.example", 1, 3), []string{"web[01-03].dc1.example"}},
		{[]string{"db.dc1.example", "db.dc2.example"}, []string{"db.dc[1-2].example"}},
		{[]string{"mail", "a[1-2]"}, []string{"a[1-2]", "mail"}},
		{[]string{"x99999999999999999999", "10.0.0.1"}, []string{"10.0.0.1", "x99999999999999999999"}},
		{nil, []string{}},
	} {
		require.Equal(t, c.want, hostset.Fold(c.names))
	}
}

func TestUnfoldGivesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOf(rapid.StringMatching(`[a-z]{0,2}[0-9]{0,3}(-[a-b])?(\.dc[12])?`)).Draw(t, "names")
		folded := hostset.Fold(in)
		out, err := hostset.Unfold(folded)
		require.NoError(t, err)
		slices.SortFunc(in, hostset.Compare)
		slices.SortFunc(out, hostset.Compare)
		require.Empty(t, slices.Compare(slices.Compact(in), out))
	})
}

func TestUnfoldIsBounded(t *testing.T) {
	_, err := hostset.Unfold([]string{"a[000000000-999999999]"})
	require.ErrorContains(t, err, "stands for more than")
	_, err = hostset.Unfold([]string{"a[0-18446744073709551615]"})
	require.NoError(t, err, "numbers of different width are no range")
}

func fleet() ([]string, [][]string) {
	hosts := append(names("db%d", 1, 3), names("web%02d", 1, 40)...)
	groups := make([][]string, len(hosts))
	for i, h := range hosts {
		groups[i] = []string{"all", h[:2] + "-role", h[:2]}
	}
	return hosts, groups
}

func members(from, to int, without ...int) []int32 {
	var out []int32
	for i := from; i <= to; i++ {
		if !slices.Contains(without, i) {
			out = append(out, int32(i))
		}
	}
	return out
}

func TestLabels(t *testing.T) {
	hosts, groups := fleet()
	n := hostset.NewNamer(hosts, groups)
	n.Call(members(0, 20), "all changed hosts")
	for want, set := range map[string][]int32{
		"group we: web[01-40]":          members(3, 42),
		"group we except web17":         members(3, 42, 19),
		"group all":                     members(0, 42),
		"all changed hosts":             members(0, 20),
		"db1":                           members(0, 0),
		"db[1-2]":                       members(0, 1),
		"db[1-2], web[01-02]":           {0, 1, 3, 4},
		"group we except web[01,39-40]": members(4, 40),
	} {
		got := n.Set(set)
		require.Equal(t, len(set), got.Len())
		require.Equal(t, want, got.Label)
	}
}

func TestCapCountsTheRest(t *testing.T) {
	all := append(names("a%d.x", 1, 9), names("b%02d.y", 1, 30)...)
	require.Equal(t, "a[1-9].x, +30 more", hostset.Cap(hostset.Fold(all), all, 9))
	require.Equal(t, "a1.x, +38 more", hostset.Cap(hostset.Fold(all), all, 4))
	require.Equal(t, "a[1-9].x, b[01-30].y", hostset.Cap(hostset.Fold(all), all, 40))
}
