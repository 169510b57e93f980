// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// mistaken is a generator for services with a mistake in it.
type mistaken struct{}

func (mistaken) Name() string { return "Mistaken" }

func (mistaken) Lists(n plugin.Name) bool { return n.Tag == "Service" }

func (mistaken) Handles(*memo.View, plugin.Name) bool { return false }

func (mistaken) Bind(*memo.View, *plugin.Draft) *problem.Problem {
	var list []string
	list[3] = "out of range"
	return nil
}

func TestAMistakeCostsOneEntry(t *testing.T) {
	spec, err := Open(t.Context(), fstest.MapFS{
		"Metadata/groups.xml": {Data: []byte(`<Groups><Group name="p" profile="true" default="true"><Bundle name="b"/></Group></Groups>`)},
		"Bundler/b.xml":       {Data: []byte(`<Bundle><Service name="s"/><Path name="/etc/motd"/></Bundle>`)},
		"Cfg/etc/motd/motd":   {Data: []byte("hello\n")},
	}, Options{})
	require.NoError(t, err)
	spec.plugins.Generators = append(spec.plugins.Generators, mistaken{})
	r, err := spec.Build(t.Context(), Input{Host: "a"})
	require.NoError(t, err)
	require.Len(t, r.Failures, 1)
	require.Equal(t, "internal-error", r.Failures[0].Problem.Code)
	require.Equal(t, "Bundler/b.xml:1:9: Service s could not be bound because of a mistake in Bindery: runtime error: index out of range [3] with length 0", r.Failures[0].Problem.Error())
	require.Equal(t, 2, r.Config.Entries())
}
