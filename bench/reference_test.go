// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/reference"
)

// The page is what the file of results says.
func TestReferencePerformance(t *testing.T) {
	data, err := os.ReadFile("../docs/bench.json")
	require.NoError(t, err)
	var f file
	require.NoError(t, json.Unmarshal(data, &f))
	require.NotEmpty(t, f.Records)
	require.NoError(t, reference.Check("../docs/performance.md", page(f)))
}
