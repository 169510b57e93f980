// SPDX-License-Identifier: Apache-2.0

//go:build !linux || portable

package system_test

// stepsWithoutName is at how many steps nothing is at the name of a directory that
// becomes a link.
const stepsWithoutName = 1
