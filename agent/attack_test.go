// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// Stolen keys signed a time far ahead. With it as the floor of the clock nothing would
// ever be fresh again; new keys, under the next root, heal the host.
func TestKeysRotatedAfterTimeFarAhead(t *testing.T) {
	t.Parallel()
	n := settled(t)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "stolen")}, Now: time.Now().AddDate(30, 0, 0)})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "too old")}, Version: n.Version[n.hostID] + 1})
	require.ErrorIs(t, n.run(agent.Options{}).Fetch, release.ErrExpired)

	n.Rotate()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "healed")}, Version: time.Now().Unix() + 10})
	require.NoError(t, n.run(agent.Options{DryRun: true}).Fetch)
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, "healed", read(t, n.root+"/f"))
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "on")}})
	n.open()
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, "on", read(t, n.root+"/f"))
}

// A new root that trusts the same keys is no reason to forget what time it is.
func TestFloorOutlivesANewRoot(t *testing.T) {
	t.Parallel()
	n := settled(t)
	n.Extend()
	n.config.Machine.Now = func() time.Time { return time.Unix(0, 0) }
	n.open()
	require.NoError(t, n.run(agent.Options{}).Fetch)
	old := time.Now().Add(-100 * time.Hour)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "frozen")}, Now: old, Version: n.Version[n.hostID] + 1})
	n.stillGood(release.ErrExpired)
}

// The host has lost what guards against a rollback, and the mirror knows. What the
// host applied is remembered elsewhere, and stays in force.
func TestOlderReleaseAfterDamage(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "old")}})
	n.Mu.Lock()
	old := n.Blobs["h/"+n.hostID+"/timestamp.json"]
	n.Mu.Unlock()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "good")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	for _, name := range []string{"timestamp.json", "snapshot.json", "targets.json", "freshness.json"} {
		require.NoError(t, os.WriteFile(n.dir.Path()+"/"+name, []byte("{"), 0o600))
	}
	n.blob("timestamp.json", func([]byte) []byte { return old })
	n.open()
	require.ErrorIs(t, n.run(agent.Options{DryRun: true}).Fetch, release.ErrRollback)
	n.stillGood(release.ErrRollback)
}
