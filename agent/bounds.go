// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"slices"

	"github.com/bindery/bindery/engine/release"
)

// enough is how many things a run may take away where the policy says nothing.
const enough = 100

// restrain leaves entries as they are that the policy wants only reported, and all
// that take something away where that is too much for one run.
func (r *run) restrain(p *release.Policy) {
	for _, b := range r.bundles {
		if slices.Contains(p.Report, b.Name()) {
			b.leave("only reported, as the policy says of its bundle")
		}
	}
	var removing []*entry
	for _, e := range r.entries {
		if n := e.removes(); n > 0 && e.wrong() {
			r.things += n
			removing = append(removing, e)
		}
	}
	r.removing = len(removing)
	why := r.tooMuch(p, nil)
	if why == "" {
		return
	}
	r.things, r.removing = 0, 0
	for _, e := range removing {
		e.left = why
	}
}

// tooMuch says why a run may not take away what its entries do and these, "" if it
// may.
func (r *run) tooMuch(p *release.Policy, more []*Surplus) string {
	if r.o.Removals {
		return ""
	}
	things, removing := r.things+len(more), r.removing+len(more)
	most := p.RemovalMax
	if most == 0 {
		most = enough
	}
	switch {
	case most >= 0 && things > most:
		return fmt.Sprintf("left as it is: the run would take away %d things, and policy.removal.max allows %d", things, most)
	case p.RemovalPercent > 0 && removing*100 > p.RemovalPercent*len(r.entries):
		return fmt.Sprintf("left as it is: %d of %d entries would take something away, and policy.removal.percent allows %d %%", removing, len(r.entries), p.RemovalPercent)
	}
	return ""
}

// removes counts what making an entry true takes away.
func (e *entry) removes() int {
	n := len(e.out.Extra)
	if e.Entry.Tag == "Path" && e.Entry.Type() == "nonexistent" {
		n++
	}
	return n
}

func (b *bundle) leave(why string) {
	for _, e := range b.entries {
		if e.left == "" {
			e.left = why
		}
	}
}
