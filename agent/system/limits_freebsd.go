// SPDX-License-Identifier: Apache-2.0

package system

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// LimitsMemory tells whether this system holds a program to a limit of memory.
const LimitsMemory = true

// Lacks says to people what this system cannot do, "" where nothing is missing.
const Lacks = `Nobody has seen the agent at work on FreeBSD, which it is built for. A directory that
becomes something else, or something else that becomes a directory, is not there for a
moment. Owner and mode of links, devices and pipes are set only in directories of the
administrator. ACLs, labels and capabilities are not verified, and who may write to a
directory is judged by its owner and mode alone. A probe's memory is that of addresses,
and one of its processes that detaches and clears its environment is not ended.
`

// memoryGate sets the limit of memory, in kilobytes of addresses: the limit of data
// leaves out what programs here take nearly all memory by.
const memoryGate = `[ "$2" = 0 ] || ulimit -v "$2" || exit 125`

// apart puts a program into a group of its own, and has it end with the agent.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// environment is what a process has in its environment, as far as it may be read.
func environment(pid int) string {
	data, err := unix.SysctlRaw("kern.proc.env", pid)
	if err != nil {
		return ""
	}
	return string(data)
}
