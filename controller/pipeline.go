// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/controller/metrics"
	"github.com/bindery/bindery/controller/publish"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	sealed "github.com/bindery/bindery/engine/secret"
	"github.com/bindery/bindery/internal/schedule"
	"github.com/bindery/bindery/webhooks"
)

// fleetRows is what is stored of hosts.
type fleetRows interface {
	Hosts(ctx context.Context) ([]store.Host, error)
	FactsSince(ctx context.Context, known map[string]store.Facts) (map[string]store.Facts, error)
	LatestReleases(ctx context.Context) (map[string]store.Release, error)
	PutReleases(ctx context.Context, releases []store.Release) error
}

// externalRows is what is stored of what others know of hosts.
type externalRows interface {
	AllExternal(ctx context.Context) (map[string]map[string]string, error)
}

// refRows is what is stored of branches and pull requests.
type refRows interface {
	Ref(ctx context.Context, repo, name string) (store.Ref, error)
	PutRef(ctx context.Context, r store.Ref) error
	Audit(ctx context.Context, r store.Record) error
}

// reportRows is what is stored of what hosts told.
type reportRows interface {
	LatestReports(ctx context.Context) (map[string]store.Report, error)
}

// reviewRows is what is stored of what was shown.
type reviewRows interface {
	LatestReview(ctx context.Context, repo string, pull int) (store.Review, error)
	ReviewsOfHead(ctx context.Context, repo, head string) ([]store.Review, error)
	PutReview(ctx context.Context, r store.Review) (int64, error)
	Reviews(ctx context.Context, repo string, limit int) ([]store.Review, error)
}

// commentRows is where comments are.
type commentRows interface {
	Comment(ctx context.Context, repo string, pull int) (store.Posted, error)
	PutComment(ctx context.Context, repo string, pull int, p store.Posted) error
}

// approvalRows is who approved what in pull requests.
type approvalRows interface {
	Approvals(ctx context.Context, repo string, pull int) ([]store.Approval, error)
	PutApproval(ctx context.Context, a store.Approval) error
	DropApproval(ctx context.Context, a store.Approval) error
}

// rows is what the pipeline remembers. A *store.Store is all of it.
type rows interface {
	fleetRows
	externalRows
	refRows
	reportRows
	reviewRows
	commentRows
	approvalRows
}

// pipeline is the way from a commit to a comment and to releases. What is to be
// done follows from refs, open pull requests and the store each time anew, so
// that a run that was cut off anywhere is made good by the next one.
type pipeline struct {
	env       string // the environment: a branch of a repository, and its hosts
	repo      string
	branch    string
	hold      bool // what no merged review showed
	adminURL  string
	mirror    *git.Mirror
	store     rows
	publisher *publish.Publisher
	forge     webhooks.Forge // nil: no pull requests
	key       []byte         // makes fingerprints of secrets
	secrets   sealed.Keyring // opens what is encrypted in the specification
	parsed    *engine.Cache  // what files of other commits were parsed to
	metrics   *metrics.Environment
	loop      *schedule.Loop
	turns     turns
	log       *slog.Logger
	now       func() time.Time
	pace      *pace
	// building comes before each build; nil: nothing does.
	building func(ctx context.Context, commit string) error

	mu    sync.Mutex
	asked map[string]asked
	// members are the hosts of the last build of the branch.
	members map[string]member
	// sure are the sequences of host ids that this process has published or read
	// back. What was only recorded by others, or before a kill, is looked at once.
	sure map[string]int64
	// facts are the answers as they were read last, by host id.
	facts map[string]store.Facts
	// done names what the last release was made of, if it left nothing to do.
	done string
	// latest is the branch as it was built last: most of the next build is taken from
	// there. Only reconcile uses it.
	latest *site
	// refused says of hosts that get no release why, as it was logged. Only reconcile
	// uses it.
	refused map[string]string
	// heard is when each pull request was touched last, as the forge had it when its
	// comments were read.
	heard map[int]time.Time
	// merges are the pull requests that are known to be merged, for good.
	merges map[int]webhooks.Pull
	// following are merged pull requests whose comments say how far they came, and
	// followed names the branch and the open ones for which they were looked for. Only
	// reconcile uses them.
	following map[int]bool
	// rolling says that there are such: what hosts report makes the loop look then.
	rolling  atomic.Bool
	followed string
}

// asked is the probe set that was last published for a host.
type asked struct {
	digest string
	names  []string
}

// ProbeNames gives the keys of the probes of a set, if it is the one published last.
func (p *pipeline) ProbeNames(hostID, digest string) (names []string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.asked[hostID]
	return a.names, ok && a.digest == digest
}

// ask remembers the probe set that a host has.
func (p *pipeline) ask(hostID string, probes []config.Probe) {
	a := asked{digest: config.ProbeDigest(probes).String()}
	for _, pr := range probes {
		a.names = append(a.names, pr.Key())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[hostID] = a
}

// doubt makes the next reconciliation look at what is published for a host: its
// signatures end soon, or its files are gone.
func (p *pipeline) doubt(hostID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = ""
	delete(p.sure, hostID)
}

// trust remembers what is published for a host.
func (p *pipeline) trust(r store.Release) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sure[r.HostID] = r.Sequence
}

func (p *pipeline) trusted(r store.Release) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return r.Sequence != 0 && p.sure[r.HostID] == r.Sequence
}

// settled tells whether the last release was made of the same and left nothing to do.
func (p *pipeline) settled(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done == key
}

// finish remembers that a release left nothing to do, unless doubt came up since.
func (p *pipeline) finish(key string, f *fleet) {
	for _, h := range f.hosts {
		if r, ok := f.releases[h.ID]; ok && !p.trusted(r) {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = key
}

// reconcile looks at everything once: it fetches, publishes what the branch says,
// and previews every open pull request. One that cannot be previewed stops
// neither the others nor the publication.
func (p *pipeline) reconcile(ctx context.Context) error {
	p.pace.begin()
	pulls, forgeErr := p.pulls(ctx)
	if err := p.mirror.Fetch(ctx, "refs/heads/"+p.branch); err != nil {
		return errors.Join(err, forgeErr)
	}
	tip, err := p.mirror.Resolve(ctx, "refs/heads/"+p.branch)
	if err != nil {
		return fmt.Errorf("find branch %s: %w", p.branch, errors.Join(err, forgeErr))
	}
	f, err := p.fleet(ctx)
	if err != nil {
		return err
	}
	built := &sites{p: p, fleet: f, built: map[string]*site{}}
	if p.latest != nil && p.latest.facts == f.digest {
		built.built[p.latest.commit] = p.latest
	}
	errs := []error{forgeErr}
	if err := p.release(ctx, tip, built); err != nil {
		errs = append(errs, fmt.Errorf("publish %.12s: %w", tip, err))
	}
	whole, failed := p.previews(ctx, tip, pulls, built)
	errs = append(errs, failed...)
	if forgeErr == nil && whole {
		errs = append(errs, p.queue(ctx, tip, built))
	}
	if forgeErr == nil && whole {
		errs = append(errs, p.rollouts(ctx, tip, pulls))
	}
	if got := built.built[tip]; got != nil {
		p.latest = got
	}
	err = errors.Join(errs...)
	if err == nil {
		p.metrics.Succeeded("reconcile")
	}
	return err
}

// previews shows every pull request on the branch, and tells whether it got to the
// last. What they bring is fetched after the release, and each alone if not all
// together: anybody may open one, and what nobody can fetch, or what fills the memory,
// must cost no other its preview.
func (p *pipeline) previews(ctx context.Context, tip string, pulls []webhooks.Pull, built *sites) (whole bool, errs []error) {
	pulls = slices.DeleteFunc(slices.Clone(pulls), func(pull webhooks.Pull) bool { return pull.BaseRef != "refs/heads/"+p.branch })
	p.pace.keep(pulls)
	built.open = pulls
	fetched := p.fetch(ctx, pulls) == nil
	for _, pull := range p.pace.inTurn(pulls) {
		if ctx.Err() != nil {
			return false, append(errs, ctx.Err())
		}
		built.only(tip)
		var err error
		if !fetched {
			err = p.fetch(ctx, []webhooks.Pull{pull})
		}
		before := p.pace.turn
		if err == nil {
			// A question that cannot be answered is no reason to show nothing.
			err = errors.Join(p.hear(ctx, conversation{tip: tip, pull: pull, built: built}), p.preview(ctx, tip, pull, built))
		}
		if errors.Is(err, errSuperseded) {
			p.pace.cut[pull.Number]++
			p.log.Info("preview dropped", "repo", p.repo, "pull", pull.Number, "rev", pull.Head, "why", err)
		} else if err != nil {
			p.failed(err)
			errs = append(errs, fmt.Errorf("preview pull request %d: %w", pull.Number, err))
		}
		if limitedBy(err) || p.pace.turn != before && p.pace.yields(len(pulls)) {
			return false, errs
		}
	}
	return true, errs
}

// failed counts what a forge did not do. One that limits us is left alone from now on.
func (p *pipeline) failed(err error) {
	if fe, ok := errors.AsType[*webhooks.Error](err); ok {
		p.metrics.ForgeError(string(fe.Reason))
		if fe.Reason == webhooks.RateLimited {
			p.pace.later(p.pace.rest(fe))
		}
	}
}

// pulls lists the open pull requests; none where there is no forge. A forge that does
// not answer is asked less and less often.
func (p *pipeline) pulls(ctx context.Context) ([]webhooks.Pull, error) {
	if p.forge == nil {
		return nil, nil
	}
	if p.pace.resting() {
		return nil, errResting
	}
	pulls, err := p.forge.Pulls(ctx)
	if err != nil {
		p.failed(err)
		if fe, ok := errors.AsType[*webhooks.Error](err); ok && ctx.Err() == nil && fe.Reason != webhooks.RateLimited {
			if d := p.pace.rest(fe); d > 0 {
				p.pace.later(d)
			}
		}
		return nil, err
	}
	p.pace.answered()
	return pulls, nil
}

// fetch gets what pull requests need. A forge keeps the refs of closed ones for
// ever, so they are never fetched all.
func (p *pipeline) fetch(ctx context.Context, pulls []webhooks.Pull) error {
	var refs []string
	for _, pull := range pulls {
		for _, ref := range []string{pull.HeadRef, pull.MergeRef} {
			if ref != "" {
				refs = append(refs, ref)
			}
		}
	}
	if len(refs) == 0 {
		return nil
	}
	return p.mirror.Fetch(ctx, refs...)
}
