// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem"
)

// snapshot is a tree that says itself what it cannot give.
type snapshot struct {
	fstest.MapFS
	refused []*problem.Problem
}

func (s snapshot) Problems() []*problem.Problem { return s.refused }

func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return fsys
}

// codes leaves out which plugins are not evaluated: lint reads their files anyhow.
func codes(problems []*problem.Problem) []string {
	var out []string
	for _, p := range problems {
		if p.Code != "plugin-not-supported" {
			out = append(out, p.Pos.String()+" "+p.Code)
		}
	}
	return out
}

// What several of them find is said once: the tree, reading, and the checks.
func TestLintJoinsWhatIsFound(t *testing.T) {
	fsys := snapshot{
		MapFS: tree(map[string]string{
			"Metadata/groups.xml":  `<Groups><Group><Bundle/></Group><Group name="web" profile="true"/></Groups>`,
			"Metadata/clients.xml": `<Clients><Client name="a" profile="web"/><Client name="a" profile="web"/></Clients>`,
			"Probes/a.sh":          "#!/bin/sh\n",
			"Probes/lib/x":         "x",
			"Cfg/stray":            "x",
			"Rules/broken.xml":     "<Rules",
			"bindery.yaml":         "policy:\n  mode: maybe\n",
			"Properties/bad.yaml":  "a: [1\n",
			"Properties/deep.yaml": "a: [[[[1]]]]\n",
		}),
		refused: []*problem.Problem{problem.New(problem.Pos{File: "Bundler/shared"}, "submodule", "submodules are not followed", "")},
	}
	found, err := engine.Lint(t.Context(), fsys, engine.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{
		"Bundler/shared submodule",
		"Cfg/stray unknown-cfg-files",
		"Metadata/clients.xml:1:50 duplicate-client",
		"Metadata/groups.xml:1:9 group-without-name",
		"Metadata/groups.xml:1:16 bundle-without-name",
		"Probes/a.sh unknown-probe-file",
		"Probes/lib directory-in-probes",
		"Properties/bad.yaml:1:4 yaml-failed-to-parse",
		"Rules/broken.xml:1:7 xml-failed-to-parse",
		"bindery.yaml bad-setting",
	}, codes(found))
}

func TestLintKnowsTheSettings(t *testing.T) {
	fsys := tree(map[string]string{
		"Metadata/groups.xml": `<Groups><Group name="web" profile="true"/></Groups>`,
		"Probes/groups":       "#!/bin/sh\necho group:web\n",
		"Rules/r.xml":         "<Rules/>",
	})
	found, err := engine.Lint(t.Context(), fsys, engine.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"Probes/groups probes-allowed-groups", "Rules/r.xml:1:1 bogus-priority"}, codes(found))

	fsys["bcfg2.conf"] = &fstest.MapFile{Data: []byte("[server]\nplugins = Probes\n[probes]\nallowed_groups = web\n")}
	found, err = engine.Lint(t.Context(), fsys, engine.Options{})
	require.NoError(t, err)
	require.Empty(t, found)
}

// YAML that would keep a parser busy is refused before it is parsed.
func TestLintBoundsYAML(t *testing.T) {
	deep := make([]byte, 100_000)
	for i := range deep {
		deep[i] = '['
	}
	found, err := engine.Lint(t.Context(), tree(map[string]string{"Properties/p.yaml": string(deep), "Metadata/groups.xml": "<Groups/>"}), engine.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"Properties/p.yaml:1:1 yaml-failed-to-parse"}, codes(found))
}

func TestLintHosts(t *testing.T) {
	spec, err := engine.Open(t.Context(), tree(map[string]string{
		"Metadata/clients.xml": `<Clients><Client name="a.example.org" profile="web"/><Client name="b.example.org" profile="web"/></Clients>`,
		"Metadata/groups.xml":  `<Groups><Group name="web" profile="true"><Bundle name="ssh"/></Group></Groups>`,
		"Bundler/ssh.xml":      `<Bundle><Service name="sshd"/></Bundle>`,
	}), engine.Options{})
	require.NoError(t, err)
	found, err := spec.LintHosts(t.Context(), []engine.Input{{Host: "a.example.org"}, {Host: "b.example.org"}, {Host: "c.example.org"}})
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Contains(t, found[0].Msg, "(a.example.org and 1 more)")
	require.Equal(t, "Bundler/ssh.xml", found[0].Pos.File)
	require.Equal(t, "unknown-host", found[1].Code)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = spec.LintHosts(ctx, []engine.Input{{Host: "a.example.org"}})
	require.ErrorIs(t, err, context.Canceled)
}

func TestLintSource(t *testing.T) {
	line, column, ok := engine.Source(tree(map[string]string{"a.xml": "<a password='canary' b='c'/>"}))(problem.Pos{File: "a.xml", Line: 1, Column: 22})
	require.True(t, ok)
	require.Equal(t, "<a password='***' b='c'/>", line)
	require.Equal(t, 19, column)
}
