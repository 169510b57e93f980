// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// crowded is a host with two packages and two people that nobody asks for. Its tools
// do what they are told, but for the package "stays".
type crowded struct {
	*node
	t      *testing.T
	files  *systemtest.Files
	parts  map[string]string
	people []string
	did    []string
}

func newCrowded(t *testing.T) *crowded {
	n, files, _ := memory(t)
	c := &crowded{node: n, t: t, files: files, parts: map[string]string{"wanted": "1", "old": "2", "stays": "3"}, people: []string{"root:x:0:0:root:/root:/bin/sh", "eve:x:1001:1001:eve:/home/eve:/bin/sh", "mallory:x:1002:1002:mallory:/home/mallory:/bin/sh"}}
	for _, name := range []string{"/etc", "/var", "/var/lib", "/var/lib/dpkg"} {
		require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: name, Mode: 0o755}))
	}
	c.write("/etc/group", "root:x:0:\neve:x:1001:\nmallory:x:1002:\nlone:x:1500:\nclub:x:1600:root\n")
	c.save()
	c.populate()
	n.config.Machine.Processes.(*systemtest.Processes).Answer = c.answer
	admin := agenttest.Entry("POSIXUser", "", "name=root", "uid=0", "gecos=root", "home=/root", "shell=/bin/sh", "group=root")
	admin.Children = []*config.Node{{Tag: "MemberOf", Text: "club"}} // which no other entry asks for
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{
		agenttest.Entry("Package", "", "name=wanted", "type=deb", "version=any", "verify=false"), admin,
		agenttest.Entry("POSIXGroup", "", "name=root", "gid=0"),
	}, Policy: release.Policy{RemovalMax: 4}})
	return c
}

func (c *crowded) write(name, text string) {
	require.NoError(c.t, c.files.Change(system.Change{Op: system.Write, Name: name, Mode: 0o644, Content: []byte(text)}))
}

func (c *crowded) save() {
	status := ""
	for _, name := range []string{"wanted", "old", "stays"} {
		if v := c.parts[name]; v != "" {
			status += "Package: " + name + "\nStatus: install ok installed\nArchitecture: all\nVersion: " + v + "\n\n"
		}
	}
	c.write("/var/lib/dpkg/status", status)
}

func (c *crowded) populate() { c.write("/etc/passwd", strings.Join(c.people, "\n")+"\n") }

func (c *crowded) answer(cmd system.Command) (system.Result, error) {
	if cmd.Asks {
		return system.Result{}, nil
	}
	c.did = append(c.did, cmd.Args[0]+" "+strings.Join(cmd.Args[max(0, slices.Index(cmd.Args, "--")):], " "))
	what := cmd.Args[slices.Index(cmd.Args, "--")+1:]
	switch {
	case slices.Contains(cmd.Args, "purge") && slices.Contains(what, "stays"):
		return system.Result{Exit: 100, Tail: []byte("E: it stays\n")}, nil
	case slices.Contains(cmd.Args, "purge"):
		for _, name := range what {
			delete(c.parts, name)
		}
	case slices.Contains(cmd.Args, "install"):
		for _, spec := range what {
			name, version, _ := strings.Cut(spec, "=")
			c.parts[name] = version
		}
	case cmd.Args[0] == "userdel":
		c.people = slices.DeleteFunc(c.people, func(p string) bool { return strings.HasPrefix(p, cmd.Args[1]+":") })
		c.populate()
	}
	c.save()
	return system.Result{}, nil
}

func (c *crowded) extras(r *agent.Result) []string {
	var out []string
	for _, s := range r.Surplus {
		out = append(out, map[bool]string{true: "-"}[s.Removed]+s.Name)
	}
	return out
}

// What nobody asks for is told of, and stays until somebody says that it should go;
// what cannot go is told, and does not keep the rest.
func TestSurplusGoesWhenAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options agent.Options
		extras  []string
		failed  string
	}{
		{"not asked for", agent.Options{}, []string{"old", "stays", "eve", "mallory", "lone"}, ""},
		{"dry run", agent.Options{DryRun: true, Remove: agent.RemoveAll}, []string{"old", "stays", "eve", "mallory", "lone"}, "allows 4"},
		{"packages", agent.Options{Remove: agent.RemovePackages}, []string{"-old", "stays", "eve", "mallory", "lone"}, "it stays"},
		{"users", agent.Options{Remove: agent.RemoveUsers}, []string{"old", "stays", "-eve", "-mallory", "-lone"}, ""},
		{"services", agent.Options{Remove: agent.RemoveServices}, []string{"old", "stays", "eve", "mallory", "lone"}, ""},
		{"more than the policy allows", agent.Options{Remove: agent.RemoveAll}, []string{"old", "stays", "eve", "mallory", "lone"}, "policy.removal.max allows 4"},
		{"more, and allowed", agent.Options{Remove: agent.RemoveAll, Removals: true}, []string{"-old", "stays", "-eve", "-mallory", "-lone"}, "it stays"},
		{"a part of the host", agent.Options{Remove: agent.RemoveUsers, Choice: choice.Choice{Bundles: []string{"base"}}}, []string{"old", "stays", "eve", "mallory", "lone"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newCrowded(t)
			r := n.run(c.options)
			require.Equal(t, c.extras, n.extras(r))
			gone := 0
			for _, s := range r.Surplus {
				if s.Removed {
					gone++
				}
				if s.Failed {
					require.Contains(t, s.Reason, c.failed)
				}
			}
			require.Len(t, r.Report.Modified, gone)
			require.Len(t, r.Report.Extra, len(r.Surplus)-gone)
			if gone == 0 && c.failed == "" {
				require.Empty(t, n.did)
			}
		})
	}
	n := newCrowded(t)
	_, err := n.agent.Run(t.Context(), agent.Options{Remove: "everything"})
	require.ErrorContains(t, err, "none of all, packages")
}

// Whoever keeps only a list is not obeyed beyond it, and mode report takes nothing.
func TestSurplusThatIsKept(t *testing.T) {
	t.Parallel()
	n := newCrowded(t)
	n.config.Decision = choice.Blacklist
	n.open()
	entries := []config.Entry{agenttest.Entry("Package", "", "name=wanted", "type=deb", "version=any", "verify=false")}
	n.Publish(n.hostID, agenttest.Release{Entries: entries, Policy: release.Policy{Blacklist: [][2]string{{"Package", "o*"}}}})
	r := n.run(agent.Options{Remove: agent.RemoveAll})
	require.Contains(t, r.Surplus[0].Reason, "on the blacklist")
	require.Equal(t, "2", n.parts["old"])
	n.did = nil
	n.Publish(n.hostID, agenttest.Release{Entries: entries, Mode: release.ModeReport})
	r = n.run(agent.Options{Remove: agent.RemoveAll})
	require.Equal(t, "would be taken away", r.Surplus[1].Reason)
	require.Empty(t, n.did)
}

// What was taken away comes back with an undo.
func TestSurplusComesBack(t *testing.T) {
	t.Parallel()
	n := newCrowded(t)
	delete(n.parts, "stays")
	n.save()
	r := n.run(agent.Options{Remove: agent.RemoveAll})
	require.Equal(t, []string{"-old", "-eve", "-mallory", "-lone"}, n.extras(r))
	require.Empty(t, n.parts["old"])
	_, err := n.agent.Undo(t.Context(), agent.UndoOptions{Reason: "test"})
	require.NoError(t, err)
	require.Equal(t, "2", n.parts["old"])
	f, err := n.files.Open("/etc/passwd")
	require.NoError(t, err)
	defer f.Close()
	text := make([]byte, 1000)
	size, _ := f.Read(text)
	require.Contains(t, string(text[:size]), "eve:x:1001")
}
