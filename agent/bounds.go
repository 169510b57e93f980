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
	if r.o.Removals {
		return
	}
	things := 0
	var removing []*entry
	for _, e := range r.entries {
		if n := e.removes(); n > 0 && e.wrong() {
			things += n
			removing = append(removing, e)
		}
	}
	most := p.RemovalMax
	if most == 0 {
		most = enough
	}
	why := ""
	switch {
	case most >= 0 && things > most:
		why = fmt.Sprintf("left as it is: the run would take away %d things, and policy.removal.max allows %d", things, most)
	case p.RemovalPercent > 0 && len(removing)*100 > p.RemovalPercent*len(r.entries):
		why = fmt.Sprintf("left as it is: %d of %d entries would take something away, and policy.removal.percent allows %d %%", len(removing), len(r.entries), p.RemovalPercent)
	}
	if why == "" {
		return
	}
	for _, e := range removing {
		e.left = why
	}
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
