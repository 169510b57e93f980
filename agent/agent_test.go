// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

// tree lists all files with their content, to see that nothing was written.
func tree(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				out[name] = "directory"
				return err
			}
			data, err := os.ReadFile(name)
			out[name] = string(data)
			return err
		}))
	}
	return out
}

func TestRun(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{
		agenttest.File("/etc/motd", "hello\n"),
		agenttest.Entry("Service", "", "name=sshd", "type=systemd", "status=on"),
		{Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: "/etc/broken"}}, Failure: "no source binds it"},
		agenttest.Entry("Action", "", "name=a", "command=false", "timing=both", "when=always"),
	}})

	dry := tree(t, n.root, n.dir.Path())
	r := n.run(agent.Options{DryRun: true})
	require.Equal(t, driver.Missing, r.Lines[0].State)
	require.Contains(t, r.Lines[0].Diff, "+hello")
	require.Equal(t, dry, tree(t, n.root, n.dir.Path()), "a dry run writes nothing, not even state")
	require.Empty(t, n.Reports)

	r = n.run(agent.Options{})
	require.NoError(t, r.Fetch)
	require.Equal(t, "hello\n", read(t, n.root+"/etc/motd"))
	require.Equal(t, driver.Correct, r.Lines[0].State)
	require.True(t, r.Lines[0].Changed)
	require.Equal(t, driver.NotVerified, r.Lines[1].State)
	require.Equal(t, driver.Incorrect, r.Lines[2].State)
	require.Contains(t, r.Lines[2].Reason, "no source binds it")
	require.Equal(t, driver.NotVerified, r.Lines[3].State, "actions never run under another root")
	require.NoFileExists(t, n.root+"/etc/broken")

	require.Len(t, n.Reports, 1)
	rep := n.Reports[0]
	require.Equal(t, release.StateDirty, rep.State)
	require.Equal(t, []int{4, 1, 1, 1}, []int{rep.Total, rep.Good, len(rep.Bad), len(rep.Modified)})
	require.Equal(t, n.Version[n.hostID], rep.Sequence)

	// A second run changes nothing, and says nothing.
	before := tree(t, n.root)
	n.Taken()
	state := tree(t, n.dir.Path())
	n.open()
	n.run(agent.Options{})
	require.Equal(t, []string{"GET /h/" + n.hostID + "/timestamp.json"}, n.Taken(), "a poll without change is one request")
	require.Equal(t, before, tree(t, n.root))
	now := tree(t, n.dir.Path())
	when := n.dir.Path() + "/ran.json"
	require.NotEqual(t, state[when], now[when])
	delete(state, when)
	delete(now, when)
	require.Equal(t, state, now, "it keeps when it was, and nothing else")

	// Drift is repaired.
	require.NoError(t, os.WriteFile(n.root+"/etc/motd", []byte("defaced"), 0o600))
	r = n.run(agent.Options{})
	require.Equal(t, "hello\n", read(t, n.root+"/etc/motd"))
	require.Contains(t, r.Lines[0].Was, "content")
	require.Equal(t, agent.CauseDrift, r.Lines[0].Cause)
	require.Equal(t, agent.CauseDrift, n.Reports[len(n.Reports)-1].Modified[0].Cause)
}

// What is wrong because the release is new has not drifted; what has drifted has done
// so until it is put right, whatever release comes meanwhile.
func TestCauses(t *testing.T) {
	n := newNode(t, newSite(t), nil)
	causes := func(mode release.Mode, entries ...config.Entry) (out []string) {
		t.Helper()
		n.Publish(n.hostID, agenttest.Release{Entries: entries, Mode: mode})
		for _, l := range n.run(agent.Options{}).Lines {
			out = append(out, l.Cause)
		}
		return out
	}
	a, b := agenttest.File("/a", "a"), agenttest.File("/b", "b")
	require.Equal(t, []string{agent.CauseRelease}, causes(release.ModeApply, a))
	require.Equal(t, []string{"", agent.CauseRelease}, causes(release.ModeApply, a, b))
	require.NoError(t, os.WriteFile(n.root+"/a", []byte("defaced"), 0o600))
	for range 2 {
		require.Equal(t, []string{agent.CauseDrift, ""}, causes(release.ModeReport, a, b))
	}
	require.Equal(t, []string{agent.CauseRelease, ""}, causes(release.ModeReport, agenttest.File("/a", "other"), b))
	require.Equal(t, []string{agent.CauseRelease, ""}, causes(release.ModeApply, a, b))
	_, err := n.agent.Undo(t.Context(), agent.UndoOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{agent.CauseRelease, ""}, causes(release.ModeApply, a, b), "an undo is no drift")
}

func TestReportMode(t *testing.T) {
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}, Mode: release.ModeReport})
	r := n.run(agent.Options{})
	require.Equal(t, driver.Missing, r.Lines[0].State)
	require.NoFileExists(t, n.root+"/f")
	require.Len(t, n.Reports, 1)
	require.Equal(t, release.ModeReport, n.Reports[0].Mode)
}

func TestOwnersWithoutPrivilege(t *testing.T) {
	n := newNode(t, newSite(t), func(c *agent.Config) { c.Machine.Privileged = false })
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.Entry("Path", "x", "type=file", "name=/f", "owner=web", "group=web", "mode=0644")}})
	r := n.run(agent.Options{})
	require.Equal(t, driver.Correct, r.Lines[0].State)
	require.Equal(t, []string{"owner", "group"}, r.Lines[0].Unverified)
	rep := n.Reports[0]
	require.Equal(t, release.StateClean, rep.State)
	require.Equal(t, "owner, group", rep.NotVerified[0].Reason)
}

func TestProbes(t *testing.T) {
	s := newSite(t)
	n := newNode(t, s, nil)
	require.NoError(t, os.WriteFile(n.root+"/role", []byte("group:web\n"), 0o600))
	probes := []config.Probe{
		{Name: "role", Source: "Probes", Interpreter: "/bin/sh -u", Script: "#!/bin/sh -u\ncat $BINDERY_ROOT/role; echo ${SECRET_OF_THE_AGENT-unset}\n"},
	}
	t.Setenv("SECRET_OF_THE_AGENT", "x")
	n.Publish(n.hostID, agenttest.Release{Probes: probes, Waiting: true})
	s.OnFacts = func(f *release.Facts) {
		s.PublishLocked(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", f.Answers["role"])}, Probes: probes})
	}
	r := n.run(agent.Options{})
	require.NoError(t, r.Fetch)
	require.False(t, r.Waiting, "the run waits for the release that its facts bring")
	require.Equal(t, "group:web\nunset\n", read(t, n.root+"/f"))
	require.Len(t, s.Facts, 1)

	n.run(agent.Options{})
	require.Len(t, s.Facts, 1, "equal answers are not sent again")
	require.NoError(t, os.WriteFile(n.root+"/role", []byte("group:db\n"), 0o600))
	n.run(agent.Options{})
	require.Len(t, s.Facts, 2)
	require.Greater(t, s.Facts[1].Counter, s.Facts[0].Counter)
	require.Contains(t, read(t, n.root+"/f"), "group:db")

	// A probe that fails, runs too long or writes too much sends nothing.
	for _, script := range []string{"exit 1", "sleep 1000", "cat /dev/zero"} {
		n.config.Probes.Timeout = 200 * time.Millisecond
		n.open()
		broken := append([]config.Probe{{Name: "bad", Source: "Probes", Interpreter: "/bin/sh", Script: script}}, probes...)
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/g", script)}, Probes: broken})
		r = n.run(agent.Options{})
		require.ErrorContains(t, r.Fetch, `probe "bad"`)
		require.Equal(t, script, read(t, n.root+"/g"), "the last verified release is applied all the same")
	}
	require.Len(t, s.Facts, 2)
	require.NoDirExists(t, n.dir.Path()+"/probes")

	// A file that is asked for needs a Python: without, the answer is empty.
	s.OnFacts = nil
	asked := append([]config.Probe{{Name: "/etc/x", Source: "FileProbes", Interpreter: "/nonexistent/python", Script: "x"}}, probes...)
	n.Publish(n.hostID, agenttest.Release{Probes: asked})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Len(t, s.Facts, 3)
	require.Empty(t, s.Facts[2].Answers["/etc/x"])
	require.Contains(t, s.Facts[2].Answers["role"], "group:db")
}

func TestWaitingForFacts(t *testing.T) {
	n := newNode(t, newSite(t), func(c *agent.Config) { c.FactsWait = 10 * time.Millisecond })
	n.Publish(n.hostID, agenttest.Release{Waiting: true, Probes: []config.Probe{{Name: "p", Interpreter: "/bin/echo", Script: ""}}})
	r := n.run(agent.Options{})
	require.True(t, r.Waiting)
	require.Empty(t, r.Lines)
	require.Equal(t, release.StateWaiting, n.Reports[0].State)
}

func TestReportsWaitForTheController(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := newNode(t, s, nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "0")}})
	away := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	s.Broken = away
	for range 35 {
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", time.Now().String())}})
		require.NoError(t, n.run(agent.Options{}).Fetch)
	}
	waiting, err := n.dir.List("outbox")
	require.NoError(t, err)
	require.Len(t, waiting, 32, "the outbox is bounded")
	s.Broken = nil
	n.open()
	n.run(agent.Options{})
	require.Len(t, s.Reports, 32)
	for i := 1; i < len(s.Reports); i++ {
		require.Greater(t, s.Reports[i].Counter, s.Reports[i-1].Counter)
		require.False(t, s.Reports[i].Finished.Before(s.Reports[i-1].Finished))
	}
	waiting, err = n.dir.List("outbox")
	require.NoError(t, err)
	require.Empty(t, waiting)
}

func TestSecretsAreNotTold(t *testing.T) {
	t.Parallel()
	const canary = "canary-5e1f"
	n := newNode(t, newSite(t), nil)
	require.NoError(t, os.WriteFile(n.root+"/key", []byte("old-"+canary), 0o600))
	secret := agenttest.Entry("Path", canary, "type=file", "name=/key", "owner=root", "group=root", "mode=0600")
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{secret}})
	for _, o := range []agent.Options{{DryRun: true}, {}} {
		r := n.run(o)
		require.NotContains(t, r.Lines[0].Diff+r.Lines[0].Reason+r.Lines[0].Was, canary)
	}
	require.Equal(t, canary, read(t, n.root+"/key"))
	require.NotContains(t, n.log.String(), canary)
	for name, content := range tree(t, n.dir.Path()) {
		if strings.Contains(name, "/journal/") {
			// What can be brought back has to be kept, for root alone.
			info, err := os.Stat(name)
			require.NoError(t, err)
			require.Zero(t, info.Mode().Perm()&0o077, name)
			continue
		}
		require.NotContains(t, content, canary, name)
	}
}

func TestOneRunAtATime(t *testing.T) {
	n := newNode(t, newSite(t), nil)
	unlock, err := n.dir.Lock()
	require.NoError(t, err)
	defer unlock()
	_, err = n.agent.Run(t.Context(), agent.Options{})
	require.ErrorIs(t, err, state.ErrBusy)
}

func TestAgentsOwnStateCannotBeManaged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := t.TempDir()
	dir := root + "/var/lib/bindery"
	e := enrol(t, s, dir)
	d, err := state.Open(state.Config{Path: dir})
	require.NoError(t, err)
	defer d.Close()
	m, err := system.New(system.Config{Root: root, Protected: agent.Protected(root, dir)})
	require.NoError(t, err)
	a, err := agent.New(agent.Config{State: d, Machine: m, Client: s.Client()})
	require.NoError(t, err)
	before := read(t, dir+"/identity")
	s.Publish(e.HostID, agenttest.Release{Entries: []config.Entry{
		agenttest.File("/var/lib/bindery/identity", "x"),
		agenttest.Entry("Path", "", "type=symlink", "name=/tmp/way", "to=/var/lib"),
		agenttest.File("/tmp/way/bindery/identity", "x"),
		agenttest.Entry("Path", "", "type=nonexistent", "name=/var", "recursive=true"),
		agenttest.File("/usr/lib/systemd/system/bindery-agent.service", "x"),
	}})
	r, err := a.Run(t.Context(), agent.Options{})
	require.NoError(t, err)
	for _, i := range []int{0, 2, 4} {
		require.Contains(t, r.Lines[i].Reason, "own files cannot be managed", "%v", r.Lines[i].Key)
	}
	require.Equal(t, before, read(t, dir+"/identity"))
}

func TestInterrupted(t *testing.T) {
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}})
	ctx, cancel := contextAfter(t, 0)
	defer cancel()
	_, err := n.agent.Run(ctx, agent.Options{})
	require.Error(t, err)
	require.NoFileExists(t, n.root+"/f")
}

func TestNothingYet(t *testing.T) {
	n := newNode(t, newSite(t), nil)
	_, err := n.agent.Run(t.Context(), agent.Options{})
	require.ErrorIs(t, err, agent.ErrNothingYet)
	require.ErrorIs(t, err, agent.ErrUnavailable, "the cause is told too")
	_, err = n.agent.Run(t.Context(), agent.Options{DryRun: true, Offline: true})
	require.ErrorIs(t, err, agent.ErrNothingYet)
	last, err := n.agent.Last()
	require.NoError(t, err)
	require.Nil(t, last)
}

func TestEnrolRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.Token(agenttest.HostName)
	try := func(dir string, c agent.EnrolConfig) error {
		d, err := state.Open(state.Config{Path: dir, Create: true})
		require.NoError(t, err)
		defer d.Close()
		c.State, c.Client = d, s.Client()
		if c.URL == "" {
			c.URL = s.Server.URL
		}
		_, err = agent.Enrol(t.Context(), c)
		return err
	}
	victim := t.TempDir()
	require.NoError(t, try(victim, agent.EnrolConfig{Host: agenttest.HostName, Token: token}))
	info, err := os.Stat(victim + "/identity")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())

	err = try(t.TempDir(), agent.EnrolConfig{Host: agenttest.HostName, Token: token})
	require.ErrorIs(t, err, release.ErrUntrusted, "a stolen token works once")
	require.ErrorContains(t, err, "already used")
	require.Equal(t, 1, s.Alarms)
	require.ErrorIs(t, try(t.TempDir(), agent.EnrolConfig{Host: "db1", Token: s.Token(agenttest.HostName)}), release.ErrUntrusted)

	require.ErrorIs(t, try(victim, agent.EnrolConfig{Host: agenttest.HostName, Token: s.Token(agenttest.HostName)}), agent.ErrEnrolled)
	require.NoError(t, try(victim, agent.EnrolConfig{Host: agenttest.HostName, Token: s.Token(agenttest.HostName), Again: true}))

	other := newSite(t)
	err = try(t.TempDir(), agent.EnrolConfig{Host: agenttest.HostName, Token: other.Token(agenttest.HostName)})
	require.ErrorIs(t, err, release.ErrUntrusted, "a controller that does not know the token")
	for _, bad := range []string{"ftp://x", "x", "http://user:pw@x", "http://x?a=b"} {
		require.ErrorContains(t, try(t.TempDir(), agent.EnrolConfig{URL: bad, Token: token}), "address")
	}
	_, err = agent.New(agent.Config{State: emptyState(t), Machine: &system.Machine{}, Client: s.Client()})
	require.ErrorIs(t, err, agent.ErrNotEnrolled)
	require.NotContains(t, err.Error(), token.Text())
}

func emptyState(t *testing.T) *state.Dir {
	t.Helper()
	d, err := state.Open(state.Config{Path: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}
