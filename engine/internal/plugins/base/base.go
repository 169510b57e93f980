// SPDX-License-Identifier: Apache-2.0

// Package base is Bcfg2's Base: entries that do not depend on each other, for
// every host, in one Independent. It must not know how entries are bound.
package base

import (
	"path"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// Base is safe for concurrent use.
type Base struct{ files []*plugin.Nest }

var _ plugin.Structures = (*Base)(nil)

// New reads the directory. Includes are not followed, as in Bcfg2.
func New(env plugin.Env) *Base {
	b := &Base{}
	for _, file := range plugin.Walk(env, "Base") {
		if path.Ext(file) != ".xml" {
			continue
		}
		root, p := xmltree.Read(env.FS, file)
		if p != nil {
			env.Report(p)
			continue
		}
		b.files = append(b.files, plugin.Compile(env.Voc, root, false))
	}
	return b
}

// Structures gives the one Independent, even where it is empty.
func (b *Base) Structures(v *memo.View) []*plugin.Structure {
	s := &plugin.Structure{Tag: "Independent", Attrs: []config.Attr{{Name: "version", Value: "2.0"}}}
	for _, f := range b.files {
		f.InPlace(v, "", func(it *plugin.Item) { s.Entries = append(s.Entries, plugin.Abstract{Item: it}) })
	}
	return []*plugin.Structure{s}
}
