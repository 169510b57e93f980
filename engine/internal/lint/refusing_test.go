// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"io/fs"
	"strings"
)

// refusing is a tree whose XML files cannot be opened.
type refusing struct{ fs.FS }

func (r refusing) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, ".xml") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return r.FS.Open(name)
}
