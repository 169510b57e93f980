// SPDX-License-Identifier: Apache-2.0

package cfg

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// maxPatchSteps bounds the lines that are compared to find the places of a patch.
const maxPatchSteps = 1 << 24

// maxFuzz is how many lines of context the program patch gives up.
const maxFuzz = 2

// hunks reads a unified diff for one file. As for the program patch, the names of
// files in it mean nothing and may be missing.
func hunks(diff string) ([]*gitdiff.TextFragment, error) {
	if strings.HasPrefix(diff, "@@ ") {
		diff = "--- a\n+++ b\n" + diff
	}
	// The library would inflate a binary patch, to whatever size; the program patch
	// knows none.
	for line := range strings.Lines(diff) {
		if strings.HasPrefix(line, "GIT binary patch") {
			return nil, errors.New("it is a binary patch")
		}
	}
	files, _, err := gitdiff.Parse(strings.NewReader(diff))
	if err != nil {
		// What the library says may quote the file, which may be secret.
		return nil, errors.New("it is no unified diff")
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("it changes %d files", len(files))
	}
	return files[0].TextFragments, nil
}

// patcher applies hunks in order. Each is looked for near the place where it
// should be, first with all its context, then with less, as the program patch does.
type patcher struct {
	lines  []string
	done   int // lines that are behind the last hunk
	offset int // how far the last hunk was from its place
	steps  int
	out    strings.Builder
}

func patch(text string, hunks []*gitdiff.TextFragment) (string, error) {
	p := &patcher{lines: slices.Collect(strings.Lines(text))}
	for _, h := range hunks {
		if err := p.apply(h); err != nil {
			return "", err
		}
	}
	p.copy(len(p.lines))
	return p.out.String(), nil
}

func (p *patcher) copy(to int) {
	for _, l := range p.lines[p.done:to] {
		p.out.WriteString(l)
	}
	p.done = to
}

func (p *patcher) apply(h *gitdiff.TextFragment) error {
	context := int(max(h.LeadingContext, h.TrailingContext))
	for fuzz := 0; fuzz <= min(maxFuzz, context); fuzz++ {
		lead := max(0, fuzz+int(h.LeadingContext)-context)
		trail := max(0, fuzz+int(h.TrailingContext)-context)
		lines := h.Lines[lead : len(h.Lines)-trail]
		var old []string
		for _, l := range lines {
			if l.Old() {
				old = append(old, l.Line)
			}
		}
		guess := int(h.OldPosition) - 1 + lead
		if h.OldLines == 0 {
			guess++ // the place is that of the line before
		}
		at, ok := p.find(old, guess+p.offset)
		if p.steps > maxPatchSteps {
			return errors.New("its places are too hard to find")
		}
		if !ok {
			continue
		}
		p.offset = at - guess
		p.copy(at)
		for _, l := range lines {
			if l.New() {
				p.out.WriteString(l.Line)
			}
		}
		p.done = at + len(old)
		return nil
	}
	return fmt.Errorf("the lines of @@ -%d,%d +%d,%d @@ are not in the file", h.OldPosition, h.OldLines, h.NewPosition, h.NewLines)
}

// find looks for lines near a place, behind what is done already.
func (p *patcher) find(old []string, guess int) (int, bool) {
	last := len(p.lines) - len(old)
	for d := 0; p.steps <= maxPatchSteps && (guess+d <= last || guess-d >= p.done); d++ {
		for _, at := range [2]int{guess + d, guess - d} {
			if at >= p.done && at <= last && p.matches(at, old) {
				return at, true
			}
		}
		p.steps++
	}
	return 0, false
}

func (p *patcher) matches(at int, old []string) bool {
	for i, l := range old {
		p.steps++
		if p.lines[at+i] != l {
			return false
		}
	}
	return true
}
