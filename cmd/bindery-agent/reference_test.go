// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/reference"
)

// The page of all commands is what the commands say of themselves.
func TestReferenceCommands(t *testing.T) {
	page := reference.Commands(newRootCommand(streams{}))
	require.NoError(t, reference.Check("../../docs/reference/bindery-agent.md", page))
}
