// SPDX-License-Identifier: Apache-2.0

package reference_test

import (
	"testing"
	"testing/fstest"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/reference"
)

func TestExamples(t *testing.T) {
	example := "  tool run x              says y"
	newRoot := func() *cobra.Command {
		root := &cobra.Command{Use: "tool"}
		sub := &cobra.Command{Use: "run NAME", Args: cobra.ExactArgs(1), Example: example, Run: func(*cobra.Command, []string) {}}
		sub.Flags().Bool("quiet", false, "")
		root.AddCommand(sub)
		return root
	}
	page := func(text string) fstest.MapFS {
		return fstest.MapFS{"a/p.md": {Data: []byte("Say `tool nonsense`.\n\n   ```sh\n   " + text + "\n   ```\n")}}
	}
	for _, good := range []string{
		"tool run x", "bin/tool run --quiet x > y", "(umask 077 && tool run x)", "tool run x | head # tool", "tool-shed nonsense", `tool run "$(hostname)" | cat`, "tool run '* *'", `tool run "a b"`,
	} {
		require.NoError(t, reference.Examples(page(good), newRoot), good)
	}
	for bad, want := range map[string]string{
		"tool walk": "unknown command", "ls && tool run --loud x": "a/p.md: tool run --loud x: unknown flag", "tool run": "accepts 1 arg", "tool run x y": "accepts 1 arg",
	} {
		require.ErrorContains(t, reference.Examples(page(bad), newRoot), want, bad)
	}
	example = "tool run --lot x"
	require.ErrorContains(t, reference.Examples(fstest.MapFS{}, newRoot), "tool run --help: ")
}
