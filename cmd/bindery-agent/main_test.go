// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

func TestMain(m *testing.M) {
	// Settings of the machine that the tests run on are not theirs.
	testscript.Main(m, map[string]func(){"bindery-agent": func() { os.Exit(start("")) }})
}

type siteKey struct{}

// TestScripts runs the command as people do, against a site of its own for each
// script: $URL, and token files token and again.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			site := agenttest.New(t, func(key ed25519.PrivateKey) (release.Signer, error) { return signature.LoadED25519Signer(key) })
			env.Values[siteKey{}] = site
			env.Setenv("URL", site.Server.URL)
			for _, name := range []string{"token", "again"} {
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(site.Token(agenttest.HostName).Text()+"\n"), 0o600); err != nil {
					return err
				}
			}
			return os.Mkdir(filepath.Join(env.WorkDir, "root"), 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"publish": publish, "damage": damage,
		},
	})
}

// publish signs a configuration file for every enrolled host.
func publish(ts *testscript.TestScript, _ bool, args []string) {
	site := ts.Value(siteKey{}).(*agenttest.Site)
	cfg, err := config.Decode([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	site.Mu.Lock()
	defer site.Mu.Unlock()
	for id := range site.Hosts {
		site.PublishLocked(id, agenttest.Release{Bundles: cfg.Bundles})
	}
}

// damage flips a bit in what is published under a name.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	site := ts.Value(siteKey{}).(*agenttest.Site)
	site.Mu.Lock()
	defer site.Mu.Unlock()
	for name, data := range site.Blobs {
		if strings.HasPrefix(name, "h/") && strings.HasSuffix(name, args[0]) {
			data = bytes.Clone(data)
			data[len(data)/2] ^= 1
			site.Blobs[name] = data
		}
	}
}

func TestRoots(t *testing.T) {
	pool, err := roots()
	require.NoError(t, err)
	require.False(t, pool.Equal(x509.NewCertPool()))
}

func TestHelp(t *testing.T) {
	root := newRootCommand(streams{})
	for _, c := range root.Commands() {
		require.NotEmpty(t, c.Example, c.Name())
		require.Contains(t, c.Long, "Exit codes:", c.Name())
	}
}

func TestPrintable(t *testing.T) {
	require.Equal(t, "plain näme", printable("plain näme"))
	require.Equal(t, `"a\nb\x1b[2J"`, printable("a\nb\x1b[2J"))
	var out bytes.Buffer
	(&viewer{w: &out}).difference("+a\x1b[2Jb\tc\n-x")
	require.Equal(t, "    +a\uFFFD[2Jb\tc\n    -x\n", out.String())
}

// Many entries that nobody looked at for one reason are one line, but not in a plan.
func TestSameReason(t *testing.T) {
	r := &agent.Result{}
	for i := range 9 {
		r.Lines = append(r.Lines, agent.Line{
			Key: config.Key{Tag: "Package", Name: fmt.Sprintf("p%d", i)}, State: driver.NotVerified, Reason: "no driver",
		})
	}
	r.Lines = append(r.Lines, agent.Line{Key: config.Key{Tag: "Action", Name: "a"}, State: driver.NotVerified, Reason: "not here"})
	var run, plan bytes.Buffer
	d := &display{}
	require.NoError(t, d.viewer(streams{Out: &run}, "text", false).result(r))
	require.NoError(t, d.viewer(streams{Out: &plan}, "text", true).result(r))
	require.Contains(t, run.String(), "not verified 9 entries: no driver (p0, p1, p2, p3, p4, p5 and 3 more)\n")
	require.Contains(t, run.String(), "not verified Action:a  not here\n")
	require.NotContains(t, run.String(), "Package:p3")
	require.Contains(t, plan.String(), "not verified Package:p8  no driver\n")
}

// A run that asked what it could not is still made, and says so: its exit code is that
// of the network, not of wrong use.
func TestVerdictOfRunsThatCouldNotAsk(t *testing.T) {
	err := verdict(&agent.Result{Fetch: errors.New("probe disks: ran too long")})
	require.EqualError(t, err, "the run was made with what was known before: probe disks: ran too long")
	require.Equal(t, exitUnavailable, exitCode(err))
	err = verdict(&agent.Result{Fetch: fmt.Errorf("poll: %w", release.ErrUntrusted)})
	require.EqualError(t, err, "poll: "+release.ErrUntrusted.Error())
	require.Equal(t, exitUntrusted, exitCode(err))
	require.NoError(t, verdict(&agent.Result{}))
	reported := release.Report{State: release.StateDirty, Mode: release.ModeReport, Bad: []release.Item{{}}}
	require.Equal(t, exitFindings, exitCode(verdict(&agent.Result{Report: reported})), "what is only reported is a finding")
	paused := release.Report{State: release.StatePaused, Bad: []release.Item{{}}}
	require.Equal(t, exitFindings, exitCode(verdict(&agent.Result{Report: paused})), "what waits for its window is a finding")
	require.NoError(t, verdict(&agent.Result{Report: release.Report{State: release.StatePaused}}))
}

// Who stops a run reads that, and nothing of contexts.
func TestStopIsToldAsOne(t *testing.T) {
	site := agenttest.New(t, func(key ed25519.PrivateKey) (release.Signer, error) { return signature.LoadED25519Signer(key) })
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte(site.Token(agenttest.HostName).Text()), 0o600))
	at := []string{"--root", dir, "--state", filepath.Join(dir, "state")}
	var out, errs bytes.Buffer
	call := func(ctx context.Context, args ...string) int {
		return run(ctx, append(args, at...), streams{Out: &out, Err: &errs})
	}
	require.Zero(t, call(t.Context(), "enroll", "--url", site.Server.URL, "--host", agenttest.HostName, "--token-file", token), errs.String())
	ctx, cancel := context.WithCancel(t.Context())
	site.Mu.Lock()
	site.Broken = func(http.ResponseWriter, *http.Request) bool { cancel(); return false }
	site.Mu.Unlock()
	require.Equal(t, exitInterrupted, call(ctx, "run", "--once"))
	require.Equal(t, "bindery-agent: interrupted\n", errs.String())
}
