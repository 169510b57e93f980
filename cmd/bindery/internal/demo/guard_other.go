// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package demo

import "syscall"

// guarded leaves a process in the demo's own group: what ends one ends all.
func guarded() *syscall.SysProcAttr { return nil }
