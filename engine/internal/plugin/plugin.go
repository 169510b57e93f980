// SPDX-License-Identifier: Apache-2.0

// Package plugin holds the small interfaces that Bcfg2's plugins implement, and
// what several of them share: conditions, qualified file names, priorities, Info.
// It must not know any single plugin.
package plugin

import (
	"io/fs"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/tmpl/render"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/problem"
)

// Env is what a plugin is made from. A plugin reads its directory once and is
// immutable and safe for concurrent use from then on.
type Env struct {
	FS   fs.FS
	Conf Conf
	Voc  *host.Vocabulary
	// Sources is for plugins that say with each value what it is made of. What is
	// read through FS counts for all values.
	Sources *memo.Sources
	// Templates renders the templates of the specification.
	Templates *render.Renderer
	// Vault opens what is encrypted.
	Vault *vault.Vault
	// Names stands for DNS: address to host names.
	Names map[string][]string
	// Fleet and Binder are there once all plugins are made, not before.
	Fleet  Fleet
	Binder Binder
	// Others are the hosts as templates that make groups see them: Others(n) is what
	// is seen by the n-th question, each asked for the sake of the one before.
	Others func(n int) render.Fleet
	// Report takes findings about the specification while a plugin is made.
	Report func(*problem.Problem)
}

// Own gives the environment to read a part of the specification with that not all
// values are made of. The names in the folders belong to it.
func (env Env) Own(folders ...string) (*memo.Part, Env) {
	p, fsys := env.Sources.Part(folders...)
	env.FS = fsys
	return p, env
}

// Unnoted gives the environment to find out what parts there are.
func (env Env) Unnoted() Env {
	env.FS = env.Sources.Tree
	return env
}

// Fleet is what a plugin may know about all hosts when it computes one: what the
// repository says about them. Facts of the others do not count, as a host must
// not change because another one was asked.
type Fleet interface {
	// Hosts lists the hosts that are not refused, by name.
	Hosts() []*host.Host
	// Host finds one by name or alias; nil where it is refused.
	Host(name string) *host.Host
	// Imaginary gives a host of that name that is in just one group.
	Imaginary(name, group string) *host.Host
	// Asks tells whether an entry of the host is to be bound under that name.
	Asks(h *host.Host, n Name) bool
}

// CodeTooDeep is the problem of entries that need each other.
const CodeTooDeep = "too-deep"

// Binder binds an entry as if a structure of the host named it.
type Binder interface {
	Bind(v *memo.View, d *Draft) *problem.Problem
}

// Conf holds the sections and options of a bcfg2.conf, in lower case.
type Conf map[string]map[string]string

// Get returns an option, or the default where it is not set.
func (c Conf) Get(section, option, deflt string) string {
	if v, ok := c[section][option]; ok {
		return v
	}
	return deflt
}

// True tells whether an option is switched on, by the words that Bcfg2 takes.
func (c Conf) True(section, option string, deflt bool) bool {
	v, ok := c[section][option]
	if !ok {
		return deflt
	}
	return truth(v)
}

// Structures gives the structures of a host.
type Structures interface {
	Structures(v *memo.View) []*Structure
}

// Structure is a bundle or an Independent before binding.
type Structure struct {
	Tag     string
	Name    string
	Attrs   []config.Attr
	Entries []Abstract
	// Sensitive: a secret was read to make the structure, and any entry may hold it.
	Sensitive bool
	// Lost is why the structure cannot be given to the host.
	Lost *problem.Problem
	// Part is what the names of the entries come from, nil where that is not all.
	Part *memo.Part
}

// Abstract is an entry that a structure names: an element of the specification,
// or an entry that a plugin made up.
type Abstract struct {
	Item  *Item
	Draft *Draft
}

// Generator binds entries.
type Generator interface {
	// Name is the plugin's name.
	Name() string
	// Lists tells whether the generator's table holds exactly this name.
	Lists(n Name) bool
	// Handles tells whether the generator would serve an entry that no table holds.
	Handles(v *memo.View, n Name) bool
	// Bind completes the entry. On failure what it set so far stays.
	Bind(v *memo.View, d *Draft) *problem.Problem
}

// Lister is a Generator that can tell which names its table holds for every host.
type Lister interface {
	// Names lists the names of a tag, sorted.
	Names(tag string) []string
}

// Sourced is a Generator that can tell what an entry of a name is made of, or whose
// absence counts, besides what counts for all entries: nil for nothing.
type Sourced interface {
	Part(n Name) *memo.Part
}

// Fallback is a Generator that serves only what no other one serves for the host
// at hand.
type Fallback interface {
	Generator
	// Takes tells whether the fallback would serve the entry.
	Takes(n Name) bool
}

// Applier is a Generator that can tell whether it really serves an entry for a host.
type Applier interface {
	Applies(v *memo.View, n Name) bool
}

// Connector gives a host more groups. With a warning it gives them all the same;
// an error refuses the host.
type Connector interface {
	// Name is the plugin's name.
	Name() string
	// Groups are the ones that it gives.
	Groups(h *host.Host) ([]host.Grant, *problem.Problem)
}

// Finisher completes entries after they were bound.
type Finisher interface {
	Finish(v *memo.View, d *Draft)
}

// Completer adds a structure to a host when all others are known and none is
// bound yet. It gives nil where it adds none.
type Completer interface {
	Complete(v *memo.View, have []*Structure) (*Structure, []*problem.Problem)
}

// Asker has probes for hosts.
type Asker interface {
	Ask(v *memo.View) ([]config.Probe, []*problem.Problem)
}
