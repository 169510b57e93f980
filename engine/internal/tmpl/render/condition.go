// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/py"
)

// keep filters elements by what stands in brackets: @attr, @attr='value',
// tag, tag='text', last() or a number.
func keep(list []*element, cond string) ([]*element, error) {
	if cond == "last()" && len(list) > 0 {
		return list[len(list)-1:], nil
	}
	if n, err := strconv.Atoi(cond); err == nil {
		if n < 1 || n > len(list) {
			return nil, nil
		}
		return list[n-1 : n], nil
	}
	name, value, compared := strings.Cut(cond, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if compared {
		if len(value) < 2 || value[0] != '\'' && value[0] != '"' || value[len(value)-1] != value[0] {
			return nil, py.Fail("SyntaxError", "invalid path: the condition %s", cond)
		}
		value = value[1 : len(value)-1]
	}
	attr, isAttr := strings.CutPrefix(name, "@")
	var out []*element
	for _, x := range list {
		if isAttr {
			if v, ok := x.e.Lookup(attr); ok && (!compared || v == value) {
				out = append(out, x)
			}
			continue
		}
		has, err := x.has(name, value, compared)
		if err != nil {
			return nil, err
		}
		if has {
			out = append(out, x)
		}
	}
	return out, nil
}

// has tells whether an element has a child of a tag, with that text.
func (x *element) has(tag, value string, compared bool) (bool, error) {
	if tag == "." || tag == "text()" {
		text, err := x.content()
		return text == value, err
	}
	for _, c := range x.children() {
		if c.e.Tag != tag {
			continue
		}
		if !compared {
			return true, nil
		}
		if text, err := c.content(); err != nil || text == value {
			return err == nil, err
		}
	}
	return false, nil
}
