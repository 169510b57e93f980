// SPDX-License-Identifier: Apache-2.0

package cfg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// delta changes the content of a file: a .cat or a .diff.
type delta struct {
	specific plugin.Specific
	group    int
	source   *source
}

func (d *delta) applies(v *memo.View) bool {
	switch {
	case d.specific.Host != "":
		return v.Is(d.specific.Host)
	case d.specific.Group != "":
		return v.InGroup(d.group)
	}
	return true
}

// sortDeltas orders deltas from the least to the most specific.
func sortDeltas(list []delta) {
	slices.SortStableFunc(list, func(a, b delta) int {
		switch {
		case a.specific.Worse(b.specific):
			return -1
		case b.specific.Worse(a.specific):
			return 1
		}
		return strings.Compare(a.source.name, b.source.name)
	})
}

func (d *delta) apply(text string) (string, *problem.Problem) {
	change, p := d.source.load()
	if p != nil {
		return "", p
	}
	if d.source.kind == catDelta {
		return cat(text, change), nil
	}
	return d.patch(text, change)
}

// cat appends the lines marked +, and removes the first line equal to one marked -.
func cat(text, change string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for l := range strings.SplitSeq(change, "\n") {
		switch {
		case strings.HasPrefix(l, "+"):
			lines = append(lines, l[1:])
		case strings.HasPrefix(l, "-"):
			if i := slices.Index(lines, l[1:]); i >= 0 {
				lines = slices.Delete(lines, i, i+1)
			}
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func (d *delta) patch(text, change string) (string, *problem.Problem) {
	list, err := hunks(change)
	if err == nil {
		text, err = patch(text, list)
	}
	if err != nil {
		return "", problem.New(problem.Pos{File: d.source.name}, "patch-failed", fmt.Sprintf("the patch cannot be applied: %v", err), "make the patch anew from the file that it changes")
	}
	return text, nil
}
