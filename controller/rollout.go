// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/webhooks"
)

const (
	// rolloutPause is how long a comment stays as it is while hosts apply a change.
	rolloutPause = time.Minute
	// reportPause is how long reports of hosts are gathered before comments are looked
	// at for them.
	reportPause = 3 * time.Second
	// rolloutLife is how long a comment follows a change: who has not applied it by
	// then is named, and the comment stays.
	rolloutLife = 7 * 24 * time.Hour
	// silence is how long a host may say nothing before it counts as not seen. Agents
	// repeat an equal report every six hours.
	silence = 24 * time.Hour
)

// Outcomes of a rollout, as the store keeps them.
const (
	rolling = "rolling"
	ended   = "ended"
)

// rollouts says in the comments of merged pull requests how far they came. Those that
// are on their way are found where the branch or the list of open ones moved, and looked
// at every time.
func (p *pipeline) rollouts(ctx context.Context, tip string, open []webhooks.Pull) error {
	if p.forge == nil {
		return nil
	}
	// A pull request may be merged after the open ones were listed.
	key := tip
	for _, pull := range open {
		key += fmt.Sprintf(" %d", pull.Number)
	}
	if p.followed != key {
		whole, err := p.follow(ctx, open)
		if err != nil {
			return err
		}
		if whole {
			p.followed = key
		}
	}
	var errs []error
	for _, number := range slices.Sorted(maps.Keys(p.following)) {
		over, err := p.rollout(ctx, tip, number)
		if err != nil {
			p.failed(err)
			errs = append(errs, fmt.Errorf("rollout of pull request %d: %w", number, err))
		}
		if over {
			delete(p.following, number)
		}
	}
	p.rolling.Store(len(p.following) > 0)
	return errors.Join(errs...)
}

// rolloutRef names a rollout by its branch too: pull requests on several branches of one
// repository are followed apart.
func (p *pipeline) rolloutRef(number int) string {
	return fmt.Sprintf("rollout/%s/%d", p.branch, number)
}

// follow finds the pull requests that were merged and have a comment, and tells whether
// it asked the forge about all.
func (p *pipeline) follow(ctx context.Context, open []webhooks.Pull) (whole bool, err error) {
	newest, err := p.newestReviews(ctx)
	if err != nil {
		return false, err
	}
	asked := 0
	for _, r := range newest {
		if slices.ContainsFunc(open, func(o webhooks.Pull) bool { return o.Number == r.Pull }) || p.following[r.Pull] {
			continue
		}
		ref, err := p.store.Ref(ctx, p.repo, p.rolloutRef(r.Pull))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		if err == nil && ref.Outcome == rolling {
			p.following[r.Pull] = true
		}
		if err == nil && ref.Outcome != "" {
			continue
		}
		if asked == maxAsked {
			return false, nil
		}
		asked++
		if err := p.begin(ctx, r); err != nil {
			return false, err
		}
	}
	return true, nil
}

// begin asks the forge what became of a pull request that is no longer open.
func (p *pipeline) begin(ctx context.Context, r store.Review) error {
	ref := store.Ref{Repo: p.repo, Name: p.rolloutRef(r.Pull), Outcome: ended}
	_, err := p.store.Comment(ctx, p.repo, r.Pull)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && r.State != string(review.Clean) {
		pull, err := p.forge.Pull(ctx, r.Pull)
		if err != nil && !webhooks.IsMissing(err) {
			p.failed(err)
			return err
		}
		if pull.Open {
			return nil // it was opened again
		}
		if err == nil && pull.Merged && pull.Head == r.Head && pull.BaseRef == "refs/heads/"+p.branch {
			ref.Commit, ref.Outcome = cmp.Or(pull.MergeCommit, pull.Head), rolling
			p.following[r.Pull] = true
		}
	}
	return p.store.PutRef(ctx, ref)
}

// rollout brings one comment up to date, and tells whether that was the last time.
func (p *pipeline) rollout(ctx context.Context, tip string, number int) (over bool, err error) {
	ref, err := p.store.Ref(ctx, p.repo, p.rolloutRef(number))
	if err != nil {
		return false, err
	}
	row, err := p.store.LatestReview(ctx, p.repo, number)
	if err != nil {
		return errors.Is(err, store.ErrNotFound), err
	}
	report, err := review.ReadJSON(row.Body)
	if err != nil {
		return false, err
	}
	state, err := p.rolledOut(ctx, tip, ref.Commit, report)
	if err != nil {
		return false, err
	}
	since, last, _ := strings.Cut(ref.Detail, " ")
	began, err := time.Parse(time.RFC3339, since)
	if err != nil {
		began = p.now().UTC()
	}
	state.Over = p.now().Sub(began) > rolloutLife
	over = state.Over || state.Done()
	body := markdown.After(markdown.New(report, markdown.Options{}), state)
	sum := sha256.Sum256([]byte(body))
	digest := hex.EncodeToString(sum[:8])
	if digest == last {
		return false, nil
	}
	if wait := rolloutPause - p.now().Sub(ref.At); wait > 0 && !over && last != "" {
		p.pace.soon(wait)
		return false, nil
	}
	if err := p.postAfter(ctx, row, body); err != nil {
		return false, err
	}
	ref.Detail, ref.Outcome = began.Format(time.RFC3339)+" "+digest, rolling
	if over {
		ref.Outcome = ended
	}
	return over, p.store.PutRef(ctx, ref)
}

// postAfter edits the comment of a pull request that was merged; a new one is never made.
func (p *pipeline) postAfter(ctx context.Context, row store.Review, body string) error {
	known, err := p.store.Comment(ctx, p.repo, row.Pull)
	if err != nil {
		return err
	}
	_, text, _ := strings.Cut(body, "\n")
	_, err = p.forge.Post(ctx, webhooks.Post{
		Number: row.Pull, Known: known.ID, Body: text, OnlyEdit: true,
		Marker: webhooks.Marker{Head: row.Head, Base: row.Base, Seq: row.Seq, Digest: row.Digest},
	})
	return err
}

// rolledOut counts how far the hosts of a report came with a commit.
func (p *pipeline) rolledOut(ctx context.Context, tip, commit string, report *review.Report) (out markdown.Rollout, err error) {
	out.Commit = commit
	has := p.descends(ctx, commit)
	published, err := p.store.Ref(ctx, p.repo, "published/"+p.branch)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return out, err
	}
	if in, err := has(published.Commit); err != nil || !in {
		branch, bad := p.store.Ref(ctx, p.repo, "refs/heads/"+p.branch)
		out.Held = "it waits for its turn"
		if bad == nil && branch.Commit == tip {
			out.Held = strings.TrimSuffix(branch.Outcome+": "+branch.Detail, ": ")
		}
		return out, err
	}
	f, err := p.fleet(ctx)
	if err != nil {
		return out, err
	}
	reports, err := p.store.LatestReports(ctx)
	if err != nil {
		return out, err
	}
	err = count(&out, report, f, func(h store.Host) (*markdown.Told, error) {
		rep := reports[h.ID]
		got, err := has(f.releases[h.ID].Commit)
		if err != nil || !got {
			return &out.Kept, err
		}
		said, err := has(rep.Commit)
		return p.stage(&out, rep, f.releases[h.ID].At, said), err
	}, reports)
	return out, err
}

// count puts every host of a report into its place.
func count(out *markdown.Rollout, report *review.Report, f *fleet, place func(store.Host) (*markdown.Told, error), reports map[string]store.Report) error {
	hosts := make(map[string]store.Host, len(f.hosts))
	for _, h := range f.hosts {
		hosts[h.Name] = h
	}
	if report.Removed != nil {
		for _, name := range report.Removed.Names {
			delete(hosts, name)
		}
	}
	names := map[*markdown.Told][]string{}
	var first, last time.Time
	for _, name := range report.Hosts {
		h, ok := hosts[name]
		if !ok {
			continue // nobody publishes for it
		}
		at, err := place(h)
		if err != nil {
			return err
		}
		out.Hosts++
		names[at] = append(names[at], name)
		if at != &out.Applied {
			continue
		}
		if began := f.releases[h.ID].At; first.IsZero() || began.Before(first) {
			first = began
		}
		if told := reports[h.ID].At; told.After(last) {
			last = told
		}
	}
	for at, list := range names {
		at.Hosts, at.Label = len(list), hostset.Cap(hostset.Fold(list), list, 240)
	}
	if last.After(first) {
		out.Took = last.Sub(first)
	}
	return nil
}

// stage says where a host is that has a release since some time, and whether it
// reported on that.
func (p *pipeline) stage(out *markdown.Rollout, rep store.Report, since time.Time, reported bool) *markdown.Told {
	var body release.Report
	switch {
	case reported && json.Unmarshal(rep.Body, &body) == nil &&
		(body.DryRun || rep.State == string(release.StateDirty) && len(body.Bad) > 0 && len(body.Unapplied()) == 0):
		return &out.Reports
	case reported && rep.State == string(release.StateClean):
		return &out.Applied
	case reported && slices.Contains([]release.RunState{release.StateDirty, release.StateFailed, release.StateRolledBack}, release.RunState(rep.State)):
		return &out.Failed
	case p.now().Sub(rep.At) > silence && p.now().Sub(since) > silence:
		return &out.Unseen
	}
	return &out.Waiting
}

// descends tells of commits whether they have another in their history; each is looked
// at once.
func (p *pipeline) descends(ctx context.Context, from string) func(commit string) (bool, error) {
	known := map[string]bool{}
	return func(commit string) (bool, error) {
		if in, ok := known[commit]; ok || commit == "" {
			return in, nil
		}
		in, err := p.mirror.IsAncestor(ctx, from, commit)
		if errors.Is(err, git.ErrUnknownRevision) {
			in, err = false, nil
		}
		if err == nil {
			known[commit] = in
		}
		return in, err
	}
}
