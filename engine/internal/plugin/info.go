// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Info is what a directory says about owner, group, mode and other attributes of
// the files in it: an info.xml, or the older info or :info. A nil Info says nothing.
type Info struct {
	file  string
	infos []Guarded
	attrs []config.Attr
	bad   *problem.Problem
}

// NewInfoXML reads an info.xml. One that is not well-formed makes every entry of
// its directory fail.
func NewInfoXML(env Env, file string) *Info {
	root, p := xmltree.Read(env.FS, file)
	if p != nil {
		env.Report(p)
		return &Info{file: file, bad: p}
	}
	in := &Info{file: file}
	for _, g := range Compile(env.Voc, root, true).Flatten() {
		if g.Element.Is("Info") {
			if _, named := g.Element.Lookup("name"); !named {
				in.infos = append(in.infos, g)
			}
		}
	}
	return in
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
	if in.attrs != nil || in.infos == nil && !strings.HasSuffix(in.file, ".xml") {
		return nil
	}
	for i := len(in.infos) - 1; i >= 0; i-- {
		g := &in.infos[i]
		if !g.Holds(v, d.RealName()) {
			continue
		}
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
