// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/trail"
	"github.com/bindery/bindery/engine/problem"
)

// Info is what a directory says about owner, group, mode and other attributes of
// the files in it: an info.xml, or the older info or :info. A nil Info says nothing.
type Info struct {
	file  string
	doc   *StructFile
	attrs []config.Attr
	bad   *problem.Problem
}

// NewInfoXML reads an info.xml. One that is not well-formed makes every entry of
// its directory fail.
func NewInfoXML(env Env, file string) *Info {
	doc, p := ReadStructFile(env, file, StructOptions{Paths: true})
	if p != nil {
		env.Report(p)
	}
	return &Info{file: file, doc: doc, bad: p}
}

var infoLine = regexp.MustCompile(`^(?:(owner|group|encoding|paranoid|sensitive|secontext|important):\s*(\S+)|(mode|perms|mtime):\s*(\w+))`)

// NewInfo reads the lines of an info or :info file. Lines that are not understood
// are reported and skipped.
func NewInfo(env Env, file string, data []byte) *Info {
	in := &Info{file: file}
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" {
			continue
		}
		m := infoLine.FindStringSubmatch(line)
		if m == nil {
			env.Report(problem.Warn(problem.Pos{File: file, Line: i + 1, Column: 1}, "info-line", "the line is not understood and skipped", "write KEY: VALUE from the first column on"))
			continue
		}
		name, value := m[1]+m[3], m[2]+m[4]
		if name == "perms" {
			name = "mode"
		}
		if name == "mode" && len(value) == 3 {
			value = "0" + value
		}
		in.attrs = append(in.attrs, config.Attr{Name: name, Value: value})
	}
	return in
}

// maxInfo bounds an info or :info file in bytes.
const maxInfo = 1 << 20

// IsInfo tells whether a file of that base name is about the others.
func IsInfo(name string) bool { return name == "info.xml" || name == ":info" || name == "info" }

// NewInfoOf reads one of the info files of a directory: info.xml, then :info, then
// info. Without any it gives nil.
func NewInfoOf(env Env, dir string, names []string) *Info {
	if len(names) == 0 {
		return nil
	}
	name := names[0]
	for _, prefer := range []string{":info", "info.xml"} {
		if slices.Contains(names, prefer) {
			name = prefer
		}
	}
	chosen := name
	name = dir + "/" + name
	if len(names) > 1 {
		env.Report(problem.Warn(problem.Pos{File: name}, "several-info-files", "there are several info files; this one counts", "keep info.xml alone"))
	}
	if chosen == "info.xml" {
		return NewInfoXML(env, name)
	}
	data, p := file.Read(env.FS, name, maxInfo)
	if p != nil {
		env.Report(p)
	}
	return NewInfo(env, name, data)
}

// Bind sets what the Info for the host says, over what the entry has. Of several
// that match, the one in the innermost condition, and of these the last, counts
// as a whole. An info.xml in which none matches fails.
func (in *Info) Bind(v *memo.View, d *Draft) *problem.Problem {
	if in.bad != nil {
		return problem.New(in.bad.Pos, "info-unreadable", "info.xml cannot be read: "+in.bad.Msg, "")
	}
	for _, a := range in.attrs {
		d.Set(a.Name, a.Value)
	}
	if in.doc == nil {
		v.Trail().Read(in.file)
		return nil
	}
	list, p := in.doc.Flatten(v)
	if p != nil {
		return p
	}
	for _, g := range slices.Backward(list) {
		_, named := g.Element.Lookup("name")
		if named || !g.Element.Is("Info") || !g.Holds(v, d.RealName()) {
			continue
		}
		g.Explain(v, trail.Info)
		_, hasMode := g.Element.Lookup("mode")
		for _, a := range g.Element.Attrs {
			name := Qualified(a.Space, a.Name)
			if name == "perms" && !hasMode {
				name = "mode" // the old spelling
			}
			d.Set(name, a.Value)
		}
		d.Children = append(slices.Clip(d.Children), g.Inner.Nodes(v)...)
		return nil
	}
	return problem.New(problem.Pos{File: in.file}, "no-info", "no Info of this file is for the host", "add an Info without condition")
}
