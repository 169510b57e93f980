// SPDX-License-Identifier: Apache-2.0

//go:build !darwin && (!linux || portable)

package system

import "errors"

// exchange is not to be had here.
func exchange(int, string, string) error { return errors.ErrUnsupported }
