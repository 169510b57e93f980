// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

func two() []*config.Bundle {
	return []*config.Bundle{
		agenttest.Structure("Bundle", "web", agenttest.File("/web", "x"), agenttest.File("/web.d", "x"), action("web", "timing=post")),
		agenttest.Structure("Bundle", "db", agenttest.File("/db", "x"), action("db", "timing=both", "when=always")),
	}
}

// What was not chosen is told of as it is, and nothing of it is touched: no file, no
// action.
func TestWhatWasNotChosenIsLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		choice choice.Choice
		ran    []string
		states string
	}{
		"bundle":     {choice.Choice{Bundles: []string{"web"}}, []string{"web"}, "correct correct correct missing correct"},
		"not bundle": {choice.Choice{NotBundles: []string{"web"}}, []string{"db", "db"}, "missing missing correct correct correct"},
		"entry":      {choice.Choice{Entries: []string{"Path:/web"}}, []string{"web"}, "correct missing correct missing correct"},
		"pattern":    {choice.Choice{Entries: []string{"*:/web*"}}, []string{"web"}, "correct correct correct missing correct"},
	} {
		t.Run(name, func(t *testing.T) {
			n, _, ran := memory(t)
			n.Publish(n.hostID, agenttest.Release{Bundles: two()})
			r := n.run(agent.Options{Choice: c.choice})
			require.Equal(t, c.states, n.states(r))
			require.Equal(t, c.ran, ran())
			require.Equal(t, release.StateDirty, r.Report.State, "a part of a host is not the host")
			require.NotEmpty(t, r.Report.Flags)
		})
	}
	n, _, ran := memory(t)
	n.Publish(n.hostID, agenttest.Release{Bundles: two()})
	_, err := n.agent.Run(t.Context(), agent.Options{Choice: choice.Choice{Bundles: []string{"wbe"}}})
	_, ok := errors.AsType[*choice.Error](err)
	require.True(t, ok, err)
	require.Empty(t, ran())
	last, err := n.agent.Ran()
	require.NoError(t, err)
	require.Nil(t, last, "who mistypes a name does not make it a run that failed")
}

// The lists come in the signed release, and which of them counts is for the host to
// say: neither an entry nor an action that they keep is touched, nor what an action
// that is kept has to come before.
func TestDecisionLists(t *testing.T) {
	t.Parallel()
	policy := release.Policy{Whitelist: [][2]string{{"Path", "/web*"}}, Blacklist: [][2]string{{"*", "db"}, {"Path", "/web"}}}
	for decision, want := range map[choice.Decision]struct {
		ran    []string
		states string
	}{
		choice.Free:      {[]string{"db", "web", "db"}, "correct correct correct correct correct"},
		choice.Whitelist: {nil, "correct correct correct missing correct"},
		choice.Blacklist: {[]string{"web"}, "missing correct correct missing correct"},
	} {
		n, _, ran := memory(t)
		n.config.Decision = decision
		n.open()
		n.Publish(n.hostID, agenttest.Release{Bundles: two(), Policy: policy})
		r := n.run(agent.Options{})
		require.Equal(t, want.states, n.states(r), decision)
		require.Equal(t, want.ran, ran(), decision)
	}
}

// Each change is asked for, and what nobody agrees to is left; a signal while
// somebody thinks ends the run with nothing changed.
func TestAsking(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		yes    string
		states string
		ran    []string
	}{
		"nothing":                      {"", "missing missing correct missing correct", nil},
		"a file":                       {"/web (", "correct missing correct missing correct", nil},
		"its action also":              {"/web (|Action:web", "correct missing correct missing correct", []string{"web"}},
		"an action":                    {"Action:db", "missing missing correct missing correct", []string{"db", "db"}},
		"all but what comes before it": {"Path:", "correct correct correct missing correct", nil},
	} {
		t.Run(name, func(t *testing.T) {
			n, _, ran := memory(t)
			n.Publish(n.hostID, agenttest.Release{Bundles: two()})
			var asked, shown []string
			before := func(l agent.Line) {
				shown = append(shown, l.Key.Name)
				require.Contains(t, l.Diff, "+x", "who is asked sees what would change")
			}
			r := n.run(agent.Options{Before: before, Ask: func(_ context.Context, what string) (bool, error) {
				asked = append(asked, what)
				return slices.ContainsFunc(strings.Split(c.yes, "|"), func(y string) bool { return y != "" && strings.Contains(what, y) }), nil
			}})
			require.Equal(t, c.states, n.states(r))
			require.Equal(t, c.ran, ran())
			require.Equal(t, "change Path:/web (does not exist)", asked[0])
			require.Equal(t, []string{"/web", "/web.d", "/db"}, shown)
			require.Equal(t, []string{"interactive"}, r.Report.Flags)
		})
	}
	n, files, _ := memory(t)
	n.Publish(n.hostID, agenttest.Release{Bundles: two()})
	interrupted := errors.New("interrupted")
	_, err := n.agent.Run(t.Context(), agent.Options{Ask: func(context.Context, string) (bool, error) { return true, interrupted }})
	require.ErrorIs(t, err, interrupted)
	require.Empty(t, files.Done())
}

// Each entry that was worked on is shown when that is done, as it is then and not as
// it was found, with what changed in it.
func TestWatching(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	require.NoError(t, files.Change(system.Change{Op: system.Write, Name: "/web", Mode: 0o644, Content: []byte("was\n")}))
	bundles := append(two(), agenttest.Structure("Bundle", "bad", agenttest.File("/web/under", "x")))
	n.Publish(n.hostID, agenttest.Release{Bundles: bundles})
	var seen []string
	r := n.run(agent.Options{Watch: func(l agent.Line) {
		seen = append(seen, l.Key.String())
		if l.Key.Name == "/web/under" {
			require.NotEqual(t, driver.Correct, l.State)
			require.NotEmpty(t, l.Reason)
		} else {
			require.Equal(t, driver.Correct, l.State, l.Key)
			require.True(t, l.Changed, l.Key)
			require.Empty(t, l.Reason)
		}
		if l.Key.Name == "/web" {
			require.Contains(t, l.Diff, "-was")
		}
	}})
	require.Equal(t, []string{"Action:db", "Path:/web", "Path:/web.d", "Path:/db", "Path:/web/under", "Action:web", "Action:db"}, seen)
	require.Contains(t, r.Lines[0].Diff, "-was", "what was changed is shown at the end as well")
}

// A tool that hangs for one entry does not hold the run.
func TestEntryThatHangs(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: "/etc", Mode: 0o755}))
	for name, text := range map[string]string{"passwd": "root:x:0:0:root:/root:/bin/sh\n", "group": "root:x:0:\n"} {
		require.NoError(t, files.Change(system.Change{Op: system.Write, Name: "/etc/" + name, Mode: 0o644, Content: []byte(text)}))
	}
	n.config.Machine.Processes = hanging{n.config.Machine.Processes.(*systemtest.Processes)}
	n.config.EntryTimeout = 50 * time.Millisecond
	n.open()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{
		agenttest.Entry("POSIXGroup", "", "name=g"), agenttest.File("/after", "x"),
	}})
	r := n.run(agent.Options{})
	require.Equal(t, "missing correct", n.states(r))
	require.Contains(t, r.Lines[0].Reason, "ran too long")
}

// hanging is a machine whose programs end when they are told to.
type hanging struct{ *systemtest.Processes }

func (hanging) Run(ctx context.Context, _ system.Command) (system.Result, error) {
	<-ctx.Done()
	return system.Result{}, ctx.Err()
}
