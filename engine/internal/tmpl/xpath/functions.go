// SPDX-License-Identifier: Apache-2.0

package xpath

import (
	"math"
	"strings"
	"unicode/utf8"
)

// function is one that paths may call, with least to most arguments.
type function struct {
	least, most int
	do          func(s *search, at place, args []expr) (any, error)
}

// here is the node at hand, where a function got no argument.
func here(at place) (any, error) { return []*node{at.n}, nil }

// texts makes a function of texts; without an argument it is about the node at hand.
func texts(least, most int, do func(args []string) any) function {
	return function{least, most, func(s *search, at place, args []expr) (any, error) {
		if len(args) == 0 {
			args = []expr{here}
		}
		var out []string
		for _, x := range args {
			text, err := s.string(x, at)
			if err != nil {
				return nil, err
			}
			out = append(out, text)
		}
		return do(out), nil
	}}
}

// numbers makes a function of one number.
func numbers(least int, do func(float64) any) function {
	return function{least, 1, func(s *search, at place, args []expr) (any, error) {
		if len(args) == 0 {
			args = []expr{here}
		}
		f, err := s.number(args[0], at)
		return do(f), err
	}}
}

// nodeSets makes a function of nodes.
func nodeSets(least int, do func(s *search, set []*node) (any, error)) function {
	return function{least, 1, func(s *search, at place, args []expr) (any, error) {
		if len(args) == 0 {
			args = []expr{here}
		}
		set, err := s.nodes(args[0], at)
		if err != nil {
			return nil, err
		}
		return do(s, set)
	}}
}

func truths(do func(bool) bool) function {
	return function{1, 1, func(s *search, at place, args []expr) (any, error) {
		v, err := args[0](at)
		if err != nil {
			return nil, err
		}
		holds, err := s.truth(v)
		return do(holds), err
	}}
}

func constant(do func(place) any) function {
	return function{0, 0, func(_ *search, at place, _ []expr) (any, error) { return do(at), nil }}
}

// round goes up in the middle, as XPath has it.
func round(f float64) float64 { return math.Floor(f + 0.5) }

// functions are those of XPath 1.0.
var functions = map[string]function{
	"last":     constant(func(at place) any { return float64(at.size) }),
	"position": constant(func(at place) any { return float64(at.pos) }),
	"true":     constant(func(place) any { return true }),
	"false":    constant(func(place) any { return false }),
	"boolean":  truths(func(b bool) bool { return b }),
	"not":      truths(func(b bool) bool { return !b }),
	"number":   numbers(0, func(f float64) any { return f }),
	"floor":    numbers(1, func(f float64) any { return math.Floor(f) }),
	"ceiling":  numbers(1, func(f float64) any { return math.Ceil(f) }),
	"round":    numbers(1, func(f float64) any { return round(f) }),
	"count":    nodeSets(1, func(_ *search, set []*node) (any, error) { return float64(len(set)), nil }),
	"sum": nodeSets(1, func(s *search, set []*node) (any, error) {
		sum := 0.0
		for _, n := range set {
			text, err := s.text(n)
			if err != nil {
				return nil, err
			}
			sum += asNumber(text)
		}
		return sum, nil
	}),
	"name":          nodeSets(0, fullName),
	"local-name":    nodeSets(0, localName),
	"namespace-uri": nodeSets(0, namespace),
	"string":        texts(0, 1, func(a []string) any { return a[0] }),
	"concat":        texts(2, maxPath, func(a []string) any { return strings.Join(a, "") }),
	"starts-with":   texts(2, 2, func(a []string) any { return strings.HasPrefix(a[0], a[1]) }),
	"contains":      texts(2, 2, func(a []string) any { return strings.Contains(a[0], a[1]) }),
	"substring-before": texts(2, 2, func(a []string) any {
		before, _, ok := strings.Cut(a[0], a[1])
		if !ok {
			return ""
		}
		return before
	}),
	"substring-after": texts(2, 2, func(a []string) any {
		_, after, _ := strings.Cut(a[0], a[1])
		return after
	}),
	"string-length":   texts(0, 1, func(a []string) any { return float64(utf8.RuneCountInString(a[0])) }),
	"normalize-space": texts(0, 1, func(a []string) any { return strings.Join(strings.Fields(a[0]), " ") }),
	"translate":       texts(3, 3, func(a []string) any { return translate(a[0], []rune(a[1]), []rune(a[2])) }),
	"substring":       {2, 3, substring},
}

func localName(_ *search, set []*node) (any, error) {
	if len(set) == 0 {
		return "", nil
	}
	_, local := set[0].name()
	return local, nil
}

// fullName is the name with the prefix that the document has for its namespace.
func fullName(_ *search, set []*node) (any, error) {
	if len(set) == 0 {
		return "", nil
	}
	space, local := set[0].name()
	for n := set[0]; n != nil && space != ""; n = n.parent {
		if n.kind != elementNode {
			continue
		}
		for _, ns := range n.e.Namespaces {
			if ns.URI == space && ns.Prefix != "" {
				return ns.Prefix + ":" + local, nil
			}
		}
	}
	return local, nil
}

func namespace(_ *search, set []*node) (any, error) {
	if len(set) == 0 {
		return "", nil
	}
	space, _ := set[0].name()
	return space, nil
}

// translate replaces characters one by one, and drops those without a counterpart.
func translate(text string, from, to []rune) string {
	with := map[rune]rune{}
	for i, r := range from {
		if _, twice := with[r]; twice {
			continue
		}
		with[r] = -1
		if i < len(to) {
			with[r] = to[i]
		}
	}
	return strings.Map(func(r rune) rune {
		if other, ok := with[r]; ok {
			return other
		}
		return r
	}, text)
}

// substring takes characters from a position on, counted from 1.
func substring(s *search, at place, args []expr) (any, error) {
	text, err := s.string(args[0], at)
	if err != nil {
		return nil, err
	}
	from, err := s.number(args[1], at)
	if err != nil {
		return nil, err
	}
	from, to := round(from), math.Inf(1)
	if len(args) == 3 {
		length, err := s.number(args[2], at)
		if err != nil {
			return nil, err
		}
		to = from + round(length)
	}
	var out strings.Builder
	pos := 0.0
	for _, r := range text {
		pos++
		if pos >= from && pos < to {
			out.WriteRune(r)
		}
	}
	return out.String(), nil
}
