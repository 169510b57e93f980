// SPDX-License-Identifier: Apache-2.0

package xpath

import (
	"math"
	"strconv"
	"strings"
)

// nodes evaluates what has to be nodes.
func (s *search) nodes(x expr, at place) ([]*node, error) {
	v, err := x(at)
	if err != nil {
		return nil, err
	}
	set, ok := v.([]*node)
	if !ok {
		return nil, &Error{s.q.Path, "nodes are expected, not a value"}
	}
	return set, nil
}

func (s *search) truth(v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case float64:
		return v != 0 && !math.IsNaN(v), nil
	case string:
		return v != "", nil
	}
	set, _ := v.([]*node)
	return len(set) > 0, nil
}

func (s *search) string(x expr, at place) (string, error) {
	v, err := x(at)
	if err != nil {
		return "", err
	}
	return s.written(v)
}

// written is a value as text; of nodes it is the first one's.
func (s *search) written(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		switch {
		case math.IsInf(v, 0):
			return strings.TrimPrefix(strconv.FormatFloat(v, 'f', -1, 64)[:1], "+") + "Infinity", nil
		case v == 0:
			return "0", nil
		}
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	set, _ := v.([]*node)
	if len(set) == 0 {
		return "", nil
	}
	return s.text(set[0])
}

func (s *search) number(x expr, at place) (float64, error) {
	v, err := x(at)
	if err != nil {
		return 0, err
	}
	return s.counted(v)
}

func (s *search) counted(v any) (float64, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	}
	text, err := s.written(v)
	return asNumber(text), err
}

// asNumber reads a number as XPath writes them: without exponent and plus sign.
func asNumber(text string) float64 {
	text = strings.Trim(text, " \t\r\n")
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "-0123456789.") != "" {
		return math.NaN()
	}
	return f
}

// operator joins two expressions.
func (s *search) operator(op string, left, right expr) expr {
	return func(at place) (any, error) {
		a, err := left(at)
		if err != nil {
			return nil, err
		}
		if op == "and" || op == "or" {
			holds, err := s.truth(a)
			if err != nil || holds == (op == "or") {
				return holds, err
			}
		}
		b, err := right(at)
		if err != nil {
			return nil, err
		}
		switch op {
		case "and", "or":
			return s.truth(b)
		case "=", "!=", "<", "<=", ">", ">=":
			return s.compare(op, a, b)
		}
		x, err := s.counted(a)
		if err != nil {
			return nil, err
		}
		y, err := s.counted(b)
		return reckon(op, x, y), err
	}
}

func reckon(op string, x, y float64) float64 {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "div":
		return x / y
	}
	return math.Mod(x, y)
}

// compare holds where it holds for any of the nodes.
func (s *search) compare(op string, a, b any) (bool, error) {
	as, bs, err := s.sides(a, b)
	if err != nil {
		return false, err
	}
	for _, x := range as {
		for _, y := range bs {
			if err := s.q.Step(1); err != nil {
				return false, err
			}
			holds, err := s.one(op, x, y)
			if err != nil || holds {
				return holds, err
			}
		}
	}
	return false, nil
}

// sides spreads nodes to their texts. Beside a bool, nodes are one: whether there are any.
func (s *search) sides(a, b any) (as, bs []any, err error) {
	spread := func(v, other any) ([]any, error) {
		set, ok := v.([]*node)
		if _, isBool := other.(bool); !ok || isBool {
			if ok {
				return []any{len(set) > 0}, nil
			}
			return []any{v}, nil
		}
		var out []any
		for _, n := range set {
			text, err := s.text(n)
			if err != nil {
				return nil, err
			}
			out = append(out, text)
		}
		return out, nil
	}
	if as, err = spread(a, b); err != nil {
		return nil, nil, err
	}
	bs, err = spread(b, a)
	return as, bs, err
}

func (s *search) one(op string, a, b any) (bool, error) {
	_, aBool := a.(bool)
	_, bBool := b.(bool)
	_, aNum := a.(float64)
	_, bNum := b.(float64)
	if op == "=" || op == "!=" {
		switch {
		case aBool || bBool:
			x, _ := s.truth(a)
			y, _ := s.truth(b)
			return (x == y) == (op == "="), nil
		case !aNum && !bNum:
			return (a == b) == (op == "="), nil
		}
	}
	x, err := s.counted(a)
	if err != nil {
		return false, err
	}
	y, err := s.counted(b)
	if err != nil {
		return false, err
	}
	switch op {
	case "=":
		return x == y, nil
	case "!=":
		return x != y, nil
	case "<":
		return x < y, nil
	case "<=":
		return x <= y, nil
	case ">":
		return x > y, nil
	}
	return x >= y, nil
}
