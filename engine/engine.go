// SPDX-License-Identifier: Apache-2.0

// Package engine turns a Bcfg2 specification into the literal configuration of
// every host. It is a pure function of the tree, the host records and the facts:
// no network, clock, randomness, global state or logging; equal input gives equal
// bytes. Everything that is wrong with a specification is data (problem.Problem);
// an error means that the engine itself could not go on (cancelled, unreadable
// file system).
package engine

import (
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// Options are what surrounds a specification. The zero value reads everything
// from the tree.
type Options struct {
	// Plugins are the plugins that are on, by Bcfg2's names. Nil: what
	// bindery.yaml or bcfg2.conf in the tree say, else those whose directory exists.
	Plugins []string
	// Conf holds sections and options of a bcfg2.conf; they win over the tree's.
	Conf map[string]map[string]string
	// Names stands for DNS: address to host names. The engine never asks a resolver.
	Names map[string][]string
	// Clients are hosts that exist although clients.xml may not list them:
	// enrolled ones and those named on the command line. An alias stands for its client.
	Clients []string
	// Secrets opens what is encrypted in the specification. Nil: nothing is opened, and
	// what needs it fails with the name of the key that is missing.
	Secrets secret.Keyring
	// Cache keeps what files were parsed to, for revisions to come. Nil: nothing is kept.
	Cache *Cache
}

// Input is one host with what is known about it.
type Input struct {
	Host string
	// Profile is a public profile that the host asserts; "" for none.
	Profile string
	// Probes are the host's answers, by config.Probe.Key. Nil: none yet.
	Probes map[string]string
	// External is what others know of the host, as JSON, by the plugin that tells
	// it: PuppetENC, Ldap, AWSTags, Ohai, and what Bcfg2 had of Probes.
	External map[string]string
	// Join are groups that the host is put into before plugins give it theirs, Leave
	// groups that it is kept out of whoever gives them: what would be if. Other hosts,
	// which ask about this one, do not see it.
	Join, Leave []string
	// Last is what the host got from this specification or from another revision of
	// it. What would come out alike is taken from there. Nil: all is computed.
	Last *Result
}

// Failure is an entry that could not be bound, and why.
type Failure struct {
	Tag, Name string
	Problem   *problem.Problem
}

// Result is what one host gets. It is immutable and shares entries with others.
type Result struct {
	Host string
	// Refused is why the host gets no configuration at all; Config is nil then.
	Refused *problem.Problem
	Config  *config.Config
	// Failures are the entries of Config that have a Failure, with their causes.
	Failures []Failure
	// Problems are other findings about this host: missing bundles, suppressed groups.
	Problems []*problem.Problem
	// Probes are what this host is to be asked, by name.
	Probes []config.Probe
	// Decisions are the lists that the plugin of that name gives; nil without it.
	Decisions *Decisions
	// Profile and Groups (sorted) are what metadata resolved to.
	Profile string
	Groups  []string
	// Addresses and UUID are the host's own, as clients.xml has them.
	Addresses []string
	UUID      string

	basis *basis
}

// Decisions say by type and name which entries a host may, or may not, act upon.
// They are shared between results.
type Decisions struct {
	Whitelist [][2]string `json:"whitelist"`
	Blacklist [][2]string `json:"blacklist"`
}
