// SPDX-License-Identifier: Apache-2.0

// Package sgenshi is Bcfg2's SGenshi, as it was before bundles could be templates:
// every file of its directory is a Genshi template of a bundle, for every host. It
// must not know how templates are rendered, nor how entries are bound.
package sgenshi

import (
	"path"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
)

const dir = "SGenshi"

// SGenshi is safe for concurrent use.
type SGenshi struct{ bundles []bundle }

type bundle struct {
	name string
	file *plugin.StructFile
}

var _ plugin.Structures = (*SGenshi)(nil)

// New reads the directory. A file that cannot be read is reported, and hosts do
// without its bundle.
func New(env plugin.Env) *SGenshi {
	s := &SGenshi{}
	for _, file := range plugin.Walk(env, dir) {
		if path.Ext(file) != ".xml" {
			continue
		}
		doc, p := plugin.ReadStructFile(env, file, plugin.StructOptions{Template: true})
		if p != nil {
			env.Report(p)
			continue
		}
		s.bundles = append(s.bundles, bundle{strings.TrimSuffix(path.Base(file), ".xml"), doc})
	}
	return s
}

// Structures gives every bundle, whether the host's groups list it or not.
func (s *SGenshi) Structures(v *memo.View) []*plugin.Structure {
	var out []*plugin.Structure
	for _, b := range s.bundles {
		st := &plugin.Structure{Tag: "Bundle", Name: b.name, Attrs: []config.Attr{{Name: "name", Value: b.name}}}
		nest, p := b.file.Nest(v)
		st.Lost = p
		nest.InPlace(v, "", func(it *plugin.Item) { st.Entries = append(st.Entries, plugin.Abstract{Item: it}) })
		out = append(out, st)
	}
	return out
}
