// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

type (
	// Key is a key or a certificate that a host is to have and that stands in the
	// specification, or is missing there.
	Key = plugin.Key
	// CertificateRequest is what a certificate is to say.
	CertificateRequest = plugin.Request
)

// Kinds of a Key.
const (
	HostKey     = plugin.HostKey
	SSHKey      = plugin.SSHKey
	TLSKey      = plugin.TLSKey
	Certificate = plugin.Certificate
)

// Keys lists the keys and certificates that a host's structures, or these further
// paths, need from the specification, keys before certificates. A build makes none
// of them. Problems are about keys that cannot be described.
func (s *Spec) Keys(ctx context.Context, in Input, paths ...string) ([]Key, []*problem.Problem, error) {
	h, refused := s.resolve(in)
	if refused != nil {
		return nil, []*problem.Problem{refused}, nil
	}
	var queue []plugin.KeyRef
	for _, n := range s.named(h) {
		if n.Tag == "Path" {
			paths = append(paths, n.Name)
		}
	}
	for _, p := range paths {
		queue = append(queue, plugin.KeyRef{View: memo.NewView(h), Path: p})
	}
	var out []Key
	var found []*problem.Problem
	asked := map[[2]string]bool{}
	for len(queue) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		ref := queue[0]
		queue = queue[1:]
		id := [2]string{ref.View.Host().Name, ref.Path}
		if asked[id] {
			continue
		}
		asked[id] = true
		for _, g := range s.listing(plugin.Name{Tag: "Path", Name: ref.Path, Named: true}) {
			holder, ok := g.(plugin.KeyHolder)
			if !ok {
				continue
			}
			keys, refs, p := holder.Keys(ref.View, ref.Path)
			if p != nil {
				found = append(found, p)
				continue
			}
			out = append(out, s.real(keys)...)
			queue = append(queue, refs...)
		}
	}
	return sortKeys(out), problem.Sort(found), nil
}

// real leaves out what would be for a host that only stands for a group.
func (s *Spec) real(keys []Key) []Key {
	return slices.DeleteFunc(keys, func(k Key) bool {
		_, name, ok := strings.Cut(k.File, ".H_")
		return ok && k.Present == "" && s.meta.Canonical(name) == plugin.Imaginary && !slices.Contains(s.hosts, name)
	})
}

func sortKeys(list []Key) []Key {
	slices.SortStableFunc(list, func(a, b Key) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.File, b.File))
	})
	return slices.CompactFunc(list, func(a, b Key) bool { return a.File == b.File })
}

func rank(k plugin.KeyKind) int {
	return slices.Index([]plugin.KeyKind{HostKey, SSHKey, TLSKey, Certificate}, k)
}

// Path binds one Path for a host, as if a structure named it.
func (s *Spec) Path(in Input, name string) (*config.Entry, *problem.Problem) {
	h, refused := s.resolve(in)
	if refused != nil {
		return nil, refused
	}
	b := s.complete(memo.NewView(h), &plugin.Draft{Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: name}}})
	return b.entry, b.problem
}

// named lists the entries that the structures of a host name, under the name by
// which they are bound.
func (s *Spec) named(h *host.Host) []plugin.Name {
	v := memo.NewView(h)
	var list []*plugin.Structure
	for _, p := range s.plugins.Structures {
		list = append(list, p.Structures(v)...)
	}
	if b := s.plugins.Bundler; b != nil {
		seen := map[string]bool{}
		queue := slices.Clone(h.Bundles)
		for len(queue) > 0 {
			name := queue[0]
			queue = queue[1:]
			if seen[name] || s.bundles[name] == nil {
				continue
			}
			seen[name] = true
			st, required := b.Structure(v, name)
			list = append(list, st)
			for _, r := range required {
				queue = append(queue, r.Name)
			}
		}
	}
	var out []plugin.Name
	for _, st := range list {
		for _, a := range s.globbed(v, st.Entries) {
			key := a.Key()
			if a.Item != nil {
				if source, ok := a.Item.Element.Lookup("altsrc"); ok {
					key.Name = source
				}
			}
			out = append(out, key)
		}
	}
	return out
}
