// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ed25519"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// The agent makes a change that cuts the host off, and is killed, or stands still while
// it waits. The process that it started takes the change back.
func TestGuardOutlivesTheAgent(t *testing.T) {
	t.Run("killed", func(t *testing.T) {
		cutOff(t, func(string) bool { return true }, syscall.SIGKILL)
	})
	t.Run("stuck", func(t *testing.T) {
		cutOff(t, func(unconfirmed string) bool { return strings.Contains(unconfirmed, `"until"`) }, syscall.SIGSTOP)
	})
}

// cutOff sends the signal to an agent that has cut its host off, when the time is ripe by
// what the agent wrote of the change.
func cutOff(t *testing.T, ripe func(unconfirmed string) bool, signal syscall.Signal) {
	dir := t.TempDir()
	program := filepath.Join(dir, "bindery-agent")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	site := agenttest.New(t, func(key ed25519.PrivateKey) (release.Signer, error) { return signature.LoadED25519Signer(key) })
	root, broken := filepath.Join(dir, "root"), filepath.Join(dir, "root/network")
	require.NoError(t, os.Mkdir(root, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte(site.Token(agenttest.HostName).Text()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "agent.yaml"), nil, 0o600))
	args := func(more ...string) []string {
		return append(more, "--state", filepath.Join(dir, "state"), "--root", root, "--config", filepath.Join(dir, "agent.yaml"))
	}
	out, err = exec.CommandContext(t.Context(), program, args("enroll", "--url", site.Server.URL, "--host", agenttest.HostName, "--token-file", filepath.Join(dir, "token"))...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for id := range site.Hosts {
		site.Publish(id, agenttest.Release{
			Entries: []config.Entry{agenttest.Entry("Path", "broken", "type=file", "name=/network", "owner=0", "group=0", "mode=0644")},
			Policy:  release.Policy{Confirm: 2 * time.Second},
		})
	}
	site.Mu.Lock()
	site.Broken = func(w http.ResponseWriter, _ *http.Request) bool {
		if _, err := os.Stat(broken); err != nil {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	site.Mu.Unlock()

	run := exec.CommandContext(t.Context(), program, args("run", "--once")...)
	require.NoError(t, run.Start())
	unconfirmed := filepath.Join(dir, "state/unconfirmed.json")
	exists := func() bool { _, err := os.Stat(broken); return err == nil }
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(unconfirmed)
		return err == nil && exists() && ripe(string(text))
	}, time.Minute, time.Millisecond)
	require.NoError(t, run.Process.Signal(signal))
	require.FileExists(t, broken)
	require.EqualError(t, run.Wait(), "signal: killed")
	require.Eventually(t, func() bool { return !exists() }, time.Minute, 50*time.Millisecond)
	require.Eventually(t, func() bool { _, err := os.Stat(unconfirmed); return os.IsNotExist(err) }, time.Minute, 50*time.Millisecond)
}
