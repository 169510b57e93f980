// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/system"
)

// driversHelp says which drivers nobody has seen at work.
func driversHelp() string {
	return `
Unproven, because their tools do not run where Bindery is tested, are the drivers of
these types; they follow the manuals and work only where agent.yaml names them under
drivers: ` + strings.Join(agent.Unproven(), ", ") + `.
` + lacks()
}

// lacks says what this system cannot do, on Linux nothing.
func lacks() string {
	if system.Lacks == "" {
		return ""
	}
	return "\n" + system.Lacks
}
