// SPDX-License-Identifier: Apache-2.0

package hostset

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Set is some of the hosts of one Namer.
type Set struct {
	// Names are in natural order. Equal sets of one Namer share the slice.
	Names []string
	// Label says in one line which hosts these are.
	Label string
}

// Len counts the hosts.
func (s Set) Len() int { return len(s.Names) }

// Namer finds labels for sets of hosts. It is not safe for concurrent use.
type Namer struct {
	names  []string
	groups [][]int32 // per host: numbers of its groups
	group  []string
	sizes  []int
	sets   map[string]Set
	fixed  map[string]string
}

// NewNamer makes a Namer of hosts, which must be in natural order, and of the
// groups of each.
func NewNamer(names []string, groups [][]string) *Namer {
	n := &Namer{names: names, groups: make([][]int32, len(names)), sets: map[string]Set{}, fixed: map[string]string{}}
	number := map[string]int32{}
	for i := range groups {
		for _, g := range groups[i] {
			id, ok := number[g]
			if !ok {
				id = int32(len(n.group))
				number[g] = id
				n.group = append(n.group, g)
				n.sizes = append(n.sizes, 0)
			}
			n.groups[i] = append(n.groups[i], id)
			n.sizes[id]++
		}
	}
	return n
}

// Call fixes the label of one set, such as "all changed hosts".
func (n *Namer) Call(members []int32, label string) {
	if len(members) > 2 {
		n.fixed[key(members)] = label
	}
}

// Set names the hosts with these numbers, which must be sorted.
func (n *Namer) Set(members []int32) Set {
	k := key(members)
	if s, ok := n.sets[k]; ok {
		return s
	}
	s := Set{Names: make([]string, len(members))}
	for i, m := range members {
		s.Names[i] = n.names[m]
	}
	if label, ok := n.fixed[k]; ok {
		s.Label = label
	} else {
		s.Label = n.label(members, s.Names)
	}
	n.sets[k] = s
	return s
}

func key(members []int32) string {
	b := make([]byte, 0, 4*len(members))
	for _, m := range members {
		b = binary.BigEndian.AppendUint32(b, uint32(m))
	}
	return string(b)
}

const (
	// labelCap is about three lines of a comment.
	labelCap = 240
	// shortLabel is what may stand beside a group's name.
	shortLabel = 48
	// fewExceptions is how many hosts a group may have that the set lacks.
	fewExceptions = 5
)

func (n *Namer) label(members []int32, names []string) string {
	folded := Fold(names)
	ranges := Cap(folded, names, labelCap)
	if len(members) < 3 {
		return ranges
	}
	group, exceptions, ok := n.best(members)
	switch {
	case !ok:
		return ranges
	case len(exceptions) > 0:
		return "group " + group + " except " + strings.Join(Fold(exceptions), ", ")
	case len(folded) == 1 && len(folded[0]) <= shortLabel:
		return "group " + group + ": " + folded[0]
	default:
		return "group " + group
	}
}

// best finds the group that holds every member and few other hosts. Of several
// the one with the fewest exceptions wins, then the shortest name.
func (n *Namer) best(members []int32) (string, []string, bool) {
	count := map[int32]int{}
	for _, g := range n.groups[members[0]] {
		count[g] = 0
	}
	for _, m := range members {
		for _, g := range n.groups[m] {
			if _, ok := count[g]; ok {
				count[g]++
			}
		}
	}
	allowed := min(fewExceptions, len(members)/4)
	found := int32(-1)
	for _, g := range slices.Sorted(maps.Keys(count)) {
		if count[g] < len(members) || n.sizes[g]-len(members) > allowed {
			continue
		}
		if found < 0 || n.closer(g, found) {
			found = g
		}
	}
	if found < 0 {
		return "", nil, false
	}
	var exceptions []string
	if n.sizes[found] > len(members) {
		for i := range n.names {
			_, in := slices.BinarySearch(members, int32(i))
			if !in && slices.Contains(n.groups[i], found) {
				exceptions = append(exceptions, n.names[i])
			}
		}
	}
	return n.group[found], exceptions, true
}

func (n *Namer) closer(a, b int32) bool {
	return cmp.Or(
		cmp.Compare(n.sizes[a], n.sizes[b]),
		cmp.Compare(len(n.group[a]), len(n.group[b])),
		cmp.Compare(n.group[a], n.group[b]),
	) < 0
}

// Cap joins folded parts up to about limit bytes and counts the hosts of the
// rest: "web[001-100], db1, +212 more". The first part always stands, cut if it
// must be.
func Cap(folded, names []string, limit int) string {
	text := strings.Join(folded, ", ")
	if len(text) <= limit {
		return text
	}
	shown, kept := 0, 0
	for kept < len(folded) && shown+len(folded[kept]) <= limit {
		shown += len(folded[kept]) + 2
		kept++
	}
	if kept == 0 {
		return first(folded[0], limit) + ", +" + strconv.Itoa(max(len(names)-1, 1)) + " more"
	}
	inside, err := Unfold(folded[:kept])
	if err != nil {
		return first(folded[0], limit) + ", …"
	}
	return strings.Join(folded[:kept], ", ") + ", +" + strconv.Itoa(len(names)-len(inside)) + " more"
}

// first gives the first name of a part that is too long to show.
func first(part string, limit int) string {
	before, rest, ok := strings.Cut(part, "[")
	inner, after, closed := strings.Cut(rest, "]")
	if ok && closed {
		if i := strings.IndexAny(inner, ",-"); i > 0 {
			part = before + inner[:i] + after
		}
	}
	if len(part) > limit {
		part = strings.ToValidUTF8(part[:limit], "") + "…"
	}
	return part
}
