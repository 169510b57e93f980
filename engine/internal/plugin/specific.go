// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/trail"
)

// Specific says which hosts a file is for: all, those of a group, or one.
type Specific struct {
	Host  string
	Group string
	// Priority orders the files of groups; the higher one wins.
	Priority int
}

// compare orders by how specific: host, then groups by priority, then all. The
// better one comes first.
func (s Specific) compare(o Specific) int {
	return cmp.Or(cmp.Compare(o.rank(), s.rank()), cmp.Compare(o.Priority, s.Priority))
}

// Worse tells whether s is less specific than o.
func (s Specific) Worse(o Specific) bool { return s.compare(o) > 0 }

func (s Specific) rank() int {
	switch {
	case s.Host != "":
		return 2
	case s.Group != "":
		return 1
	}
	return 0
}

// ParseSpecific takes a file name of the form BASE[qualifier][.EXTENSION] apart:
// a qualifier is .H_host or .G##_group, without blanks. An empty extension means
// that there is none.
func ParseSpecific(name, base, extension string) (Specific, bool) {
	rest, ok := strings.CutPrefix(name, base)
	if ok && extension != "" {
		rest, ok = strings.CutSuffix(rest, "."+extension)
	}
	if !ok || strings.ContainsFunc(rest, unicode.IsSpace) {
		return Specific{}, false
	}
	if rest == "" {
		return Specific{}, true
	}
	if host, ok := strings.CutPrefix(rest, ".H_"); ok {
		return Specific{Host: host}, host != ""
	}
	number, group, ok := strings.Cut(strings.TrimPrefix(rest, ".G"), "_")
	if !ok || !strings.HasPrefix(rest, ".G") || group == "" || number == "" ||
		strings.ContainsFunc(number, func(r rune) bool { return r < '0' || r > '9' }) {
		return Specific{}, false
	}
	priority, err := strconv.Atoi(number)
	if err != nil {
		priority = math.MaxInt // more digits than a number can have
	}
	return Specific{Group: group, Priority: priority}, true
}

// Variant is one file of several for different hosts.
type Variant[T any] struct {
	Specific
	// File is the file's name, which decides between equals: the largest wins.
	File  string
	Value T
}

// Variants picks the file for a host. Make it with NewVariants.
type Variants[T any] struct {
	hosts  map[string]*Variant[T]
	names  *memo.Names
	groups []*Variant[T]
	ids    []int
	all    *Variant[T]
	// list is every file, the most specific first.
	list []*Variant[T]
}

// NewVariants sorts files by how specific they are and interns their groups.
func NewVariants[T any](voc *host.Vocabulary, list []Variant[T]) *Variants[T] {
	slices.SortStableFunc(list, func(a, b Variant[T]) int {
		return cmp.Or(a.compare(b.Specific), cmp.Compare(b.File, a.File))
	})
	vs := &Variants[T]{hosts: map[string]*Variant[T]{}}
	var names []string
	for i := range list {
		f := &list[i]
		vs.list = append(vs.list, f)
		switch {
		case f.Host != "":
			if vs.hosts[f.Host] == nil {
				vs.hosts[f.Host] = f
				names = append(names, f.Host)
			}
		case f.Group != "":
			vs.groups = append(vs.groups, f)
			vs.ids = append(vs.ids, voc.ID(f.Group))
		case vs.all == nil:
			vs.all = f
		}
	}
	if len(names) > 0 {
		vs.names = memo.NewNames(names)
	}
	return vs
}

// Any tells whether something holds for any of the files.
func (vs *Variants[T]) Any(holds func(T) bool) bool {
	return slices.ContainsFunc(vs.list, func(f *Variant[T]) bool { return holds(f.Value) })
}

// Best returns the most specific file for the host, nil where none is for it.
func (vs *Variants[T]) Best(v *memo.View) *Variant[T] {
	best := vs.best(v)
	if t := v.Trail(); t != nil {
		vs.explain(v, t, best)
	}
	return best
}

// explain notes every file: the one that was chosen, those it beat, and those for
// other hosts.
func (vs *Variants[T]) explain(v *memo.View, t *trail.Trail, best *Variant[T]) {
	v = v.Aside()
	for _, f := range vs.list {
		state := trail.Other
		switch {
		case f == best:
			state = trail.Chosen
		case f.Host == "" && f.Group == "", f.Host != "" && v.Is(f.Host), f.Group != "" && v.In(f.Group):
			state = trail.Beaten
		}
		t.Variant(f.File, f.whom(), state)
	}
}

// whom says in words which hosts a file is for.
func (s Specific) whom() string {
	switch {
	case s.Host != "":
		return "host " + s.Host
	case s.Group != "":
		return fmt.Sprintf("group %s, priority %d", s.Group, s.Priority)
	}
	return "every host"
}

func (vs *Variants[T]) best(v *memo.View) *Variant[T] {
	if vs.names != nil {
		if name := v.Among(vs.names); name != "" {
			return vs.hosts[name]
		}
	}
	for i, id := range vs.ids {
		if v.InGroup(id) {
			return vs.groups[i]
		}
	}
	return vs.all
}
