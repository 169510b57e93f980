// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// A run is stopped when the files of a bundle are right, but its action has not come to
// its end and its services know nothing yet. The next run of everything does both, once.
func TestAStoppedRunOwesItsActions(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	for _, name := range []string{"/run", "/run/systemd", "/run/systemd/system"} {
		require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: name, Mode: 0o755}))
	}
	var ran []string
	answer := units(&ran)
	stop := func() {}
	n.config.Machine.Processes.(*systemtest.Processes).Answer = func(c system.Command) (system.Result, error) {
		if c.Args[0] == "told" {
			stop()
		}
		return answer(c)
	}
	took := func() []string { out := ran; ran = nil; return out }
	publish := func(content string) {
		service := agenttest.Entry("Service", "", "type=systemd", "status=on", "name=s")
		n.Publish(n.hostID, agenttest.Release{Bundles: []*config.Bundle{
			agenttest.Structure("Bundle", "a", agenttest.File("/a", content), action("told", "timing=post", "when=modified"), service),
			agenttest.Structure("Bundle", "b", agenttest.File("/b", "1"), action("other", "timing=post", "when=modified")),
		}})
	}
	stopped := func(content string) {
		publish(content)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stop = cancel
		_, err := n.agent.Run(ctx, agent.Options{})
		require.ErrorIs(t, err, context.Canceled)
		stop = func() {}
		took()
	}
	publish("1")
	n.run(agent.Options{})
	require.Equal(t, []string{"start s.service", "told", "restart s.service", "other"}, took())

	stopped("2")
	n.run(agent.Options{DryRun: true})
	n.run(agent.Options{Choice: choice.Choice{Bundles: []string{"b"}}})
	require.Empty(t, took(), "neither of them is a run of everything")
	n.open()
	n.run(agent.Options{})
	require.Equal(t, []string{"told", "restart s.service"}, took())
	n.run(agent.Options{})
	require.Empty(t, took())

	// What was taken back has nobody to be told of it.
	stopped("3")
	_, err := n.agent.Undo(t.Context(), agent.UndoOptions{})
	require.NoError(t, err)
	require.NoFileExists(t, n.dir.Path()+"/modified.json")
}
