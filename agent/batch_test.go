// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// dpkg lets apt-get install what it is told, in memory, and notes what was there
// before.
type dpkg struct {
	files *systemtest.Files
	had   []bool
	have  string
	asked int
}

func (d *dpkg) answer(c system.Command) (system.Result, error) {
	switch {
	case c.Args[0] == "apt-cache":
		d.asked++
		out := ""
		for _, name := range c.Args[4:] {
			out += name + ":\n  Installed: (none)\n  Candidate: 1\n  Version table:\n     1 500\n        500 file:/x ./ Packages\n"
		}
		return system.Result{Stdout: []byte(out)}, nil
	case c.Args[0] == "apt-get" && !c.Asks:
		_, err := d.files.Look("/etc/one.conf")
		d.had = append(d.had, err == nil)
		for _, spec := range c.Args {
			if name, version, ok := strings.Cut(spec, "="); ok && version == "1" {
				d.have += "Package: " + name + "\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"
			}
		}
		return system.Result{}, d.save()
	}
	return system.Result{}, nil
}

func (d *dpkg) save() error {
	return d.files.Change(system.Change{Op: system.Write, Name: "/var/lib/dpkg/status", Mode: 0o644, Content: []byte(d.have)})
}

// Packages of all bundles are installed in one call, before what is configured;
// the sources that they come from are there even before.
func TestPackagesBeforeFiles(t *testing.T) {
	t.Parallel()
	n, files, _ := memory(t)
	for _, name := range []string{"/var", "/var/lib", "/var/lib/dpkg"} {
		require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: name, Mode: 0o755}))
	}
	tool := &dpkg{files: files, have: "Package: manual\nStatus: install ok installed\nArchitecture: all\nVersion: 3\n\n"}
	require.NoError(t, tool.save())
	n.config.Machine.Processes.(*systemtest.Processes).Answer = tool.answer
	n.Publish(n.hostID, agenttest.Release{Bundles: []*config.Bundle{
		agenttest.Structure("Bundle", "one", agenttest.File("/etc/one.conf", "x"), agenttest.Entry("Package", "", "name=one", "type=deb", "version=auto")),
		agenttest.Structure("Bundle", "two", agenttest.File("/etc/apt/sources.list", "deb"), agenttest.Entry("Package", "", "name=two", "type=apt", "version=any"), action("after two", "timing=post")),
	}})
	r := n.run(agent.Options{DryRun: true})
	require.Equal(t, "missing missing missing missing correct", n.states(r))
	r = n.run(agent.Options{})
	require.Equal(t, "correct correct correct correct correct", n.states(r))
	require.Equal(t, []bool{false}, tool.had, "one call, before the files")
	var order []string
	for _, c := range files.Done() {
		order = append(order, c.Name)
	}
	require.Contains(t, strings.Join(order, " "), "/etc/apt/sources.list /var/lib/dpkg/status /etc/one.conf")
	require.Equal(t, "is not installed", r.Lines[1].Was)
	require.Equal(t, "Package:manual", r.Report.Extra[0].Key.String())
	require.Equal(t, "not configured: 3", r.Report.Extra[0].Reason)
	r = n.run(agent.Options{})
	require.Empty(t, r.Report.Modified)
	require.Len(t, tool.had, 1)
	asked := tool.asked
	n.open()
	require.Equal(t, "correct correct correct correct correct", n.states(n.run(agent.Options{})))
	require.Equal(t, asked, tool.asked, "the next process knows what the last one asked")
	require.NoError(t, n.dir.Write("learned-deb.json", []byte("{")))
	n.open()
	require.Equal(t, "correct correct correct correct correct", n.states(n.run(agent.Options{})))
	require.Greater(t, tool.asked, asked, "what is damaged is found out anew")
}
