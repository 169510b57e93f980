// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"fmt"

	"github.com/bindery/bindery/engine/problem"
)

// maxContent is what one managed file may hold, in bytes.
const maxContent = 32 << 20

// sizes reports file-too-large, lfs-pointer.
func (t *tree) sizes() {
	for _, f := range t.tooLarge {
		t.error(problem.Pos{File: f.name}, "file-too-large",
			fmt.Sprintf("the file has %d MB; XML of more than %d MB is not read", f.size>>20, maxParsed>>20), "split it")
	}
	for _, f := range t.files {
		switch {
		case f.size > maxContent && !holdsXML(f.name):
			t.error(problem.Pos{File: f.name}, "file-too-large",
				fmt.Sprintf("the file has %d MB; more than %d MB cannot be part of a configuration", f.size>>20, maxContent>>20),
				"publish it as a package, or let an Action fetch it")
		case f.size > 0 && f.size < 1024:
			if data, ok := t.read(f); ok && bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) {
				t.error(problem.Pos{File: f.name}, "lfs-pointer", "the file is a pointer to Git LFS; its content is not in the repository", "store the file itself")
			}
		}
	}
}
