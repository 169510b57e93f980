// SPDX-License-Identifier: Apache-2.0

package system

import "syscall"

// LimitsMemory tells whether this system holds a program to a limit of memory.
const LimitsMemory = true

// Lacks says to people what this system cannot do, "" where nothing is missing.
const Lacks = ""

// memoryGate sets the limit of memory, in kilobytes.
const memoryGate = `[ "$2" = 0 ] || ulimit -d "$2" || exit 125`

// apart puts a program into a group of its own, and has it end with the agent.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
