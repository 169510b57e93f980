// SPDX-License-Identifier: Apache-2.0

package reference_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/reference"
)

func TestCommands(t *testing.T) {
	root := &cobra.Command{Use: "tool", Short: "does things", Version: "1"}
	root.PersistentFlags().String("config", "", "read `FILE`")
	sub := &cobra.Command{Use: "run NAME", Short: "run one|two", Example: "  tool run x", Run: func(*cobra.Command, []string) {}}
	sub.Flags().StringP("out", "o", "here", "write to `DIR`")
	sub.Flags().Bool("quiet", false, "say less")
	hidden := &cobra.Command{Use: "secret", Hidden: true, Run: func(*cobra.Command, []string) {}}
	root.AddCommand(sub, hidden)
	page := string(reference.Commands(root))
	for _, want := range []string{
		"# tool\n", "Does things.", "| [`tool run`](#tool-run) | run one\\|two |", "## tool run\n", "tool run NAME [flags]", "Examples:\n\n```text\n  tool run x\n```",
		"-o, --out DIR   write to DIR (default \"here\")", "--quiet     say less",
		"version for tool", "Flags of `tool`:\n\n```text\n      --config FILE   read FILE\n```",
	} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "secret")
}

// Pages are laid out as man and mandoc want them.
func TestManPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1795312628")
	sub := &cobra.Command{Use: "run NAME", Short: "run one", Long: "Run runs.\n\nExit codes:\n  0  done\n  1  not\nThat is all.", Example: "  tool run x", Run: func(*cobra.Command, []string) {}}
	sub.Flags().StringP("out", "o", "", "write to `DIR`")
	sub.Flags().StringSlice("also", nil, "more")
	sub.Flags().String("format", "text", "text or json")
	sub.Flags().Bool("quiet", false, "say less")
	root := &cobra.Command{Use: "tool", Short: "does things"}
	root.AddCommand(sub)
	dir := t.TempDir()
	require.NoError(t, reference.Man(root, dir))
	page, err := os.ReadFile(filepath.Join(dir, "tool-run.1"))
	require.NoError(t, err)
	for _, want := range []string{
		`.TH "TOOL-RUN" "1" "2026-11-22" "tool"`, "\n  1  not\n.PP\nThat is all.\n", "\n.TP\n\\fB-o\\fP, \\fB--out\\fP \\fIVALUE\\fR\nwrite to ",
		"\n.TP\n\\fB--also\\fP \\fIVALUE\\fR\nmore\n", "\n.TP\n\\fB--format\\fP=\"text\"\ntext or json\n", "\n.TP\n\\fB--quiet\\fP\nsay less\n", "\n  tool run x\n",
	} {
		require.Contains(t, string(page), want)
	}
	require.NotContains(t, string(page), "\t")
	require.FileExists(t, filepath.Join(dir, "tool.1"))
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "c.go"), []byte(text), 0o600))
	}
	write("package c\ntype C struct {\n// Listen is where.\nListen string `yaml:\"listen\"`\n// Repos are many.\nRepos []Repo `yaml:\"repos,omitempty\"`\nmu int\n}\n" +
		"type Repo struct {\nURL string `yaml:\"url\"` // where it is\n}\n")
	page, err := reference.Settings(reference.Page{File: "c.yaml", About: "All.", Dir: dir, Type: "C"})
	require.NoError(t, err)
	require.Contains(t, string(page), "| `listen` | string | Listen is where. |\n| `repos` | list of repo | Repos are many. |\n| `repos.url` | string | where it is |\n")

	_, err = reference.Settings(reference.Page{Dir: dir, Type: "None"})
	require.ErrorContains(t, err, "no struct None")
	write("package c\ntype C struct {\nListen string `yaml:\"listen\"`\n}\n")
	_, err = reference.Settings(reference.Page{Dir: dir, Type: "C"})
	require.ErrorContains(t, err, "listen has no comment")
}

func TestCheck(t *testing.T) {
	t.Setenv(reference.UpdateEnv, "")
	page := filepath.Join(t.TempDir(), "docs", "page.md")
	require.ErrorContains(t, reference.Check(page, []byte("a")), "make docs")
	t.Setenv(reference.UpdateEnv, "1")
	require.NoError(t, reference.Check(page, []byte("a")))
	t.Setenv(reference.UpdateEnv, "")
	require.NoError(t, reference.Check(page, []byte("a")))
	require.Error(t, reference.Check(page, []byte("b")))
}
