// SPDX-License-Identifier: Apache-2.0

// Package decisions is Bcfg2's Decisions: lists of entries that a host may, or may
// not, act upon. They are no part of a configuration. It must not know who asks.
package decisions

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const dir = "Decisions"

// Decisions is safe for concurrent use.
type Decisions struct {
	// lists are the files of each list, the least specific first.
	lists map[string][]list
}

type list struct {
	plugin.Specific
	file  string
	group int
	// all are the decisions of a file whose name says whom it is for; doc has those of
	// one that says it inside.
	all [][2]string
	doc *plugin.StructFile
}

// The names of the lists.
const (
	Whitelist = "whitelist"
	Blacklist = "blacklist"
)

// New reads the directory. Of a list that is there in both spellings, that of 1.4
// with conditions inside does not count.
func New(env plugin.Env) *Decisions {
	d := &Decisions{lists: map[string][]list{}}
	entries, err := fs.ReadDir(env.FS, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		env.Report(file.Unreadable(dir, err))
	}
	newer := map[string]string{}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || plugin.Ignored(env.Conf, name) {
			continue
		}
		which, l, ok := old(name)
		switch {
		case ok:
			d.add(env, which, l)
		case name == Whitelist+".xml" || name == Blacklist+".xml":
			newer[strings.TrimSuffix(name, ".xml")] = name
		default:
			env.Report(problem.Warn(problem.Pos{File: dir + "/" + name}, "unknown-decisions-file", "the name is no list's; the file is ignored",
				"lists are named whitelist or blacklist, with .H_host or .G##_group behind; or whitelist.xml and blacklist.xml with conditions inside"))
		}
	}
	for which, name := range newer {
		if d.lists[which] != nil {
			env.Report(problem.Warn(problem.Pos{File: dir + "/" + name}, "several-decision-lists", "the file is ignored, as there is a "+which+" in the spelling before 1.4", "keep one of the two"))
			continue
		}
		d.add(env, which, list{file: name})
	}
	for _, lists := range d.lists {
		slices.SortStableFunc(lists, func(a, b list) int {
			switch {
			case a.Worse(b.Specific):
				return -1
			case b.Worse(a.Specific):
				return 1
			}
			return cmp.Compare(a.file, b.file)
		})
	}
	return d
}

// old reads the name of a list as before 1.4.
func old(name string) (which string, l list, ok bool) {
	for _, which := range []string{Whitelist, Blacklist} {
		if specific, ok := plugin.ParseSpecific(name, which, ""); ok && !strings.HasSuffix(name, ".xml") {
			return which, list{Specific: specific, file: name}, true
		}
	}
	return "", list{}, false
}

func (d *Decisions) add(env plugin.Env, which string, l list) {
	doc, p := plugin.ReadStructFile(env, dir+"/"+l.file, plugin.StructOptions{})
	if p != nil {
		env.Report(p)
		return
	}
	l.group = env.Voc.ID(l.Group)
	if strings.HasSuffix(l.file, ".xml") {
		l.doc = doc
	} else {
		doc.Root.Walk(func(e *xmltree.Element) bool {
			if e.Is("Decision") {
				l.all = append(l.all, pair(e))
			}
			return true
		})
	}
	d.lists[which] = append(d.lists[which], l)
}

func pair(e *xmltree.Element) [2]string { return [2]string{e.Get("type"), e.Get("name")} }

// List gives type and name of what is in a list for the host: all files for it
// together, the least specific first.
func (d *Decisions) List(v *memo.View, which string) ([][2]string, []*problem.Problem) {
	var found []*problem.Problem
	out := [][2]string{}
	lists := d.lists[which]
	for i := range lists {
		l := &lists[i]
		if l.Host != "" && !v.Is(l.Host) || l.Group != "" && !v.InGroup(l.group) {
			continue
		}
		out = append(out, l.all...)
		var visit func(it *plugin.Item)
		visit = func(it *plugin.Item) {
			if it.Element.Is("Decision") {
				out = append(out, pair(it.Element))
			}
			it.Inner.InPlace(v, "", visit)
		}
		nest, p := l.doc.Nest(v)
		if p != nil {
			found = append(found, p)
		}
		nest.InPlace(v, "", visit)
	}
	return out, found
}
