// SPDX-License-Identifier: Apache-2.0

package deb_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// fetching stands in for apt-helper, which would write to the host: the rest is real.
type fetching struct {
	inside
	repo  string
	calls [][]string
	fails bool
}

func (f *fetching) Run(ctx context.Context, c system.Command) (system.Result, error) {
	if c.Args[0] == "/usr/lib/apt/apt-helper" {
		f.calls = append(f.calls, c.Args)
		if f.fails {
			return system.Result{Exit: 100, Tail: []byte("E: Failed to fetch it\n")}, nil
		}
		return system.Result{}, nil
	}
	c.Args = slices.Clone(c.Args)
	for i, a := range c.Args {
		if len(f.calls) > 0 && filepath.Dir(a) == "/var/cache/apt/archives" {
			c.Args[i] = f.repo + "/one_1.0-1.deb"
		}
	}
	return f.inside.Run(ctx, c)
}

// A file that has an address is fetched by apt's own helper, once it is needed.
func TestFetched(t *testing.T) {
	t.Parallel()
	repo := archive(t)
	m := root(t, repo)
	f := &fetching{inside: m.Processes.(inside), repo: repo}
	m.Processes = f
	one := items(pack("name=one", "version=1.0-1", "srcs=old", "multiarch=all", "uri=https://example.org", "simplefile=%(src)s/one-%(arch)s.deb"))[0]
	out, err := newDriver(t, m).Apply(t.Context(), one, false)
	require.NoError(t, err)
	require.False(t, out.Changed)
	require.Empty(t, f.calls)
	f.fails = true
	_, err = newDriver(t, m).Apply(t.Context(), one, true)
	require.ErrorContains(t, err, "Failed to fetch it")
	f.fails = false
	out, err = newDriver(t, m).Apply(t.Context(), one, true)
	require.NoError(t, err)
	require.True(t, out.Changed)
	require.Len(t, f.calls, 2)
	require.Equal(t, []string{"download-file", "https://example.org/old/one-all.deb"}, f.calls[1][3:5])
	require.NoFileExists(t, f.calls[1][5])
	_, err = os.Stat(f.dir + "/usr/share/one/data")
	require.NoError(t, err)
}
