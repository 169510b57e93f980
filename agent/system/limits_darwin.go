// SPDX-License-Identifier: Apache-2.0

package system

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// LimitsMemory tells whether this system holds a program to a limit of memory.
const LimitsMemory = false

// Lacks says to people what this system cannot do, "" where nothing is missing.
const Lacks = `Nobody has seen the agent at work on macOS, which it is built for. Owner and mode of
links, devices and pipes are set only in directories of the administrator, and devices
and pipes are made only there. ACLs, labels and capabilities are not verified, and who
may write to a directory is judged by its owner and mode alone. No probe can be held to
a limit of memory, none ends with an agent that is killed, and one of its processes that
detaches is not ended where the system hides its environment.
`

// memoryGate does nothing: the kernel takes such a limit and holds nobody to it.
const memoryGate = `:`

// apart puts a program into a group of its own.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// environment is what a process has in its environment, as far as it may be read,
// after its arguments.
func environment(pid int) string {
	data, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil {
		return ""
	}
	return string(data)
}
