// SPDX-License-Identifier: Apache-2.0

package cfg

import (
	"strings"

	"github.com/bindery/bindery/engine/internal/plugin"
)

// kind is what Bcfg2 takes a file of a Cfg directory for.
type kind string

const (
	unknown   kind = ""
	plain     kind = "plain"
	infoFile  kind = "info"
	catDelta  kind = "cat"
	diffDelta kind = "diff"
	verifier  kind = "test"
	creator   kind = "creator"
	keys      kind = "an authorized_keys.xml"
	genshi    kind = "a Genshi template"
	cheetah   kind = "a Cheetah template"
	jinja2    kind = "a Jinja2 template"
)

// handler is a kind with the names it takes: a base name of its own, or the
// target's with an extension.
type handler struct {
	kind      kind
	base      string // "" for the target's
	extension string
	fixed     bool // no qualifier
	sealed    bool // encrypted as a whole
}

// handlers stand in Bcfg2's order: the first that takes a name decides.
var handlers = []handler{
	{kind: infoFile, base: "info.xml", fixed: true},
	{kind: infoFile, base: "info", fixed: true},
	{kind: infoFile, base: ":info", fixed: true},
	{kind: catDelta, extension: "cat"},
	{kind: diffDelta, extension: "diff"},
	{kind: verifier, base: ":test"},
	{kind: keys, base: "authorizedkeys.xml", fixed: true},
	{kind: keys, base: "authorized_keys.xml", fixed: true},
	{kind: creator, base: "privkey.xml", fixed: true},
	{kind: creator, base: "pubkey.xml", fixed: true},
	{kind: creator, base: "sslkey.xml", fixed: true},
	{kind: creator, base: "sslcert.xml", fixed: true},
	{kind: genshi, extension: "genshi.crypt", sealed: true},
	{kind: genshi, extension: "crypt.genshi", sealed: true},
	{kind: genshi, extension: "genshi.age", sealed: true},
	{kind: cheetah, extension: "cheetah.crypt", sealed: true},
	{kind: cheetah, extension: "crypt.cheetah", sealed: true},
	{kind: cheetah, extension: "cheetah.age", sealed: true},
	{kind: jinja2, extension: "jinja2.crypt", sealed: true},
	{kind: jinja2, extension: "crypt.jinja2", sealed: true},
	{kind: jinja2, extension: "jinja2.age", sealed: true},
	{kind: genshi, extension: "genshi"},
	{kind: genshi, extension: "newtxt"},
	{kind: cheetah, extension: "cheetah"},
	{kind: plain, extension: "crypt", sealed: true},
	{kind: plain, extension: "age", sealed: true},
	{kind: plain, extension: "sops", sealed: true},
	{kind: jinja2, extension: "jinja2"},
	{kind: plain},
}

// classify tells what a file is in the directory of the path with that base name.
func classify(target, name string) (*handler, plugin.Specific) {
	for i := range handlers {
		h := &handlers[i]
		if h.fixed {
			if name == h.base {
				return h, plugin.Specific{}
			}
			continue
		}
		base := h.base
		if base == "" {
			base = target
		}
		if !strings.HasPrefix(name, base) || h.extension != "" && !strings.HasSuffix(name, "."+h.extension) {
			continue
		}
		if specific, ok := plugin.ParseSpecific(name, base, h.extension); ok {
			return h, specific
		}
	}
	return &handler{kind: unknown}, plugin.Specific{}
}
