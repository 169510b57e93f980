// SPDX-License-Identifier: Apache-2.0

// Package fileprobes is Bcfg2's FileProbes: it asks hosts for files that are to
// become part of the repository. It must not know what becomes of the answers.
package fileprobes

import (
	"cmp"
	"encoding/base64"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Name is the plugin's name.
const Name = "FileProbes"

const file = Name + "/config.xml"

// Content tells whether there is content for a path already.
type Content interface {
	Serves(v *memo.View, path string) bool
}

// FileProbes is safe for concurrent use.
type FileProbes struct {
	content Content // nil: none
	doc     *plugin.StructFile
}

var _ plugin.Asker = (*FileProbes)(nil)

// New reads config.xml.
func New(env plugin.Env, content Content) *FileProbes {
	f := &FileProbes{content: content}
	if _, err := fs.Stat(env.FS, file); errors.Is(err, fs.ErrNotExist) {
		return f
	}
	doc, p := plugin.ReadStructFile(env, file, plugin.StructOptions{Follow: true})
	if p != nil {
		env.Report(p)
		return f
	}
	f.doc = doc
	doc.Root.Walk(func(e *xmltree.Element) bool {
		if e.Is("FileProbe") && !strings.HasPrefix(e.Get("name"), "/") && !doc.Templated() {
			env.Report(problem.New(e.Pos, "file-probe-without-path", "a FileProbe without an absolute path as its name is left out", ""))
		}
		return true
	})
	return f
}

// File is a file that is asked for.
type File struct {
	Path string
	// Update: it is asked for although there is content for it.
	Update bool
	// Served: there is content for it.
	Served bool
	// Encoding is how the content is to be delivered, "" for text.
	Encoding string
	At       problem.Pos
}

// Files lists what a host is asked for, by path: each file that the repository has no
// content for, and those that are to be updated.
func (f *FileProbes) Files(v *memo.View) ([]File, *problem.Problem) {
	nest, p := f.doc.Nest(v)
	if p != nil {
		return nil, p
	}
	found := map[string]*File{}
	nest.InPlace(v, "", func(it *plugin.Item) {
		e := it.Element
		name := e.Get("name")
		if !e.Is("FileProbe") || !strings.HasPrefix(name, "/") {
			return
		}
		one := found[name]
		if one == nil {
			one = &File{Path: name, At: e.Pos}
			found[name] = one
		}
		one.Update = one.Update || e.True("update")
		one.Encoding = cmp.Or(one.Encoding, e.Get("encoding"))
	})
	var out []File
	for name, one := range found {
		one.Served = f.content != nil && f.content.Serves(v, name)
		if one.Update || !one.Served {
			out = append(out, *one)
		}
	}
	slices.SortFunc(out, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

// Ask gives a probe for each of those files.
func (f *FileProbes) Ask(v *memo.View) ([]config.Probe, []*problem.Problem) {
	files, p := f.Files(v)
	if p != nil {
		return nil, []*problem.Problem{p}
	}
	var out []config.Probe
	for _, one := range files {
		out = append(out, config.Probe{
			Name: one.Path, Source: Name, Interpreter: "/usr/bin/env python",
			Script: strings.Replace(script, "@PATH@", base64.StdEncoding.EncodeToString([]byte(one.Path)), 1),
		})
	}
	return out, nil
}

// script tells of one file what Bcfg2's tells. It is for any Python from 2.6 on,
// says nothing of what cannot be read, and never fails.
const script = `import base64
import grp
import os
import pwd
import stat
import sys
from xml.sax.saxutils import quoteattr

path = base64.b64decode("@PATH@").decode("utf-8")
try:
    there = os.environ.get("BINDERY_ROOT", "") + path
    found = os.stat(there)
    if not stat.S_ISREG(found.st_mode):
        sys.exit(0)
    with open(there, "rb") as opened:
        data = opened.read()
except (IOError, OSError):
    sys.exit(0)


def name(look, number):
    try:
        return look(number)[0]
    except KeyError:
        return str(number)


attributes = [
    ("name", path),
    ("owner", name(pwd.getpwuid, found.st_uid)),
    ("group", name(grp.getgrgid, found.st_gid)),
    ("mode", "%04o" % stat.S_IMODE(found.st_mode)),
]
line = "<ProbedFileData %s>%s</ProbedFileData>\n" % (
    " ".join("%s=%s" % (key, quoteattr(value)) for key, value in attributes),
    base64.b64encode(data).decode("ascii"))
getattr(sys.stdout, "buffer", sys.stdout).write(line.encode("utf-8"))
`
