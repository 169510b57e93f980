// SPDX-License-Identifier: Apache-2.0

// Package content checks the files of a specification: their names and sizes, what
// Cfg, the templates, probes and Properties hold, and the comments in them. It must
// not know what groups and bundles mean, nor what a finding counts.
package content

import "github.com/bindery/bindery/engine/internal/lint/tree"

// look is a tree as the checks see it.
type look struct{ *tree.Tree }

// Files lists the checks of every file, whatever it is for.
func Files(t *tree.Tree) []func() {
	l := look{t}
	return []func(){l.names, l.symlinks, l.sizes, l.submodules, l.malformed}
}

// Checks lists the checks of what files hold, in the order in which they run.
func Checks(t *tree.Tree) []func() {
	l := look{t}
	return []func(){
		l.cfgFiles, l.cfgHandlers, l.pubkey, l.infoFiles, l.infoXML, l.noInfoXML, l.encrypted,
		l.deltas, l.templates, l.similar, l.probes, l.properties, l.comments,
	}
}
