// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// linked is a file with two more names, the second of which is made of the first: in one
// bundle, or in three of which those that come first need what comes later.
func linked(text string, apart bool) []*config.Bundle {
	second, first := path("/second", "hardlink", "to=/first", "mode=0644"), path("/first", "hardlink", "to=/target", "mode=0644")
	target := agenttest.File("/target", text)
	if !apart {
		return []*config.Bundle{agenttest.Structure("Bundle", "all", second, first, target)}
	}
	return []*config.Bundle{
		agenttest.Structure("Bundle", "second", second), agenttest.Structure("Bundle", "first", first), agenttest.Structure("Bundle", "target", target),
	}
}

// together tells that all names are of one file, with a content.
func (n *node) together(text string) {
	n.t.Helper()
	want, err := os.Lstat(n.root + "/target")
	require.NoError(n.t, err)
	for _, name := range []string{"/target", "/first", "/second"} {
		info, err := os.Lstat(n.root + name)
		require.NoError(n.t, err)
		require.True(n.t, os.SameFile(want, info), name)
		require.Equal(n.t, text, read(n.t, n.root+name))
	}
}

// A file that is written is another file: its other names are made again in the same
// run, wherever they stand, and an undo brings all names of the former one back.
func TestHardLinksFollowTheirTarget(t *testing.T) {
	t.Parallel()
	for name, apart := range map[string]bool{"one bundle": false, "three bundles": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, newSite(t), nil)
			n.Publish(n.hostID, agenttest.Release{Bundles: linked("old", apart)})
			require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
			n.together("old")
			before := stands(t, n.root)

			n.Publish(n.hostID, agenttest.Release{Bundles: linked("new", apart)})
			dry := n.run(agent.Options{DryRun: true})
			require.Equal(t, "incorrect incorrect incorrect", n.states(dry))
			require.Equal(t, "its target is made anew", dry.Lines[0].Reason)
			r := n.run(agent.Options{})
			require.Equal(t, release.StateClean, r.Report.State, r.Report.Bad)
			require.Len(t, r.Report.Modified, 3)
			for _, item := range r.Report.Modified {
				require.Equal(t, agent.CauseRelease, item.Cause)
			}
			n.together("new")
			after := stands(t, n.root)
			require.Empty(t, n.run(agent.Options{}).Report.Modified)

			u, err := n.agent.Undo(t.Context(), agent.UndoOptions{})
			require.NoError(t, err)
			require.True(t, u.Whole(), u)
			n.together("old")
			require.Equal(t, before, stands(t, n.root))

			// The undo of the undo, and of both runs.
			runs, err := n.agent.Runs()
			require.NoError(t, err)
			_, err = n.agent.Undo(t.Context(), agent.UndoOptions{Run: runs[len(runs)-1].ID})
			require.NoError(t, err)
			n.together("new")
			require.Equal(t, after, stands(t, n.root))
			_, err = n.agent.Undo(t.Context(), agent.UndoOptions{Run: runs[0].ID})
			require.NoError(t, err)
			require.NoFileExists(t, n.root+"/target")
			require.NoFileExists(t, n.root+"/first")
		})
	}
}

// Names that were files of their own come back so, be their content the same.
func TestUndoJoinsNoFiles(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	for _, name := range []string{"/target", "/first", "/second"} {
		require.NoError(t, os.WriteFile(n.root+name, []byte("old"), 0o600))
	}
	n.Publish(n.hostID, agenttest.Release{Bundles: linked("new", true)})
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	n.together("new")
	u, err := n.agent.Undo(t.Context(), agent.UndoOptions{})
	require.NoError(t, err)
	require.True(t, u.Whole(), u)
	for _, name := range []string{"/target", "/first", "/second"} {
		require.Equal(t, "old", read(t, n.root+name), name)
		require.NoError(t, os.WriteFile(n.root+name, []byte("mine"), 0o600))
	}
}

// A run of the target alone leaves its other names, and says that they are wrong now.
func TestHardLinksThatAreLeft(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Bundles: linked("old", true)})
	n.run(agent.Options{})
	n.Publish(n.hostID, agenttest.Release{Bundles: linked("new", true)})
	no := func(context.Context, string) (bool, error) { return false, nil }
	r := n.run(agent.Options{Ask: no})
	require.Equal(t, "correct correct incorrect", n.states(r), "their target is not made anew")
	r = n.run(agent.Options{Choice: choice.Choice{Bundles: []string{"target"}}})
	require.Equal(t, "correct incorrect correct", n.states(r), "the second name is still one of the first")
	require.Equal(t, "left as it is: not chosen for this run; is not the same file as its target", r.Lines[1].Reason)
	require.Equal(t, release.StateDirty, r.Report.State)
	require.Equal(t, "old", read(t, n.root+"/first"))
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	n.together("new")
}

// The bundle of a hard link is modified with it: its actions come before and after, and
// where one fails that has to come before, the link stays as it is and is told of.
func TestBundlesOfHardLinks(t *testing.T) {
	t.Parallel()
	n, files, ran := memory(t)
	publish := func(text, before string) {
		n.Publish(n.hostID, agenttest.Release{Bundles: []*config.Bundle{
			agenttest.Structure("Bundle", "link", path("/link", "hardlink", "to=/target", "mode=0644"), action(before, "timing=pre"), action("after", "timing=post")),
			agenttest.Structure("Bundle", "target", agenttest.File("/target", text)),
		}})
	}
	publish("a", "before")
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	require.Equal(t, []string{"before", "after"}, ran())
	publish("b", "before")
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	require.Equal(t, []string{"before", "after"}, ran())
	publish("b", "before")
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	require.Empty(t, ran())

	publish("c", "fail")
	r := n.run(agent.Options{})
	require.Equal(t, []string{"fail"}, ran())
	require.Equal(t, driver.Incorrect, r.Lines[0].State)
	require.Contains(t, r.Lines[0].Reason, "an action that must come before failed; is not the same file as its target")
	require.Equal(t, driver.Correct, r.Lines[3].State)

	// What only an action brings is not known before.
	publish("c", "before")
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	n.Publish(n.hostID, agenttest.Release{Bundles: []*config.Bundle{
		agenttest.Structure("Bundle", "link", path("/link", "hardlink", "to=/brought", "mode=0644")),
		agenttest.Structure("Bundle", "target", agenttest.File("/target", "d"), action("clobber /brought", "timing=pre")),
	}})
	require.NoError(t, files.Change(system.Change{Op: system.Hardlink, Name: "/brought", To: "/link"}))
	r = n.run(agent.Options{})
	require.Equal(t, release.StateClean, r.Report.State, r.Report.Bad)
	require.Equal(t, "is not the same file as its target", r.Lines[0].Was)
}

// Hard links that name each other in a circle are wrong, and end no run.
func TestHardLinksInACircle(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{
		path("/a", "hardlink", "to=/b"), path("/b", "hardlink", "to=/a"), path("/c", "hardlink", "to=/b"), agenttest.File("/file", "x"),
	}})
	require.Equal(t, "missing missing missing correct", n.states(n.run(agent.Options{})))
}
