// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/release"
)

func newSite(t *testing.T) *agenttest.Site {
	t.Helper()
	return agenttest.New(t, func(key ed25519.PrivateKey) (release.Signer, error) { return signature.LoadED25519Signer(key) })
}

// node is an enrolled host in a test.
type node struct {
	*agenttest.Site
	t      *testing.T
	agent  *agent.Agent
	dir    *state.Dir
	root   string
	hostID string
	log    *strings.Builder
	config agent.Config
}

func enrol(t *testing.T, s *agenttest.Site, dir string) *agent.Enrolment {
	t.Helper()
	d, err := state.Open(state.Config{Path: dir, Create: true})
	require.NoError(t, err)
	defer d.Close()
	e, err := agent.Enrol(t.Context(), agent.EnrolConfig{State: d, Client: s.Client(), URL: s.Server.URL, Host: agenttest.HostName, Token: s.Token(agenttest.HostName)})
	require.NoError(t, err)
	return e
}

// newNode enrols a host with a root of its own.
func newNode(t *testing.T, s *agenttest.Site, change func(*agent.Config)) *node {
	t.Helper()
	root, dir := t.TempDir(), t.TempDir()+"/state"
	e := enrol(t, s, dir)
	n := &node{Site: s, t: t, root: root, hostID: e.HostID, log: &strings.Builder{}}
	d, err := state.Open(state.Config{Path: dir})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	m, err := system.New(system.Config{Root: root})
	require.NoError(t, err)
	n.dir = d
	n.config = agent.Config{
		State: d, Machine: m, Client: s.Client(), Version: "test", FactsWait: time.Second, Logger: slog.New(slog.NewTextHandler(n.log, nil)),
	}
	if change != nil {
		change(&n.config)
	}
	n.open()
	s.Taken()
	return n
}

// open starts the agent anew, as after a restart.
func (n *node) open() {
	var err error
	n.agent, err = agent.New(n.config)
	require.NoError(n.t, err)
}

func (n *node) run(o agent.Options) *agent.Result {
	n.t.Helper()
	r, err := n.agent.Run(n.t.Context(), o)
	require.NoError(n.t, err)
	return r
}

// contextAfter ends when the given number of milliseconds is over.
func contextAfter(t *testing.T, ms int) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), time.Duration(ms)*time.Millisecond)
}
