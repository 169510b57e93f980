// SPDX-License-Identifier: Apache-2.0

package memo

import "github.com/bindery/bindery/engine/internal/host"

// Taint says that a secret was read. What is computed may hold it from then on,
// and whoever gets the value, computed or remembered, is tainted too.
func (v *View) Taint() {
	for ; v != nil; v = v.above {
		v.tainted = true
	}
}

// Tainted tells whether a secret was read.
func (v *View) Tainted() bool { return v.tainted }

// Apart runs one of several steps whose results are kept apart, and tells whether
// that step alone read a secret.
func (v *View) Apart(step func()) bool {
	before := v.tainted
	v.tainted = false
	step()
	alone := v.tainted
	v.tainted = before || alone
	return alone
}

// About makes a View of another host for the same computation. The questions are
// not recorded, as what the specification says of other hosts is the same for all;
// a secret that is read through it taints this computation.
func (v *View) About(h *host.Host) *View { return &View{h: h, above: v, mine: &mine{}} }

// Untainted runs a step whose result no longer holds the secrets that it reads, as
// the public half of a private key.
func (v *View) Untainted(step func()) {
	var before []bool
	for at := v; at != nil; at = at.above {
		before = append(before, at.tainted)
	}
	step()
	for at := v; at != nil; at = at.above {
		at.tainted, before = before[0], before[1:]
	}
}
