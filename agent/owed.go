// SPDX-License-Identifier: Apache-2.0

package agent

import "slices"

// fileModified names the bundles that a run has work in, until their actions have run
// and their services were told. A run that was killed or stopped between leaves it, and
// the next one counts them as modified: their files are right by then, and nothing else
// would tell that a service still has the old ones.
const fileModified = "modified.json"

// owing takes over what an earlier run has left to be done.
func (r *run) owing() (owed []string, err error) {
	if _, err := r.c.State.Load(fileModified, &owed); err != nil || r.o.Choice.Partial() {
		return owed, err
	}
	for _, b := range r.bundles {
		b.owed = !b.Independent() && slices.Contains(owed, b.Name())
	}
	return owed, nil
}

// owes notes before the first change which bundles will have to be told.
func (r *run) owes(owed []string) error {
	all := slices.Clone(owed)
	for _, b := range r.bundles {
		if !b.Independent() && b.pending() && !slices.Contains(all, b.Name()) {
			all = append(all, b.Name())
		}
	}
	if len(all) == len(owed) {
		return nil
	}
	return r.c.State.Save(fileModified, all)
}

// paid notes that all was done. What a run of a part, or one that must leave a bundle
// alone, has not done is still owed.
func (r *run) paid(owed []string) error {
	left := owed
	if !r.o.Choice.Partial() {
		left = nil
		for _, b := range r.bundles {
			if b.owed && !slices.ContainsFunc(b.entries, func(e *entry) bool { return e.left == "" }) {
				left = append(left, b.Name())
			}
		}
	}
	if len(left) == 0 {
		return r.c.State.Remove(fileModified)
	}
	return r.c.State.Save(fileModified, left)
}
