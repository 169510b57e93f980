// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/lint"
	"github.com/bindery/bindery/engine/problem"
)

func files(list map[string]string) fstest.MapFS {
	out := fstest.MapFS{"Metadata/groups.xml": {Data: []byte("<Groups/>")}}
	for name, data := range list {
		out[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return out
}

// A comment holds for the element behind it, or for the file when it stands outside.
func TestAllowances(t *testing.T) {
	for name, c := range map[string]struct{ file, data, want string }{
		"next element": {"Defaults/d.xml", "<Defaults priority='1'>\n<!-- bindery:allow unknown-attribute old client -->\n<Service name='a' x='1'\n y='2'/>\n<Service name='b' x='1'/>\n</Defaults>",
			"Defaults/d.xml:5:19: warning: x is not known on <Service> [unknown-attribute]\n"},
		"file":          {"Defaults/d.xml", "<!-- bindery:allow unknown-attribute old client -->\n<Defaults priority='1'><Service name='a' x='1'/><Service name='b' x='1'/></Defaults>", ""},
		"another code":  {"Defaults/d.xml", "<Defaults priority='1'>\n<!-- bindery:allow unknown-element why not -->\n<Service name='a'/></Defaults>", "Defaults/d.xml:2:1: warning: the comment allows unknown-element, which is not found where it holds [allow-unused]\n"},
		"no code":       {"Defaults/d.xml", "<Defaults priority='1'><!-- bindery:allow --></Defaults>", "Defaults/d.xml:1:24: warning: the comment allows nothing [allow-without-reason]\n"},
		"only a build":  {"Defaults/d.xml", "<Defaults priority='1'><!-- bindery:allow undefined-group comes from a probe --></Defaults>", ""},
		"text":          {"Probes/p", "#!/bin/sh\n# bindery:allow probes-allowed-groups all hosts are ours\necho group:web\n", ""},
		"text, no use":  {"Probes/p", "#!/bin/sh\n# bindery:allow probes-allowed-groups all hosts are ours\n", "Probes/p:2:1: warning: the comment allows probes-allowed-groups, which is not found where it holds [allow-unused]\n"},
		"no reason":     {"Probes/p", "# bindery:allow probes-allowed-groups\necho group:web\n", "Probes/p: warning: the probe gives groups: a stolen host could give itself any group [probes-allowed-groups]\nProbes/p:1:1: warning: the comment does not say why, and does not hold [allow-without-reason]\n"},
		"what stops":    {"Defaults/d.xml", "<Defaults priority='1'>\n<!-- bindery:allow missing-attribute why not -->\n<Group/></Defaults>", "Defaults/d.xml:2:1: warning: missing-attribute stops something here, and cannot be allowed [allow-refused]\nDefaults/d.xml:3:1: error: <Group> needs name [missing-attribute]\n"},
		"not a comment": {"Cfg/etc/motd/motd", "say bindery:allow nothing\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, files(map[string]string{c.file: c.data}))
			for _, p := range got {
				p.Hint = ""
			}
			require.Equal(t, c.want, show(got))
		})
	}
}

// Severities can be changed, except of what stops something.
func TestSeverities(t *testing.T) {
	fsys := files(map[string]string{
		"Probes/p.sh":         "echo",
		"Rules/r.xml":         "<Rules priority='1'><Group/><Path name='x' type='directory' owner='a' group='b' mode='0755'/></Rules>",
		"Cfg/etc/motd/motd.x": "x",
		"Cfg/etc/motd/motd":   "x",
	})
	with := func(conf map[string]map[string]string) map[string]problem.Severity {
		found, err := runWith(t.Context(), fsys, lint.Config{Conf: conf})
		require.NoError(t, err)
		out := map[string]problem.Severity{}
		for _, p := range found {
			out[p.Code] = p.Severity
		}
		return out
	}
	require.Equal(t, map[string]problem.Severity{
		"unknown-probe-file": problem.Warning, "missing-attribute": problem.Error, "required-attr-format": problem.Error, "unknown-cfg-files": problem.Error,
	}, with(nil))
	require.Equal(t, map[string]problem.Severity{
		"unknown-probe-file": problem.Error, "missing-attribute": problem.Error, "required-attr-format": problem.Warning, "no-infoxml": problem.Warning,
	}, with(map[string]map[string]string{"errors": {
		"unknown-probe-file": "error", "missing-attribute": "silent", "required-attr-format": "warning", "unknown-cfg-files": "silent", "no-infoxml": "warning",
	}}))
	require.NotContains(t, with(map[string]map[string]string{"lint": {"plugins": "Bundler, Cfg"}}), "required-attr-format")
}
