// SPDX-License-Identifier: Apache-2.0

//go:build !linux && (gitea || browser)

package e2e_test

import "syscall"

// mortal would make a program end with whoever started it: here nothing does.
func mortal() *syscall.SysProcAttr { return nil }
