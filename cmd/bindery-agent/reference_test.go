// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/reference"
)

// The page of all commands is what the commands say of themselves.
func TestReferenceCommands(t *testing.T) {
	page := reference.Commands(newRootCommand(streams{}))
	require.NoError(t, reference.Check("../../docs/reference/bindery-agent.md", page))
}

// What pages and help texts tell people to type is understood.
func TestExamples(t *testing.T) {
	newRoot := func() *cobra.Command { return newRootCommand(streams{}) }
	require.NoError(t, reference.Examples(os.DirFS("../../docs"), newRoot))
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	require.NoError(t, reference.Examples(fstest.MapFS{"README.md": {Data: readme}}, newRoot))
}

// Every command that help shows has a manual page; "make man" says where they go.
func TestMan(t *testing.T) {
	dir := os.Getenv(reference.ManEnv)
	if dir == "" {
		dir = t.TempDir()
	}
	require.NoError(t, reference.Man(newRootCommand(streams{}), dir))
	page, err := os.ReadFile(dir + "/bindery-agent.1")
	require.NoError(t, err)
	require.Contains(t, string(page), ".SH EXAMPLE")
	require.FileExists(t, dir+"/bindery-agent-run.1")
}
