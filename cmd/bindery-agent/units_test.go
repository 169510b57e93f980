// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// What systemd itself says of the units: how much of the host each could touch, from
// 0 to 10. A root service without any bounds has 9.6.
func TestUnitsAreBound(t *testing.T) {
	t.Parallel()
	for unit, most := range map[string]float64{
		"agent/bindery-agent.service":       6.6, // it must manage packages, users and units
		"agent/bindery-agent-fetch.service": 1.5,
		"controller/bindery.service":        1.5,
	} {
		file, err := filepath.Abs("../../packaging/" + unit)
		require.NoError(t, err)
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short", "--threshold="+
			strconv.Itoa(int(most*10)), file).CombinedOutput()
		require.NoError(t, err, "%s is above %v:\n%s", unit, most, out)
		var findings []struct{ Name, Description string }
		require.NoError(t, json.Unmarshal(out, &findings), "%s", out)
		require.NotEmpty(t, findings)
	}
}
