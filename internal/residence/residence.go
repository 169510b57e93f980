// SPDX-License-Identifier: Apache-2.0

// Package residence keeps small what a program holds of the machine's memory while it
// waits for its next work. It must not know what the work is, nor when it comes.
package residence

import "runtime/debug"

// Leave gives back what the work that was done left behind: memory that nobody uses any
// more, and the pages of the program itself. Those were never written to, so that the
// kernel has them without this process, keeps them as long as it likes, and brings each
// again when it is needed.
func Leave() {
	debug.FreeOSMemory()
	unload()
}
