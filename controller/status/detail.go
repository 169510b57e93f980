// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

// Bounds on lists.
const (
	// MaxList is how many rows of reviews and of the audit trail are given at most.
	MaxList = 500
	// maxCauses is how many causes an overview names.
	maxCauses = 50
	// maxHistory is how many releases and reports of one host are given.
	maxHistory = 20
)

// ErrNotFound is a host that is not enrolled, an environment that is not there, or a pull request without a review.
var ErrNotFound = store.ErrNotFound

// Detail is one host in full.
type Detail struct {
	Host
	Probes []string `json:"probes,omitempty" doc:"names of the probes that were answered"`
	// StaleFacts are answers of probes that fail now.
	StaleFacts  []release.StaleFact `json:"stale_facts,omitempty" doc:"answers that stand in for those of probes that fail, since when and why"`
	Bad         []release.Item      `json:"bad,omitempty" doc:"entries that are not as they should be"`
	Modified    []release.Item      `json:"modified,omitempty" doc:"entries that the last run repaired"`
	Extra       []release.Item      `json:"extra,omitempty" doc:"what is there and should not be"`
	NotVerified []release.Item      `json:"not_verified,omitempty" doc:"entries that could not be looked at"`
	Releases    []Release           `json:"releases,omitempty" doc:"the newest first"`
	Reports     []Report            `json:"reports,omitempty" doc:"the newest first"`
}

// Host gives one host by its name.
func (r *Reader) Host(ctx context.Context, name string) (*Detail, error) {
	h, err := r.c.History.HostNamed(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read host %q: %w", name, err)
	}
	releases, err := r.c.History.Releases(ctx, h.ID, maxHistory)
	if err != nil {
		return nil, fmt.Errorf("read host %q: %w", name, err)
	}
	reports, err := r.c.History.Reports(ctx, h.ID, maxHistory)
	if err != nil {
		return nil, fmt.Errorf("read host %q: %w", name, err)
	}
	row := stored{host: h}
	if len(releases) > 0 {
		row.release = &releases[0]
	}
	if len(reports) > 0 {
		row.report = &reports[0]
	}
	d := &Detail{}
	facts, err := r.c.History.Facts(ctx, h.ID)
	switch {
	case err == nil && facts.Answers != nil:
		row.facts = &facts
		d.Probes = slices.Sorted(maps.Keys(facts.Answers))
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, fmt.Errorf("read host %q: %w", name, err)
	}
	k, err := r.describe(row)
	if err != nil {
		return nil, err
	}
	d.Host = k.Host
	for _, v := range releases {
		d.Releases = append(d.Releases, releaseOf(v))
	}
	return d, r.tellAll(d, reports)
}

// tellAll adds a host's reports, and the entries of the newest.
func (r *Reader) tellAll(d *Detail, reports []store.Report) error {
	for i, v := range reports {
		body, err := decode(v)
		if err != nil {
			return fmt.Errorf("read host %q: %w", d.Name, err)
		}
		if i == 0 {
			d.StaleFacts = body.StaleFacts
			d.Bad, d.Modified, d.Extra, d.NotVerified = body.Bad, body.Modified, body.Extra, body.NotVerified
		}
		rep := reportOf(v, body)
		rep.AgeSeconds = seconds(r.c.Now().Sub(v.At))
		d.Reports = append(d.Reports, rep)
	}
	return nil
}

// Overview is the fleet at a glance.
type Overview struct {
	Environments []Place       `json:"environments" doc:"branches that are published, and what came of them"`
	Repositories []Repository  `json:"repositories"`
	Hosts        int           `json:"hosts"`
	States       map[State]int `json:"states"`
	Causes       []Cause       `json:"causes" doc:"what is wrong, the most widespread first"`
	Differences  []Cause       `json:"differences" doc:"what is not as it should be and only reported, the most widespread first"`
}

// Repository is how far one ref was processed.
type Repository struct {
	Repo    string    `json:"repo"`
	Ref     string    `json:"ref"`
	Commit  string    `json:"commit"`
	Outcome string    `json:"outcome"`
	Detail  string    `json:"detail,omitempty"`
	At      time.Time `json:"at"`
}

// Place is an environment at a glance.
type Place struct {
	Environment
	Hosts   int        `json:"hosts"`
	Commit  string     `json:"commit,omitempty" doc:"the last commit that was looked at"`
	Outcome string     `json:"outcome,omitempty"`
	Detail  string     `json:"detail,omitempty"`
	At      *time.Time `json:"at,omitempty"`
}

// Cause is one thing that is wrong and where.
type Cause struct {
	Text  string   `json:"text"`
	Hosts []string `json:"hosts"`
}

// Overview counts hosts by state and folds what is wrong with them; in one environment,
// unless that is "".
func (r *Reader) Overview(ctx context.Context, environment string) (*Overview, error) {
	all, err := r.all(ctx, environment)
	if err != nil {
		return nil, err
	}
	refs, err := r.c.Journal.Refs(ctx)
	if err != nil {
		return nil, fmt.Errorf("read repositories: %w", err)
	}
	o := &Overview{Repositories: []Repository{}, Hosts: len(all), States: map[State]int{}, Causes: causes(all, (*known).wrong), Differences: causes(all, (*known).different)}
	for _, s := range States() {
		o.States[s] = 0
	}
	for i := range all {
		o.States[all[i].State]++
	}
	o.Environments = r.places(all, refs, environment)
	for _, v := range refs {
		if environment != "" && !slices.ContainsFunc(o.Environments, func(p Place) bool {
			return p.Repo == v.Repo && (v.Name == "refs/heads/"+p.Branch || !strings.HasPrefix(v.Name, "refs/heads/"))
		}) {
			continue
		}
		if !strings.HasPrefix(v.Name, "refs/") {
			continue // what the controller keeps for itself
		}
		o.Repositories = append(o.Repositories, Repository{
			Repo: v.Repo, Ref: v.Name, Commit: v.Commit, Outcome: v.Outcome, Detail: v.Detail, At: v.At,
		})
	}
	return o, nil
}

// places lists environments in the order of the settings, then those that only hosts
// are in.
func (r *Reader) places(all []known, refs []store.Ref, environment string) []Place {
	out, at := []Place{}, map[string]int{}
	add := func(e Environment) {
		if environment == "" || e.Name == environment {
			at[e.Name] = len(out)
			out = append(out, Place{Environment: e})
		}
	}
	for _, e := range r.c.Environments {
		add(e)
	}
	for i := range all {
		name := all[i].Environment
		if _, ok := at[name]; !ok {
			add(Environment{Name: name})
		}
		out[at[name]].Hosts++
	}
	for i := range out {
		for _, v := range refs {
			if out[i].Branch != "" && v.Repo == out[i].Repo && v.Name == "refs/heads/"+out[i].Branch {
				out[i].Commit, out[i].Outcome, out[i].Detail, out[i].At = v.Commit, v.Outcome, v.Detail, &v.At
			}
		}
	}
	return out
}

// Count gives the number of hosts in each state, by environment.
func (r *Reader) Count(ctx context.Context) (map[string]map[string]int, error) {
	all, err := r.all(ctx, "")
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]int{}
	none := func() map[string]int {
		states := map[string]int{}
		for _, s := range States() {
			states[string(s)] = 0
		}
		return states
	}
	for _, e := range r.c.Environments {
		out[e.Name] = none()
	}
	for i := range all {
		if out[all[i].Environment] == nil {
			out[all[i].Environment] = none()
		}
		out[all[i].Environment][string(all[i].State)]++
	}
	return out, nil
}

// wrong is what is wrong with a host.
func (k *known) wrong() []string {
	if k.State != StateFailed && k.State != StateRolledBack {
		return nil
	}
	return k.causes
}

// different is what a host that tells something only reports.
func (k *known) different() []string {
	if k.State == StateStale {
		return nil
	}
	return k.differs
}

// causes folds what is equal of several hosts into one.
func causes(all []known, of func(*known) []string) []Cause {
	hosts := map[string][]string{}
	for i := range all {
		for _, text := range of(&all[i]) {
			hosts[text] = append(hosts[text], all[i].Name)
		}
	}
	out := make([]Cause, 0, len(hosts))
	for text, names := range hosts {
		out = append(out, Cause{Text: text, Hosts: slices.Compact(names)})
	}
	slices.SortFunc(out, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(len(b.Hosts), len(a.Hosts)), cmp.Compare(a.Text, b.Text))
	})
	return out[:min(len(out), maxCauses)]
}

// Commit is a commit that is in force somewhere.
type Commit struct {
	Environment string    `json:"environment"`
	Commit      string    `json:"commit"`
	Tree        string    `json:"tree"`
	Hosts       []string  `json:"hosts" doc:"hosts whose newest release was made from it"`
	Waiting     int       `json:"waiting" doc:"how many of them got probes alone"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
}

// Releases gives what is in force, by the environment and the commit that it was made
// from, the newest first; of one environment, unless that is "". A host stays with an older commit while newer ones change nothing for it.
func (r *Reader) Releases(ctx context.Context, environment string) ([]Commit, error) {
	if !r.has(environment) {
		return nil, fmt.Errorf("read environment %q: %w", environment, ErrNotFound)
	}
	hosts, err := r.c.Fleet.Hosts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read releases: %w", err)
	}
	latest, err := r.c.Fleet.LatestReleases(ctx)
	if err != nil {
		return nil, fmt.Errorf("read releases: %w", err)
	}
	by := map[[2]string]*Commit{}
	for _, h := range hosts {
		v, ok := latest[h.ID]
		if !ok || environment != "" && v.Environment != environment {
			continue
		}
		key := [2]string{v.Environment, v.Commit}
		c := by[key]
		if c == nil {
			c = &Commit{Environment: v.Environment, Commit: v.Commit, Tree: v.Tree, First: v.At, Last: v.At}
			by[key] = c
		}
		c.Hosts = append(c.Hosts, h.Name)
		if v.Waiting {
			c.Waiting++
		}
		if v.At.Before(c.First) {
			c.First = v.At
		}
		if v.At.After(c.Last) {
			c.Last = v.At
		}
	}
	out := make([]Commit, 0, len(by))
	for _, c := range by {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Commit) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.Environment, b.Environment))
	})
	return out, nil
}

// Review is a pull request as it was shown.
type Review struct {
	Repo        string          `json:"repo"`
	Pull        int             `json:"pull"`
	Environment string          `json:"environment" doc:"the one whose branch is the base"`
	Seq         int64           `json:"seq"`
	Head        string          `json:"head"`
	Base        string          `json:"base"`
	Merged      string          `json:"merged,omitempty" doc:"the tree of head merged onto base, which was built"`
	Digest      string          `json:"digest"`
	State       string          `json:"state"`
	At          time.Time       `json:"at"`
	Report      json.RawMessage `json:"report,omitempty" doc:"the whole report, without content that is secret"`
}

// Reviews gives the newest reviews of all repositories, the newest first; those for one
// environment, unless that is "", and without their reports unless whole is asked for.
func (r *Reader) Reviews(ctx context.Context, environment string, limit int, whole bool) ([]Review, error) {
	if !r.has(environment) {
		return nil, fmt.Errorf("read environment %q: %w", environment, ErrNotFound)
	}
	out := []Review{}
	for _, repo := range r.c.repositories() {
		rows, err := r.c.Journal.Reviews(ctx, repo, limit)
		if err != nil {
			return nil, fmt.Errorf("read reviews: %w", err)
		}
		for _, v := range rows {
			if environment == "" || v.Environment == environment {
				out = append(out, reviewOf(v, whole))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Review) int { return b.At.Compare(a.At) })
	return out[:min(len(out), limit)], nil
}

// Review gives the newest review of a pull request, with its report. Where the
// repository is "" and several have this number, it is the newest of them all.
func (r *Reader) Review(ctx context.Context, repository string, pull int) (*Review, error) {
	var newest *Review
	for _, repo := range r.c.repositories() {
		if repository != "" && repo != repository {
			continue
		}
		v, err := r.c.Journal.LatestReview(ctx, repo, pull)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read review of pull request %d: %w", pull, err)
		}
		if newest == nil || v.At.After(newest.At) {
			review := reviewOf(v, true)
			newest = &review
		}
	}
	if newest == nil {
		return nil, fmt.Errorf("read review of pull request %d: %w", pull, ErrNotFound)
	}
	return newest, nil
}

func reviewOf(v store.Review, whole bool) Review {
	out := Review{
		Repo: v.Repo, Pull: v.Pull, Environment: v.Environment, Seq: v.Seq, Head: v.Head, Base: v.Base, Merged: v.Merged, Digest: v.Digest,
		State: v.State, At: v.At,
	}
	if whole && json.Valid(v.Body) {
		out.Report = v.Body
	}
	return out
}

// Event is one row of the audit trail.
type Event struct {
	N       int64     `json:"n"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail,omitempty"`
}

// Events gives the newest rows of the audit trail, the newest first.
func (r *Reader) Events(ctx context.Context, limit int) ([]Event, error) {
	rows, err := r.c.Journal.AuditTrail(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("read audit trail: %w", err)
	}
	out := make([]Event, 0, len(rows))
	for _, v := range rows {
		out = append(out, Event(v))
	}
	return out, nil
}
