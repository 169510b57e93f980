// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/internal/lint"
	"github.com/bindery/bindery/engine/problem"
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
	var in []engine.Input
	for _, h := range append(spec.Hosts(), "www.example.org") {
		in = append(in, engine.Input{Host: h})
	}
	problems, err := spec.LintBuilt(t.Context(), in)
	require.NoError(t, err)
	var out []string
	for _, p := range problems {
		out = append(out, p.Code)
	}
	return out
}

// Every code has an example that has it and one that has not.
func TestExamplesOfProblems(t *testing.T) {
	require.Empty(t, found(t, nil))
	all, err := explain.All()
	require.NoError(t, err)
	for _, c := range all {
		t.Run(c.Code, func(t *testing.T) {
			if c.Needs != "" {
				require.Empty(t, c.Bad, "it has an example: take the line Needs away")
				return
			}
			require.NotEmpty(t, c.Bad, "write an example, or what one would need")
			require.NotEmpty(t, c.Good, "write an example that has it not")
			require.Contains(t, found(t, c.Bad), c.Code)
			require.NotContains(t, found(t, c.Good), c.Code)
		})
	}
}

// The pages of all problems are what the codes say.
func TestReferenceProblems(t *testing.T) {
	all, err := explain.All()
	require.NoError(t, err)
	require.NoError(t, reference.Check("../docs/reference/problems.md", explain.Page(all)))
	require.NoError(t, reference.Check("../docs/reference/bcfg2-lint.md", explain.Bcfg2Page(all)))
}

// A comment that allows what only a build finds is not called unused without one.
func TestWhatOnlyABuildFinds(t *testing.T) {
	all, err := explain.All()
	require.NoError(t, err)
	kept := specimens(t)
	for _, c := range all {
		s, ok := kept[c.Code]
		if !ok {
			s.bad = specimen{fsys: tree(example(c.Bad))}
		}
		spec, err := engine.Open(t.Context(), s.bad.fsys, s.bad.options)
		require.NoError(t, err)
		problems, err := spec.Lint(t.Context())
		require.NoError(t, err)
		for _, p := range problems {
			require.False(t, p.Code == c.Code && lint.OnlyBuilt(c.Code), "%s is found without a build", c.Code)
		}
		built, err := spec.LintHosts(t.Context(), s.bad.inputs(append(spec.Hosts(), "www.example.org")))
		require.NoError(t, err)
		without := !slices.ContainsFunc(problems, func(p *problem.Problem) bool { return p.Code == c.Code })
		for _, p := range append(problems, built...) {
			require.NotContains(t, elsewhere(), p.Code, "lint tells of it: write a specimen")
		}
		for _, p := range built {
			if p.Code == c.Code && without && p.Severity == problem.Warning {
				require.True(t, lint.OnlyBuilt(c.Code), "%s is found by a build alone", c.Code)
			}
		}
	}
}
