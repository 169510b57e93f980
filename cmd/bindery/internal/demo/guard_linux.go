// SPDX-License-Identifier: Apache-2.0

package demo

import "syscall"

// guarded puts a process into a group of its own, so that Ctrl-C reaches the demo
// alone, and has the kernel end it should the demo be killed.
func guarded() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
