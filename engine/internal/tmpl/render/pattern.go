// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/problem"
)

// pattern is what a template gave, but for the name of the host where the template
// does nothing with it but write it. Most templates name their host, and are the
// same for all that answer their other questions alike.
type pattern struct {
	text string
	// blanks are the offsets at which the name belongs.
	blanks  []int
	problem *problem.Problem
}

// patternKey tells renderings apart that can differ for one host.
type patternKey struct{ syntax, file, vars string }

func (j *Job) key(syntax string) patternKey {
	var b strings.Builder
	for _, v := range j.Vars {
		b.WriteString(v.Name + "\x00" + v.Value + "\x00")
	}
	if j.Defaults {
		b.WriteByte(1)
	}
	return patternKey{syntax, j.File, b.String()}
}

// fill writes the name into the blanks.
func (p *pattern) fill(v *memo.View) string {
	if len(p.blanks) == 0 {
		return p.text
	}
	name := v.Name()
	var b strings.Builder
	b.Grow(len(p.text) + len(p.blanks)*len(name))
	from := 0
	for _, at := range p.blanks {
		b.WriteString(p.text[from:at])
		b.WriteString(name)
		from = at
	}
	b.WriteString(p.text[from:])
	return b.String()
}

// shared renders by patterns: once for all hosts that answer the template's questions
// alike. Who asks why wants the notes of a rendering.
func (r *Renderer) shared(v *memo.View, j Job, syntax string, render func(v *memo.View, blanks *[]int) (string, *problem.Problem)) (string, *problem.Problem) {
	if v.Trail() != nil || r.unfinished {
		return render(v, nil)
	}
	key := j.key(syntax)
	tree, ok := r.patterns.Load(key)
	if !ok {
		tree, _ = r.patterns.LoadOrStore(key, &memo.Tree[*pattern]{})
	}
	got := tree.(*memo.Tree[*pattern]).Get(v, func(v *memo.View) *pattern {
		p := &pattern{}
		p.text, p.problem = render(v, &p.blanks)
		if len(p.blanks) > 0 && v.Particular() {
			v.Alone() // hardly another host has the pattern
		}
		return p
	})
	if got.problem != nil {
		return "", got.problem
	}
	return got.fill(v), nil
}
