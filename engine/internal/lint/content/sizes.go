// SPDX-License-Identifier: Apache-2.0

package content

import (
	"fmt"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/problem"
)

// maxContent is what one managed file may hold, in bytes.
const maxContent = 32 << 20

// sizes reports file-too-large, lfs-pointer.
func (t look) sizes() {
	for _, f := range t.TooLarge {
		t.Error(problem.Pos{File: f.Name}, "file-too-large",
			fmt.Sprintf("the file has %d MB; XML of more than %d MB is not read", f.Size>>20, tree.MaxParsed>>20), "split it")
	}
	for _, f := range t.Files {
		switch {
		case f.Size > maxContent && !tree.HoldsXML(f.Name):
			t.Error(problem.Pos{File: f.Name}, "file-too-large",
				fmt.Sprintf("the file has %d MB; more than %d MB cannot be part of a configuration", f.Size>>20, maxContent>>20),
				"publish it as a package, or let an Action fetch it")
		case t.Pointer(f):
			t.Error(problem.Pos{File: f.Name}, "lfs-pointer", "the file is a pointer to Git LFS; its content is not in the repository", "store the file itself")
		}
	}
}
