// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

const crashing = "AGENT_TEST_CRASH"

// TestMain is also the agent that is killed, and the user who attacks one.
func TestMain(m *testing.M) {
	if dir := os.Getenv(attacking); dir != "" {
		attack(dir)
		os.Exit(1)
	}
	if how := os.Getenv(crashing); how != "" {
		os.Exit(crash(strings.Split(how, "|")))
	}
	os.Exit(m.Run())
}

// crash does one run, or one undo, and kills itself before the given step that alters the disk,
// be it the host's or the state's.
func crash(how []string) int {
	left, err := strconv.Atoi(how[2])
	if err != nil {
		return 2
	}
	before := func(string, string) error {
		if left--; left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}
	dir, err := state.Open(state.Config{Path: how[0], Before: before})
	if err != nil {
		return 2
	}
	tree, err := system.NewTree(system.TreeConfig{Root: how[1], Before: before})
	if err != nil {
		return 2
	}
	m := &system.Machine{Files: tree, Extended: tree, Processes: system.Host{}, Now: time.Now, Root: how[1], Privileged: os.Geteuid() == 0}
	a, err := agent.New(agent.Config{State: dir, Machine: m, Client: &http.Client{Timeout: time.Minute}})
	if err != nil {
		return 2
	}
	if how[3] == "undo" {
		if _, err := a.Undo(context.Background(), agent.UndoOptions{}); err != nil {
			return 1
		}
		return 0
	}
	if r, err := a.Run(context.Background(), agent.Options{Offline: how[3] == "offline"}); err != nil || r.Fetch != nil {
		return 1
	}
	return 0
}

// An agent is killed at every step of a run that brings a new release. Each file
// is old or new, never between; the next run needs no help; no report is lost.
func TestKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	n := settled(t)
	content := func(i int) []config.Entry {
		return []config.Entry{agenttest.File("/f", strings.Repeat(strconv.Itoa(i), 100)), agenttest.File("/d/g", strconv.Itoa(i))}
	}
	n.Publish(n.hostID, agenttest.Release{Entries: content(0)})
	n.run(agent.Options{})
	old := 0
	for at := 1; ; at++ {
		n.Publish(n.hostID, agenttest.Release{Entries: content(at)})
		err := killed(n, at, "run")
		for i, name := range []string{"/f", "/d/g"} {
			require.Contains(t, []string{content(old)[i].Text, content(at)[i].Text}, read(t, n.root+name), "killed at step %d", at)
		}
		if err == nil {
			require.Greater(t, at, 50)
			break
		}
		require.EqualError(t, err, "signal: killed", "at step %d", at)
		if at%10 == 0 { // otherwise the next release meets what the kill left
			require.NoError(t, n.run(agent.Options{}).Fetch)
			require.Equal(t, content(at)[0].Text, read(t, n.root+"/f"))
		}
		if read(t, n.root+"/d/g") == content(at)[1].Text {
			old = at
		}
		if read(t, n.root+"/f") != content(old)[0].Text {
			n.run(agent.Options{})
			old = at
		}
	}
	require.Empty(t, waiting(t, n))

	// What a killed run left half-made goes, even if nothing there is configured
	// any more.
	half := n.root + system.TempName("/d/g")
	for at := 1; ; at++ {
		n.Publish(n.hostID, agenttest.Release{Entries: content(-at)})
		require.Error(t, killed(n, at, "run"))
		if _, err := os.Lstat(half); err == nil {
			break
		}
		n.run(agent.Options{})
	}
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}})
	n.run(agent.Options{})
	require.NoFileExists(t, half)
	require.NoFileExists(t, n.dir.Path()+"/working.json")
}

// killed starts an agent that kills itself before the given step.
func killed(n *node, at int, word string) error {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashing+"="+strings.Join([]string{n.dir.Path(), n.root, strconv.Itoa(at), word}, "|"))
	return cmd.Run()
}

func waiting(t *testing.T, n *node) []string {
	t.Helper()
	names, err := n.dir.List("outbox")
	require.NoError(t, err)
	return names
}
