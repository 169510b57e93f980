// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/redaction"
)

// stepKey is equal for hosts that go from equal configurations to equal ones.
type stepKey struct{ base, head config.Digest }

// changes is what a change does to the hosts that one assertion is about.
type changes struct {
	total                    int
	changed, losing, removed []string
	lost                     map[wrong][]string
	steps                    map[stepKey]*HostChanges
	order                    []stepKey
}

// diff gives what changes on a host; hosts with equal keys have equal changes.
func (c *check) diff(h *Host) (stepKey, []config.Change) {
	if h.Base == nil || h.Head == nil {
		return stepKey{}, nil
	}
	k := stepKey{h.Base.Digest(), h.Head.Digest()}
	if k.base == k.head {
		return k, nil
	}
	if c.steps == nil {
		c.steps = map[stepKey][]config.Change{}
	}
	list, ok := c.steps[k]
	if !ok {
		list = config.Diff(h.Base, h.Head)
		c.steps[k] = list
	}
	return k, list
}

// compared notes what a change does to a host. What a new host gets is no change.
func (c *check) compared(n int, h *Host) {
	r, t := c.rules[n], &c.tallies[n]
	if !h.InBase {
		return
	}
	t.total++
	if !h.InHead {
		t.removed = append(t.removed, h.Name)
		return
	}
	k, list := c.diff(h)
	if len(list) == 0 {
		return
	}
	if slices.ContainsFunc(list, r.counts) {
		t.changed = append(t.changed, h.Name)
		if t.steps[k] == nil {
			if t.steps == nil {
				t.steps = map[stepKey]*HostChanges{}
			}
			t.steps[k] = &HostChanges{Changes: slices.DeleteFunc(slices.Clone(list), func(ch config.Change) bool { return !r.counts(ch) })}
			t.order = append(t.order, k)
		}
		t.steps[k].Hosts = append(t.steps[k].Hosts, h.Name)
	}
	gone := lost(c.base[n], c.head[n])
	if len(gone) > 0 {
		t.losing = append(t.losing, h.Name)
	}
	for _, key := range gone {
		if r.Kept {
			t.lost = add(t.lost, wrong{key, "the change takes it away"}, h.Name)
		}
	}
}

// lost names what is in base and no longer in head. What does not bind in head is not
// lost: the host keeps what it has.
func lost(base, head []hit) (out []string) {
	if len(base) == 0 {
		return nil
	}
	seen := make(map[string]bool, len(head))
	for _, x := range head {
		seen[x.key] = true
	}
	for _, x := range base {
		if !seen[x.key] {
			seen[x.key] = true
			out = append(out, x.key)
		}
	}
	return out
}

// sizes holds the numbers of hosts against the limits.
func (c *check) sizes(r *rule, t *tally) []Finding {
	var all []HostChanges
	for _, k := range t.order {
		all = append(all, *t.steps[k])
	}
	return slices.Concat(
		c.size(r, r.MaxChanged, "max_changed", "changes on", t.changed, all, t.total),
		c.size(r, r.MaxLosing, "max_losing", "is lost on", t.losing, all, t.total),
		c.size(r, r.MaxRemovedHosts, "max_removed_hosts", "", t.removed, nil, t.total),
	)
}

// size holds the number of hosts against a limit.
func (c *check) size(r *rule, l *limit, key, what string, hosts []string, changes []HostChanges, total int) []Finding {
	if l == nil || len(hosts) <= l.of(total) {
		return nil
	}
	entry := string(r.Entry)
	if entry == "" {
		entry = "what is delivered"
	}
	msg := fmt.Sprintf("%s %s %d of %d hosts", entry, what, len(hosts), total)
	if what == "" {
		msg = fmt.Sprintf("%d of %d hosts go", len(hosts), total)
	}
	msg += fmt.Sprintf(", and at most %d may", l.of(total))
	if l.Percent {
		msg += fmt.Sprintf(" (%s)", l)
	}
	f := Finding{Name: string(r.Name), Approvals: c.approvals(r), Hosts: hosts, Problem: c.problem(r, msg)}
	parts := []string{r.digest, key, strconv.Itoa(total), digest(hosts...)}
	for _, hc := range changes {
		kept := slices.DeleteFunc(slices.Clone(hc.Hosts), func(h string) bool {
			_, in := slices.BinarySearchFunc(hosts, h, hostset.Compare)
			return !in
		})
		if len(kept) == 0 {
			continue
		}
		hc.Hosts = kept
		f.Changes = append(f.Changes, hc)
		parts = append(parts, digest(kept...))
		for _, ch := range hc.Changes {
			parts = append(parts, ch.Key.String(), ch.Key.Type, string(ch.Kind), c.mark(ch.Old, ch.OldBundle), c.mark(ch.New, ch.NewBundle))
		}
	}
	f.Hash = digest(parts...)
	return []Finding{f}
}

// mark stands for an entry in a hash that everybody sees: for its bytes, or for nothing
// but that it is there, where they could be guessed and must not be.
func (c *check) mark(e *config.Entry, b *config.Bundle) string {
	in := ""
	if b != nil {
		in = b.Tag + ":" + b.Name()
	}
	switch {
	case e == nil:
		return in
	case c.public(e):
		return in + " " + e.Digest().String()
	}
	return in + " secret"
}

// public tells whether nothing of an entry is, or looks like, a secret.
func (c *check) public(e *config.Entry) bool {
	if c.secrets.Has(e) {
		return false
	}
	var scan redaction.Scanner
	for line := range bytes.Lines(e.XML()) {
		line := strings.TrimRight(string(line), "\n")
		if scan.Text(line, true) != line {
			return false
		}
	}
	return true
}

// digest gives texts one short name: long enough that nobody finds other texts of the
// same name.
func digest(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d %s\n", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
