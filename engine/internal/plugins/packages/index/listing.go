// SPDX-License-Identifier: Apache-2.0

package index

import (
	"slices"
	"strings"
)

// Listing is what one file of a repository says.
type Listing struct {
	Entries []Entry
	Groups  []Group
}

// Entry is what counts of one package.
type Entry struct {
	Name                string
	Essential           bool
	Depends, Recommends []Need
	// Provides are the names that the package stands for besides its own; Groups
	// those of the groups that it is in.
	Provides, Groups []string
}

// Need is a dependency: on a name, or on one of several.
type Need []string

// Group is a group of packages that can be asked for as one.
type Group struct {
	ID, Name string
	Members  []Member
}

// Member is a package of a group. Kind is default, mandatory, optional or
// conditional; where groups know no kinds it is "" and the package always counts.
type Member struct {
	Name, Kind string
}

// kinds are the members that each kind of request gets.
var kinds = map[string][]string{
	"":          {"", "default", "mandatory"},
	"default":   {"", "default", "mandatory"},
	"mandatory": {"", "mandatory"},
	"optional":  {"", "default", "mandatory", "optional"},
	"all":       {"", "default", "mandatory", "optional"},
}

// Kinds tells whether a group can be asked for in this way.
func Kinds(kind string) bool { return kinds[kind] != nil }

func (g Group) of(kind string) []string {
	var out []string
	for _, m := range g.Members {
		if slices.Contains(kinds[kind], m.Kind) {
			out = append(out, m.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// usable tells whether a name may be kept: one without characters that end a
// field or a line.
func usable(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// names keeps what is usable of a list.
func names(list []string) []string {
	return slices.DeleteFunc(list, func(n string) bool { return !usable(n) })
}

// need makes a dependency of alternatives; nil where none is usable.
func need(alternatives ...string) Need {
	var out Need
	for _, a := range alternatives {
		if usable(a) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func appendNeed(list []Need, n Need) []Need {
	if n == nil {
		return list
	}
	return append(list, n)
}
