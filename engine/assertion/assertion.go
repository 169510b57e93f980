// SPDX-License-Identifier: Apache-2.0

// Package assertion holds a specification against what its owners wrote down that must
// stay true: the files tests/*.yaml. An assertion is about one build, such as "this file
// has that line on the hosts of this group", or about a change, such as "this may change
// on at most ten hosts". What does not hold is a Finding, which people approve by its
// hash: a digest of all that it says, so that an approval ends when it says something
// else.
//
// The package must not know who approves, nor where configurations come from.
package assertion

import (
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
)

// Host is one host on both sides of a change. A build alone has no base.
type Host struct {
	Name string
	// Groups are those of head, BaseGroups those of base.
	Groups, BaseGroups []string
	// Base and Head are nil where the host has no configuration there: because it does
	// not exist, or is refused.
	Base, Head *config.Config
	// InBase and InHead tell whether the host exists.
	InBase, InHead bool
}

// Input is what is held against assertions.
type Input struct {
	// Head are the assertions of head.
	Head *Set
	// Base are those of base; nil: nothing is compared, and assertions about changes
	// say nothing. An assertion that the change itself takes away or rewrites still
	// counts for it.
	Base  *Set
	Hosts []Host
}

// Result is what came of it.
type Result struct {
	Findings []Finding
	// Idle are warnings about assertions that are about no host at all.
	Idle []*problem.Problem
}

// Finding is one assertion that does not hold.
type Finding struct {
	// Problem stands at the assertion.
	Problem *problem.Problem
	// Name is the assertion's.
	Name string
	// Hash covers everything that the finding says, and for a change what it does to
	// which entry of which host. Values of secrets are no part of it, for they could be
	// guessed from it.
	Hash string
	// Approvals is how many people have to approve it.
	Approvals int
	// Hosts are the hosts that it is about.
	Hosts []string
	// Violations are the parts of it, none for one about the size of a change.
	Violations []Violation
	// Changes are those that count, for one about the size of a change.
	Changes []HostChanges
}

// Violation is one thing that is not as asserted.
type Violation struct {
	// ID stands for the assertion, the entry and what is said, not for the hosts.
	ID string
	// Entry is "Tag:name".
	Entry string
	Says  string
	Hosts []string
}

// HostChanges are changes that all these hosts have.
type HostChanges struct {
	Hosts   []string
	Changes []config.Change
}
