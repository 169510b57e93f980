// SPDX-License-Identifier: Apache-2.0

// Package hostset writes many host names in few characters: numbers of one
// width become ranges, and a set that is (almost) a group is called by the
// group's name. It must not know what the sets are sets of.
package hostset

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fold writes names as comma-separated parts, in natural order: "edge[07,19]",
// "web[001-240].example.org". Numbers are folded only with others of the same
// width, so that Unfold gives back exactly the same names. Names that hold
// characters other than letters, digits, '.', '-' and '_' stand for themselves.
func Fold(names []string) []string {
	sorted := slices.Clone(names)
	slices.SortFunc(sorted, Compare)
	sorted = slices.Compact(sorted)
	type family struct {
		shape
		numbers []uint64
	}
	var families []*family
	byShape := map[shape]*family{}
	for _, name := range sorted {
		s, n := shapeOf(name)
		f := byShape[s]
		if f == nil {
			f = &family{shape: s}
			byShape[s] = f
			families = append(families, f)
		}
		f.numbers = append(f.numbers, n)
	}
	out := make([]string, len(families))
	for i, f := range families {
		out[i] = f.fold(f.numbers)
	}
	return out
}

// shape is a name without its number. Width 0 means that it has none.
type shape struct {
	before, after string
	width         int
}

// maxWidth is how many digits surely fit a uint64.
const maxWidth = 18

// shapeOf takes the last number of the short name, else the last one at all.
func shapeOf(name string) (shape, uint64) {
	whole := shape{before: name}
	if name == "" || strings.ContainsFunc(name, odd) {
		return whole, 0
	}
	end := len(name)
	if dot := strings.IndexByte(name, '.'); dot > 0 && strings.ContainsFunc(name[:dot], digit) {
		end = dot
	}
	to := strings.LastIndexFunc(name[:end], digit) + 1
	if to == 0 {
		return whole, 0
	}
	from := to
	for from > 0 && digit(rune(name[from-1])) {
		from--
	}
	if to-from > maxWidth {
		return whole, 0
	}
	n, err := strconv.ParseUint(name[from:to], 10, 64)
	if err != nil {
		return whole, 0
	}
	return shape{name[:from], name[to:], to - from}, n
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

func odd(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && !digit(r) && r != '.' && r != '-' && r != '_'
}

func (s shape) fold(numbers []uint64) string {
	if s.width == 0 {
		return s.before
	}
	if len(numbers) == 1 {
		return s.before + s.number(numbers[0]) + s.after
	}
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		part := s.number(numbers[i])
		if j > i {
			part += "-" + s.number(numbers[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return s.before + "[" + strings.Join(parts, ",") + "]" + s.after
}

func (s shape) number(n uint64) string { return fmt.Sprintf("%0*d", s.width, n) }

// maxUnfold bounds what one call of Unfold gives, because its input may come
// from people.
const maxUnfold = 1_000_000

// Unfold gives the names behind what Fold wrote.
func Unfold(parts []string) ([]string, error) {
	var out []string
	for _, p := range parts {
		names, err := unfold(p, maxUnfold-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, names...)
	}
	return out, nil
}

func unfold(part string, room int) ([]string, error) {
	before, rest, ok := strings.Cut(part, "[")
	inner, after, closed := strings.Cut(rest, "]")
	if !ok || !closed || strings.ContainsFunc(before+after, odd) {
		return []string{part}, nil
	}
	var out []string
	for piece := range strings.SplitSeq(inner, ",") {
		first, last, isRange := strings.Cut(piece, "-")
		if !isRange {
			last = first
		}
		from, errFrom := strconv.ParseUint(first, 10, 64)
		to, errTo := strconv.ParseUint(last, 10, 64)
		if errFrom != nil || errTo != nil || len(first) != len(last) || to < from {
			return []string{part}, nil
		}
		if to-from >= uint64(max(room-len(out), 0)) {
			return nil, fmt.Errorf("%s stands for more than %d names", part, maxUnfold)
		}
		s := shape{before, after, len(first)}
		for n := from; n <= to; n++ {
			out = append(out, s.before+s.number(n)+s.after)
		}
	}
	return out, nil
}

// Compare orders names as people do: web2 before web10, and by bytes where that
// is equal.
func Compare(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		if digit(rune(x[0])) && digit(rune(y[0])) {
			nx, ny := digits(x), digits(y)
			tx, ty := strings.TrimLeft(x[:nx], "0"), strings.TrimLeft(y[:ny], "0")
			if c := cmp.Or(cmp.Compare(len(tx), len(ty)), cmp.Compare(tx, ty)); c != 0 {
				return c
			}
			x, y = x[nx:], y[ny:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && digit(rune(s[n])) {
		n++
	}
	return n
}
