// SPDX-License-Identifier: Apache-2.0

//go:build linux && portable

package system

import (
	"os"
	"strconv"
)

// environment is what a process has in its environment, as far as it may be read.
func environment(pid int) string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return ""
	}
	return string(data)
}
