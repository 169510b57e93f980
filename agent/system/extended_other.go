// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package system

import "errors"

// The attributes that entries are about are the Linux kernel's: its form of access
// lists, its labels, its capabilities. Nothing here has them.

func (h held) extended(string) ([]byte, error) { return nil, errors.ErrUnsupported }

func (h held) extend(string, []byte) error { return errors.ErrUnsupported }
