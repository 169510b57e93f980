// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"errors"
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

// memory is a host in memory whose root is "/", so that actions run. Commands
// that start with "fail" fail.
func memory(t *testing.T) (*node, *systemtest.Files, func() []string) {
	t.Helper()
	m, files, procs := systemtest.Machine()
	procs.Answer = func(c system.Command) (system.Result, error) {
		if c.Args[0] == "clobber" {
			return system.Result{}, files.Change(system.Change{Op: system.Write, Name: c.Args[1], Mode: 0o644, Content: []byte("clobbered")})
		}
		if c.Args[0] == "fail" {
			return system.Result{Exit: 1}, nil
		}
		return system.Result{}, nil
	}
	n := newNode(t, newSite(t), func(c *agent.Config) { c.Machine = m })
	seen := 0
	return n, files, func() []string {
		var out []string
		for _, c := range procs.Ran()[seen:] {
			out = append(out, strings.Join(c.Args, " "))
		}
		seen = len(procs.Ran())
		return out
	}
}

func action(command string, words ...string) config.Entry {
	return agenttest.Entry("Action", "", append(words, "name="+command, "command="+command)...)
}

func (n *node) states(r *agent.Result) string {
	var out []string
	for _, l := range r.Lines {
		out = append(out, string(l.State))
	}
	return strings.Join(out, " ")
}

// The order of Bcfg2's client: what comes before, the entries, what comes after in
// modified bundles, then what always runs in bundles that were not modified, and last
// in Independents, which count as not modified, wherever each stands.
func TestActions(t *testing.T) {
	t.Parallel()
	every := func(prefix string) []config.Entry {
		var out []config.Entry
		for _, timing := range []string{"post", "pre", "both"} {
			for _, when := range []string{"modified", "always"} {
				out = append(out, action(prefix+" "+timing+" "+when, "timing="+timing, "when="+when))
			}
		}
		return append(out, action(prefix+" ignored", "timing=post", "status=ignore"), agenttest.Entry("PostInstall", "", "name="+prefix+" of old"))
	}
	good := agenttest.Entry("Path", "directory", "name=/")
	structure := func(tag, name string, wrong bool, entries ...config.Entry) *config.Bundle {
		if wrong {
			return agenttest.Structure(tag, name, append(entries, agenttest.File("/"+name, "x"))...)
		}
		return agenttest.Structure(tag, name, append(entries, good)...)
	}
	all := func(prefix string, what ...string) []string {
		var out []string
		for _, w := range what {
			out = append(out, prefix+" "+w)
		}
		return out
	}
	always := []string{"pre always", "both always"}
	modified := []string{"post modified", "post always", "both modified", "both always", "ignored", "of old"}
	for name, c := range map[string]struct {
		bundles []*config.Bundle
		ran     [][]string
	}{
		"a bundle that is modified": {
			[]*config.Bundle{structure("Bundle", "a", true, every("a")...)},
			[][]string{all("a", "pre modified", "pre always", "both modified", "both always"), all("a", modified...)},
		},
		"an action before it that always runs modifies a bundle": {
			[]*config.Bundle{structure("Bundle", "a", false, every("a")...)},
			[][]string{all("a", always...), all("a", modified...)},
		},
		"nothing that always runs before it": {
			[]*config.Bundle{structure("Bundle", "a", false, action("a before", "timing=pre"), action("a after", "timing=post"), action("a always", "timing=post", "when=always"))},
			[][]string{{"a always"}},
		},
		"an Independent is never modified": {
			[]*config.Bundle{structure("Independent", "a", true, every("a")...)},
			[][]string{all("a", always...), all("a", "post always", "both always")},
		},
		"modified before not modified before Independent": {
			[]*config.Bundle{
				structure("Independent", "i", true, action("i", "timing=post", "when=always")),
				structure("Bundle", "q", false, action("q", "timing=post", "when=always")),
				structure("Bundle", "m", true, action("m", "timing=post", "when=modified")),
			},
			[][]string{{"m", "q", "i"}},
		},
		"before everything, also of what comes later": {
			[]*config.Bundle{structure("Bundle", "a", true, action("a")), structure("Bundle", "b", true, action("b before", "timing=pre"))},
			[][]string{{"b before"}, {"a"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, _, ran := memory(t)
			n.Publish(n.hostID, agenttest.Release{Bundles: c.bundles})
			n.run(agent.Options{DryRun: true})
			require.Empty(t, ran())
			n.run(agent.Options{})
			require.Equal(t, slices.Concat(c.ran...), ran())
		})
	}
}

// A bundle that follows another one counts as modified with it, also through a third;
// what only names a bundle is no entry.
func TestBundlesThatFollowOthers(t *testing.T) {
	t.Parallel()
	n, _, ran := memory(t)
	follow := func(name string) config.Entry { return agenttest.Entry("Bundle", "", "name="+name) }
	n.Publish(n.hostID, agenttest.Release{Bundles: []*config.Bundle{
		agenttest.Structure("Bundle", "far", follow("near"), action("far", "timing=post")),
		agenttest.Structure("Bundle", "near", follow("work"), follow("far"), follow("gone"), action("near", "timing=post")),
		agenttest.Structure("Bundle", "other", follow("quiet"), action("other", "timing=post")),
		agenttest.Structure("Bundle", "quiet", agenttest.Entry("Path", "directory", "name=/")),
		agenttest.Structure("Bundle", "work", agenttest.File("/w", "x")),
	}})
	r := n.run(agent.Options{})
	require.Equal(t, []string{"far", "near"}, ran())
	for _, l := range r.Lines {
		require.NotEqual(t, "Bundle", l.Key.Tag)
	}
}

func TestFailedPrerequisite(t *testing.T) {
	t.Parallel()
	n, files, ran := memory(t)
	n.Publish(n.hostID, agenttest.Release{Bundles: []*config.Bundle{
		agenttest.Structure("Bundle", "a", action("fail first", "timing=pre"), agenttest.File("/a", "x"), action("after", "timing=post")),
		agenttest.Structure("Bundle", "b", action("fail ignored", "timing=pre", "status=ignore"), agenttest.File("/b", "x")),
	}})
	r := n.run(agent.Options{})
	require.Equal(t, []string{"fail first", "fail ignored"}, ran())
	require.Equal(t, "incorrect missing correct correct correct", n.states(r))
	require.Contains(t, r.Lines[0].Reason, "status 1")
	require.Contains(t, r.Lines[1].Reason, "an action that must come before failed")
	_, err := files.Look("/a")
	require.Error(t, err)
	_, err = files.Look("/b")
	require.NoError(t, err)
}

// What a bundle's own work or an action before it clobbers is repaired in the
// same run; a hard link may name a file that comes later.
func TestModifiedBundlesAreLookedAtAgain(t *testing.T) {
	t.Parallel()
	n, _, _ := memory(t)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{
		agenttest.Entry("Path", "", "type=hardlink", "name=/link", "to=/target"),
		agenttest.File("/target", "x"),
	}})
	r := n.run(agent.Options{})
	require.Equal(t, "correct correct", n.states(r))
	require.True(t, r.Lines[0].Changed)
	require.Empty(t, r.Report.Bad)

	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/target", "x"), agenttest.File("/new", "x"), action("clobber /target", "timing=pre")}})
	r = n.run(agent.Options{})
	require.Equal(t, "correct correct correct", n.states(r))
	require.True(t, r.Lines[0].Changed)

	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/target", "y"), action("clobber /target", "timing=post")}})
	r = n.run(agent.Options{})
	require.Equal(t, "incorrect correct", n.states(r), "what an action after it clobbers is at least told")
}

// What is about to be replaced has a copy that no undo takes away; without one
// nothing is replaced.
func TestCopiesBeforeChanges(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	n.config.Paranoid = agent.ParanoidSettings{Enabled: true, Path: "/copies", MaxCopies: 2}
	n.open()
	was := func(name string) {
		require.NoError(t, files.Change(system.Change{Op: system.Write, Name: name, Mode: 0o644, Content: []byte("was")}))
	}
	was("/a")
	was("/plain")
	entries := []config.Entry{agenttest.Entry("Path", "new", "type=file", "name=/a", "mode=0644", "owner=0", "group=0", "paranoid=true"), agenttest.File("/plain", "new")}
	n.Publish(n.hostID, agenttest.Release{Entries: entries})
	n.run(agent.Options{DryRun: true})
	_, err := files.List("/copies")
	require.Error(t, err)
	require.Equal(t, "correct correct", n.states(n.run(agent.Options{})))
	_, err = n.agent.Undo(t.Context(), agent.UndoOptions{Reason: "test"})
	require.NoError(t, err)
	list, err := files.List("/copies")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.True(t, strings.HasPrefix(list[0].Name, "_a_20"), list[0].Name)

	was("/taken")
	n.config.Paranoid.Path = "/taken"
	n.open()
	_, err = n.agent.Resume()
	require.NoError(t, err)
	r := n.run(agent.Options{})
	require.Equal(t, "incorrect correct", n.states(r))
	require.Contains(t, r.Lines[0].Reason, "keep a copy")
}

func TestImportantFilesComeFirst(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	important := agenttest.File("/z", "x")
	important.Attrs = append(important.Attrs, config.Attr{Name: "important", Value: "true"})
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/a", "x"), important}})
	n.run(agent.Options{})
	require.Equal(t, "/z", files.Done()[0].Name)
}

// One entry that cannot be made true stops no other one.
func TestFaultOfOneEntry(t *testing.T) {
	t.Parallel()
	n, _, _ := memory(t)
	full := errors.New("no space left on device")
	n.config.Machine.Files = systemtest.Faulty{Files: n.config.Machine.Files, Fault: func(c system.Change) error {
		if c.Name == "/b" {
			return full
		}
		return nil
	}}
	n.open()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/a", "x"), agenttest.File("/b", "x"), agenttest.File("/c", "x")}})
	r := n.run(agent.Options{})
	require.Equal(t, "correct missing correct", n.states(r))
	require.Contains(t, r.Lines[1].Reason, `write "/b": no space left on device`)
}

func TestExtraAndUnknownAspects(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: "/d", Mode: 0o755}))
	require.NoError(t, files.Change(system.Change{Op: system.Write, Name: "/d/extra", Mode: 0o644}))
	labelled := agenttest.File("/labelled", "x")
	labelled.Attrs = append(labelled.Attrs, config.Attr{Name: "secontext", Value: "system_u:object_r:etc_t:s0"})
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{
		agenttest.Entry("Path", "", "type=directory", "name=/d", "owner=root", "group=root", "mode=0755", "prune=true"), labelled,
	}})
	r := n.run(agent.Options{DryRun: true})
	require.Equal(t, "/d/extra", r.Report.Extra[0].Key.Name)
	r = n.run(agent.Options{})
	require.Empty(t, r.Report.Extra)
	require.Equal(t, driver.NotVerified, r.Lines[1].State, "a label that nobody looked at is not good")
	require.Equal(t, "secontext cannot be looked at", r.Lines[1].Reason)
}
