// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/webhooks"
)

// said is what hosts reported last, by their ids.
type said map[string]store.Report

// tell adds to a host what it said of itself. Of one that stays as it is nobody asks.
func (s said) tell(h *review.Host, id string) error {
	row, ok := s[id]
	if !ok || h.Base == nil || h.Head == nil || h.Base.Config == nil || h.Head.Config == nil || h.Base.Config.Digest() == h.Head.Config.Digest() {
		return nil
	}
	var body struct {
		Bad, Extra []release.Item
	}
	if err := json.Unmarshal(row.Body, &body); err != nil {
		return fmt.Errorf("read the report of %s: %w", h.Name, err)
	}
	keys := func(items []release.Item) (out []config.Key) {
		for _, i := range items {
			out = append(out, i.Key)
		}
		return out
	}
	h.Drifted, h.Extra = keys(body.Bad), keys(body.Extra)
	return nil
}

// maxCompared bounds how many open pull requests one is compared with.
const maxCompared = 50

// surround adds to a report what else there is to know: how far the base moved since
// the last one of this head, and which other pull requests touch the same.
func (p *pipeline) surround(ctx context.Context, report *review.Report, open []webhooks.Pull) error {
	m := &report.Meta
	older, err := p.store.ReviewsOfHead(ctx, p.repo, m.Head)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(older, func(r store.Review) bool {
		return r.Pull == m.Number && r.Environment == p.env && r.Base != m.Base && r.Digest != ""
	})
	if i >= 0 {
		came, err := p.mirror.Between(ctx, older[i].Base, m.Base)
		if err == nil && len(came) > 0 { // a base that was rewritten moved by nobody knows what
			m.Moved = &review.Moved{Commits: len(came), Same: older[i].Digest == report.Digest}
		}
	}
	set := report.Set()
	for _, pull := range open[:min(len(open), maxCompared)] {
		if pull.Number == m.Number {
			continue
		}
		r, err := p.store.LatestReview(ctx, p.repo, pull.Number)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if len(r.Set) == 0 || r.Head != pull.Head || r.Environment != p.env {
			continue // it says so when it is previewed itself
		}
		theirs, err := review.ReadSet(p.key, r.Set)
		if err != nil {
			return fmt.Errorf("review of pull request %d: %w", pull.Number, err)
		}
		if o := overlap(set.Common(theirs)); len(o.Entries) > 0 {
			o.Number = pull.Number
			m.Others = append(m.Others, o)
		}
	}
	return nil
}

// overlap names what two pull requests have in common.
func overlap(common []review.Remainder) (o review.Other) {
	for _, c := range common {
		o.Entries = append(o.Entries, c.Entry.String())
		o.Names = append(o.Names, c.Hosts...)
	}
	slices.SortFunc(o.Names, hostset.Compare)
	o.Names = slices.Compact(o.Names)
	o.Label = hostset.Cap(hostset.Fold(o.Names), o.Names, 240)
	return o
}
