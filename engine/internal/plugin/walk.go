// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// ignored are the default patterns of [server] ignore_files.
var ignored = []string{"*~", "*#", ".#*", "*.swp", "*.swpx", ".*.swx", "SCCS", ".svn", "4913", ".gitignore"}

// Ignored tells whether Bcfg2 would not look at a file of that base name.
func Ignored(conf Conf, name string) bool {
	list, ok := conf["server"]["ignore_files"]
	if !ok {
		if !odd(name) {
			return false
		}
		return slices.ContainsFunc(ignored, func(p string) bool { return config.Match(p, name) })
	}
	for p := range strings.SplitSeq(list, ",") {
		if config.Match(strings.TrimSpace(p), name) {
			return true
		}
	}
	return false
}

// odd tells whether a name can be among those ignored by default at all.
func odd(name string) bool {
	if len(name) < 5 || name[0] == '.' {
		return true
	}
	switch name[len(name)-1] {
	case '~', '#', 'p', 'x':
		return true
	}
	return false
}

// Walk lists the files below a directory that Bcfg2 would look at, sorted. What
// cannot be read is reported. A directory that does not exist is empty.
func Walk(env Env, dir string) []string {
	if _, err := fs.Stat(env.FS, dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var out []string
	err := fs.WalkDir(env.FS, dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			env.Report(file.Unreadable(name, err))
		case name != dir && (Ignored(env.Conf, e.Name()) || e.Name() == ".git"):
			if e.IsDir() {
				return fs.SkipDir
			}
		case !e.IsDir():
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		env.Report(file.Unreadable(dir, err))
	}
	slices.Sort(out)
	return out
}

// Elements visits the elements of one tag in a file that need not exist, includes
// followed. What is wrong with the file is reported.
func Elements(env Env, file, tag string, visit func(*xmltree.Element)) {
	if _, err := fs.Stat(env.FS, file); errors.Is(err, fs.ErrNotExist) {
		return
	}
	doc, p := xmltree.Load(env.FS, file)
	if p != nil {
		env.Report(p)
		return
	}
	for _, p := range doc.Problems {
		env.Report(p)
	}
	doc.Root.Walk(func(e *xmltree.Element) bool {
		if e.Is(tag) {
			visit(e)
		}
		return true
	})
}
