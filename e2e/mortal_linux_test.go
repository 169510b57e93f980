// SPDX-License-Identifier: Apache-2.0

//go:build gitea || browser || machine

package e2e_test

import "syscall"

// mortal makes a program end with whoever started it, however that ended.
func mortal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
