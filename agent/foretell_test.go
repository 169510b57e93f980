// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// A dry run names the actions and services that the run after it runs and tells, and no
// others.
func TestDryRunForetells(t *testing.T) {
	t.Parallel()
	service := func(name string, words ...string) config.Entry {
		return agenttest.Entry("Service", "", append(words, "name="+name, "type=systemd", "status=on")...)
	}
	bundles := func(a, b, c, i string) []*config.Bundle {
		return []*config.Bundle{
			agenttest.Structure("Bundle", "a", agenttest.File("/a", a), action("a-pre", "timing=pre"), action("a-both", "timing=both"), service("sa"), service("free", "restart=false")),
			agenttest.Structure("Bundle", "b", agenttest.File("/b", b), action("b-post", "timing=post"), action("b-always", "timing=post", "when=always"), service("sb"), service("sa")),
			agenttest.Structure("Bundle", "c", agenttest.File("/c", c), agenttest.Entry("Bundle", "", "name=a"), action("c-post", "timing=post"), service("sc")),
			agenttest.Structure("Bundle", "kept", agenttest.File("/kept", a), action("kept", "timing=post", "when=always")),
			agenttest.Structure("Bundle", "d", agenttest.File("/d", "x"), action("d-pre", "timing=pre", "when=always"), action("d-post", "timing=post"), service("sd")),
			agenttest.Structure("Independent", "", agenttest.File("/i", i), action("i-post", "timing=post"), action("i-always", "timing=both", "when=always"), service("si")),
		}
	}
	for name, c := range map[string]struct {
		bundles []*config.Bundle
		choice  choice.Choice
	}{
		"nothing":        {bundles("1", "1", "1", "1"), choice.Choice{}},
		"one":            {bundles("1", "2", "1", "1"), choice.Choice{}},
		"one followed":   {bundles("2", "1", "1", "1"), choice.Choice{}},
		"independent":    {bundles("1", "1", "1", "2"), choice.Choice{}},
		"all":            {bundles("2", "2", "2", "2"), choice.Choice{}},
		"a part":         {bundles("2", "2", "2", "2"), choice.Choice{Bundles: []string{"b"}}},
		"an entry":       {bundles("2", "2", "2", "2"), choice.Choice{Entries: []string{"Path:/b"}}},
		"an action kept": {bundles("2", "2", "2", "2"), choice.Choice{Decision: choice.Blacklist}},
	} {
		t.Run(name, func(t *testing.T) {
			n, files, _ := memory(t)
			n.config.Decision = c.choice.Decision
			n.open()
			for _, name := range []string{"/run", "/run/systemd", "/run/systemd/system"} {
				require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: name, Mode: 0o755}))
			}
			var ran []string
			n.config.Machine.Processes.(*systemtest.Processes).Answer = units(&ran)
			policy := release.Policy{Report: []string{"kept"}, Blacklist: [][2]string{{"Action", "a-pre"}}}
			n.Publish(n.hostID, agenttest.Release{Bundles: bundles("1", "1", "1", "1"), Policy: policy})
			n.run(agent.Options{})
			n.Publish(n.hostID, agenttest.Release{Bundles: c.bundles, Policy: policy})
			ran = nil
			var foretold []string
			for _, l := range n.run(agent.Options{DryRun: true, Choice: c.choice}).Lines {
				again := strings.HasSuffix(l.Due, ", and again at the end")
				switch {
				case l.Due == "":
				case l.Key.Tag == "Service":
					require.Equal(t, "would be told that its bundle was modified", l.Due)
					foretold = append(foretold, "restart "+l.Key.Name+".service")
				case again:
					foretold = append(foretold, l.Key.Name, l.Key.Name)
				default:
					foretold = append(foretold, l.Key.Name)
				}
			}
			require.Empty(t, ran)
			n.run(agent.Options{Choice: c.choice})
			slices.Sort(foretold)
			slices.Sort(ran)
			require.Equal(t, ran, foretold)
			require.Contains(t, strings.Join(ran, " "), "always")
		})
	}
}
