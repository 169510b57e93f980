// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem/explain"
	"github.com/bindery/bindery/internal/reference"
)

// example is a small specification without a problem; the files of an example are
// put into it.
func example(files []explain.File) map[string]string {
	out := map[string]string{
		"Metadata/groups.xml":       "<Groups>\n  <Group name=\"web\" profile=\"true\"><Bundle name=\"ntp\"/></Group>\n</Groups>\n",
		"Metadata/clients.xml":      "<Clients>\n  <Client name=\"www.example.org\" profile=\"web\"/>\n</Clients>\n",
		"Bundler/ntp.xml":           "<Bundle>\n  <Path name=\"/etc/ntp.conf\"/>\n</Bundle>\n",
		"Cfg/etc/ntp.conf/ntp.conf": "server 192.0.2.1\n",
	}
	for _, f := range files {
		out[f.Name] = f.Data
	}
	return out
}

// found gives the codes of everything that lint and a build of all hosts say.
func found(t *testing.T, files []explain.File) []string {
	t.Helper()
	spec, err := engine.Open(t.Context(), tree(example(files)), engine.Options{})
	require.NoError(t, err)
	problems, err := spec.Lint(t.Context())
	require.NoError(t, err)
	var in []engine.Input
	for _, h := range append(spec.Hosts(), "www.example.org") {
		in = append(in, engine.Input{Host: h})
	}
	more, err := spec.LintHosts(context.WithoutCancel(t.Context()), in)
	require.NoError(t, err)
	var out []string
	for _, p := range append(problems, more...) {
		out = append(out, p.Code)
	}
	return out
}

// elsewhere are the codes that no small files of text can show, and what they need.
func elsewhere() map[string]string {
	return map[string]string{
		"bad-authority":              "certificates",
		"bad-certificate":            "certificates",
		"bad-key":                    "keys",
		"certificate-not-signed":     "certificates",
		"certificate-of-another-key": "certificates",
		"certificate-without-key":    "certificates",
		"key-locked":                 "keys",
		"old-signature":              "certificates",
		"passphrase-encrypted":       "keys",
		"bad-number":                 "a key that is to be made",
		"no-cert-spec":               "a certificate that is to be made",
		"no-key-named":               "a certificate that is to be made",
		"bad-host-name":              "a host of the command line",
		"entry-failed":               "a configuration of an earlier publication",
		"entry-too-deep":             "elements without number",
		"file-too-large":             "megabytes",
		"groups-too-complex":         "groups without number",
		"internal-error":             "a mistake of ours",
		"no-address":                 "an address that no file gives",
		"no-groups":                  "a file that is not there",
		"not-supported":              "what later versions do",
		"not-utf-8":                  "bytes",
		"plugin-not-supported":       "what later versions do",
		"profile-not-public":         "a profile that a host asks for",
		"refused":                    "an earlier publication",
		"source-not-recorded":        "a record that cannot be used",
		"special-file":               "a pipe",
		"submodule":                  "a commit",
		"symlink":                    "a link",
		"template-encoding":          "bytes",
		"too-deep":                   "files without number",
		"too-many-clients":           "clients without number",
		"too-many-findings":          "findings without number",
		"undecodable-content":        "bytes",
		"unreadable-file":            "a file that refuses",
		"xinclude-too-large":         "includes without number",
	}
}

// Every code has an example that has it and one that has not.
func TestExamplesOfProblems(t *testing.T) {
	require.Empty(t, found(t, nil))
	all, err := explain.All()
	require.NoError(t, err)
	other := elsewhere()
	for _, c := range all {
		t.Run(c.Code, func(t *testing.T) {
			if where, ok := other[c.Code]; ok {
				require.NotEmpty(t, where)
				require.Empty(t, c.Bad, "it has an example: take it out of elsewhere")
				return
			}
			require.NotEmpty(t, c.Bad, "write an example")
			require.NotEmpty(t, c.Good, "write an example that has it not")
			require.Contains(t, found(t, c.Bad), c.Code)
			require.NotContains(t, found(t, c.Good), c.Code)
		})
	}
}

// The page of all problems is what the codes say.
func TestReferenceProblems(t *testing.T) {
	all, err := explain.All()
	require.NoError(t, err)
	require.NoError(t, reference.Check("../docs/reference/problems.md", explain.Page(all)))
}
