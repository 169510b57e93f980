// SPDX-License-Identifier: Apache-2.0

// Package file reads files of a specification within bounds and says what went
// wrong as a problem. It must not know what files mean.
package file

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/bindery/bindery/engine/problem"
)

// Read reads a file of at most max bytes. Of a larger one nothing is read.
func Read(fsys fs.FS, name string, max int64) ([]byte, *problem.Problem) {
	st, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, Unreadable(name, err)
	}
	if st.Size() > max {
		return nil, problem.New(problem.Pos{File: name}, "file-too-large",
			fmt.Sprintf("%s has %d bytes; at most %d are read", path.Base(name), st.Size(), max), "")
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, Unreadable(name, err)
	}
	return data, nil
}

// Unreadable is the problem of a file that cannot be read.
func Unreadable(name string, err error) *problem.Problem {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p
	}
	reason := err.Error()
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		reason = pe.Err.Error()
	}
	return problem.New(problem.Pos{File: name}, "unreadable-file", "cannot be read: "+reason, "")
}
