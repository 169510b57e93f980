// SPDX-License-Identifier: Apache-2.0

// Package structure checks what a specification says: groups, clients, bundles,
// rules and the entries in them, against the tables of schema and against each other.
// It must not read files that are content, nor know what a finding counts.
package structure

import "github.com/bindery/bindery/engine/internal/lint/tree"

// look is a tree as the checks see it.
type look struct{ *tree.Tree }

// Checks lists the checks, in the order in which they run.
func Checks(t *tree.Tree) []func() {
	l := look{t}
	return []func(){
		l.schemas, l.xinclude,
		l.duplicateGroup, l.defaultGroup, l.cyclicGroups, l.groupNames, l.clientsInClients,
		l.duplicateClient, l.profiles, l.clientOptions, l.unknownGroup, l.clientNames,
		l.bundleFiles, l.bundles, l.altsrc, l.packagesVersion, l.entries, l.priorities, l.duplicateEntry,
		l.sources, l.groupPatterns,
	}
}
