// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// units answers for systemctl: what was started runs, and nothing reloads.
func units(ran *[]string) func(system.Command) (system.Result, error) {
	active := map[string]bool{}
	return func(c system.Command) (system.Result, error) {
		if c.Args[0] != "systemctl" {
			*ran = append(*ran, c.Args[0])
			return system.Result{}, nil
		}
		args := c.Args[2:]
		names := args[slices.Index(args, "--")+1:]
		if !c.Asks {
			*ran = append(*ran, args[0]+" "+strings.Join(names, " "))
		}
		var blocks []string
		for _, name := range names {
			if args[0] == "start" {
				active[name] = true
			}
			state := map[bool]string{true: "active", false: "inactive"}[active[name]]
			blocks = append(blocks, "LoadState=loaded\nActiveState="+state+"\nUnitFileState=enabled\nType=simple\n")
		}
		if args[0] == "reload" {
			return system.Result{Exit: 1, Tail: []byte("it does not reload\n")}, nil
		}
		return system.Result{Stdout: []byte(strings.Join(blocks, "\n"))}, nil
	}
}

// Why a service can be neither made true nor told is said once.
func TestReasonsAreSaidOnce(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	for _, name := range []string{"/run", "/run/systemd", "/run/systemd/system"} {
		require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: name, Mode: 0o755}))
	}
	var ran []string
	n.config.Machine.Processes.(*systemtest.Processes).Answer = units(&ran)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{
		agenttest.File("/f", "x"), agenttest.Entry("Service", "", "name=s", "type=systemd", "status=on", "target=explode"),
	}})
	r := n.run(agent.Options{})
	require.Len(t, r.Report.Bad, 1)
	require.Equal(t, 1, strings.Count(r.Report.Bad[0].Reason, "is not one of systemctl"), r.Report.Bad[0].Reason)
}

// Services come last, each is told once that its bundle was modified, and one
// that was just started knows already.
func TestServices(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	for _, name := range []string{"/run", "/run/systemd", "/run/systemd/system"} {
		require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: name, Mode: 0o755}))
	}
	var ran []string
	n.config.Machine.Processes.(*systemtest.Processes).Answer = units(&ran)
	took := func() []string { out := ran; ran = nil; return out }
	service := func(words ...string) config.Entry {
		return agenttest.Entry("Service", "", append(words, "type=systemd", "status=on")...)
	}
	publish := func(a, b, independent string) {
		n.Publish(n.hostID, agenttest.Release{Bundles: []*config.Bundle{
			agenttest.Structure("Bundle", "a", service("name=late", "sequence=9"), service("name=early", "sequence=1"), service("name=free", "restart=false"), agenttest.File("/a", a)),
			agenttest.Structure("Bundle", "b", agenttest.File("/b", b), service("name=late"), service("name=odd", "target=reload"), action("told", "timing=post")),
			agenttest.Structure("Bundle", "c", agenttest.Entry("Bundle", "", "name=a"), service("name=follower")),
			agenttest.Structure("Independent", "", service("name=alone"), agenttest.File("/i", independent)),
		}})
	}
	publish("1", "1", "1")
	r := n.run(agent.Options{})
	started := took()
	require.True(t, strings.HasPrefix(started[0], "start free.service"), "those that have no place come first: %s", started[0])
	require.Equal(t, []string{"start early.service", "start late.service", "told"}, started[1:4])
	require.Equal(t, []string{"restart late.service", "reload odd.service"}, started[4:], "of bundle b, whose action ran after they were started")
	require.Equal(t, driver.Incorrect, r.Lines[6].State)
	require.Contains(t, r.Lines[6].Reason, "it does not reload")

	n.run(agent.Options{})
	require.Empty(t, took())
	publish("1", "1", "2")
	n.run(agent.Options{})
	require.Empty(t, took(), "services of an Independent are not told")
	publish("2", "1", "2")
	r = n.run(agent.Options{})
	require.Equal(t, []string{"restart early.service", "restart late.service", "restart follower.service"}, took())
	require.True(t, r.Lines[0].Changed)
	require.Equal(t, "its bundle was modified", r.Lines[0].Was)
	publish("3", "3", "3")
	n.run(agent.Options{})
	require.Equal(t, []string{"restart early.service", "restart late.service", "told", "reload odd.service", "restart follower.service"}, took())

	// Nobody is asked about a service that is not told anyway.
	publish("4", "3", "3")
	var asked []string
	n.run(agent.Options{Ask: func(_ context.Context, what string) (bool, error) {
		asked = append(asked, what)
		return true, nil
	}})
	require.Contains(t, asked, "tell Service:early that its bundle was modified")
	require.NotContains(t, asked, "tell Service:free that its bundle was modified")
}
