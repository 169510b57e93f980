// SPDX-License-Identifier: Apache-2.0

// Package status says how the fleet is: which release each host should have, what
// it last told, and the state that follows. People, programs and metrics are shown
// the same values. It reads the database and decides nothing; it must not know how
// anything is shown.
package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

// staleAfter is how long a host may be silent. Agents repeat an equal report every
// six hours.
const staleAfter = 24 * time.Hour

// State is one word for how a host is.
type State string

// The states, the most pressing first.
const (
	// StateRolledBack is a host that took its release back, and holds it.
	StateRolledBack State = "rolled-back"
	// StateFailed is a host whose last run failed or left entries that are bad, beside
	// those that are only reported.
	StateFailed State = "failed"
	// StateStale is a host that has been silent for too long.
	StateStale State = "stale"
	// StateNeverSeen is a host that enrolled and has told nothing since.
	StateNeverSeen State = "never-seen"
	// StatePaused is a host that somebody there wants left alone for a while, or with
	// something to do outside its windows.
	StatePaused State = "paused"
	// StateUnpublished is a host that has no release yet.
	StateUnpublished State = "unpublished"
	// StateWaiting is a host whose answers to its probes are not there yet.
	StateWaiting State = "waiting"
	// StateBehind is a host that has not applied its newest release yet.
	StateBehind State = "behind"
	// StateDiffers is a host that only reports, and is not as its release says.
	StateDiffers State = "differs"
	// StateApplied is a host that is as its release says, but for bundles that are only
	// reported.
	StateApplied State = "applied"
)

// States lists all states, the most pressing first.
func States() []State {
	return []State{StateRolledBack, StateFailed, StateStale, StateNeverSeen, StatePaused, StateUnpublished, StateWaiting, StateBehind, StateDiffers, StateApplied}
}

// Fleet is what is stored of all hosts.
type Fleet interface {
	Hosts(ctx context.Context) ([]store.Host, error)
	LatestReleases(ctx context.Context) (map[string]store.Release, error)
	LatestReports(ctx context.Context) (map[string]store.Report, error)
	AllFacts(ctx context.Context) (map[string]store.Facts, error)
}

// History is what is stored of one host.
type History interface {
	HostNamed(ctx context.Context, name string) (store.Host, error)
	Releases(ctx context.Context, hostID string, limit int) ([]store.Release, error)
	Reports(ctx context.Context, hostID string, limit int) ([]store.Report, error)
	Facts(ctx context.Context, hostID string) (store.Facts, error)
}

// Journal is what is stored of the controller's own work.
type Journal interface {
	Refs(ctx context.Context) ([]store.Ref, error)
	Reviews(ctx context.Context, repo string, limit int) ([]store.Review, error)
	LatestReview(ctx context.Context, repo string, pull int) (store.Review, error)
	AuditTrail(ctx context.Context, limit int) ([]store.Record, error)
}

// Config says where a Reader reads. A *store.Store is all three.
type Config struct {
	Fleet   Fleet
	History History
	Journal Journal
	// Environments are those of the settings.
	Environments []Environment
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Environment is a branch of a repository that is published to hosts of its own.
type Environment struct {
	Name   string `json:"name"`
	Repo   string `json:"repo"`
	Branch string `json:"branch"`
}

// repositories are the names that reviews are stored under.
func (c Config) repositories() (out []string) {
	for _, e := range c.Environments {
		if !slices.Contains(out, e.Repo) {
			out = append(out, e.Repo)
		}
	}
	return out
}

// Reader answers questions about the fleet. It is safe for concurrent use.
type Reader struct {
	c Config

	mu sync.Mutex
	// told are the last reports of hosts, by host id: reports are long, and most are
	// the same each time that somebody looks.
	told map[string]told
}

// told is what is kept of a report.
type told struct {
	counter int64
	report  Report
	causes  []string
	differs []string
}

// New makes a Reader.
func New(c Config) (*Reader, error) {
	if c.Fleet == nil || c.History == nil || c.Journal == nil {
		return nil, errors.New("status: fleet, history and journal are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Reader{c: c, told: map[string]told{}}, nil
}

// Host is one host at a glance.
type Host struct {
	Name        string    `json:"name"`
	ID          string    `json:"id" doc:"the host's path below h/"`
	State       State     `json:"state" enum:"rolled-back,failed,stale,never-seen,paused,unpublished,waiting,behind,differs,applied"`
	Cause       string    `json:"cause,omitempty" doc:"why the host is not applied, or what is only reported of it"`
	Profile     string    `json:"profile,omitempty" doc:"what the host asserts for itself"`
	Environment string    `json:"environment" doc:"what the host is published from"`
	Enrolled    time.Time `json:"enrolled"`
	Release     *Release  `json:"release,omitempty" doc:"what the host should have"`
	Facts       *Facts    `json:"facts,omitempty" doc:"its last accepted answers"`
	Report      *Report   `json:"report,omitempty" doc:"what it last told"`
}

// Release is one host's release.
type Release struct {
	Sequence     int64     `json:"sequence"`
	Commit       string    `json:"commit"`
	Tree         string    `json:"tree"`
	Environment  string    `json:"environment"`
	ConfigDigest string    `json:"config_digest,omitempty"`
	Waiting      bool      `json:"waiting,omitempty" doc:"probes and no configuration"`
	At           time.Time `json:"at"`
}

// Facts are a host's answers, without what they say.
type Facts struct {
	At          time.Time `json:"at"`
	AgeSeconds  int64     `json:"age_seconds"`
	ProbeDigest string    `json:"probe_digest"`
	Current     bool      `json:"current" doc:"they answer the probes of the release"`
}

// Report is what came of a run, in numbers.
type Report struct {
	At           time.Time        `json:"at" doc:"when it was accepted"`
	AgeSeconds   int64            `json:"age_seconds"`
	Sequence     int64            `json:"sequence"`
	Commit       string           `json:"commit"`
	ConfigDigest string           `json:"config_digest,omitempty"`
	State        release.RunState `json:"state"`
	Mode         release.Mode     `json:"mode"`
	// ModeSince is when the host first had the mode without a break.
	ModeSince time.Time `json:"mode_since,omitzero"`
	// Reported are bundles that the host looks at and does not change.
	Reported []release.Reported `json:"reported,omitempty" doc:"bundles that the policy wants only reported, and since when"`
	DryRun   bool               `json:"dry_run,omitempty"`
	// Flags name what differs from a run of everything.
	Flags []string `json:"flags,omitempty" doc:"what differs from a run of everything, such as bundle=web or quick"`
	// Milliseconds is how long the run took, Phases what of it, Bundles for which.
	Milliseconds int64          `json:"ms"`
	Phases       []release.Span `json:"phases,omitempty" doc:"how long each part of the run took"`
	Bundles      []release.Span `json:"bundles,omitempty" doc:"how long entries took, by bundle"`
	Error        string         `json:"error,omitempty"`
	Agent        string         `json:"agent"`
	Total        int            `json:"total"`
	Good         int            `json:"good"`
	Bad          int            `json:"bad"`
	Modified     int            `json:"modified"`
	Extra        int            `json:"extra"`
	Unapplied    int            `json:"unapplied" doc:"bad entries beside those that are only reported"`
	NotVerified  int            `json:"not_verified"`
	Drift        int            `json:"drift" doc:"entries found otherwise than the release says: bad, modified and extra"`
}

// Word is the state of the report for people: where all that is bad is only reported,
// nobody has failed.
func (r *Report) Word() string {
	if r.State == release.StateDirty && r.Bad > 0 && r.Unapplied == 0 {
		return string(StateDiffers)
	}
	return string(r.State)
}

// Hosts gives every host that is enrolled, by name; those of one environment, unless
// that is "".
func (r *Reader) Hosts(ctx context.Context, environment string) ([]Host, error) {
	all, err := r.all(ctx, environment)
	if err != nil {
		return nil, err
	}
	out := make([]Host, len(all))
	for i := range all {
		out[i] = all[i].Host
	}
	return out, nil
}

// known is a host with what is wrong in its last report.
type known struct {
	Host
	causes []string
	// differs is what is not as the release says and only reported.
	differs []string
}

func (r *Reader) all(ctx context.Context, environment string) ([]known, error) {
	hosts, err := r.c.Fleet.Hosts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read fleet: %w", err)
	}
	releases, err := r.c.Fleet.LatestReleases(ctx)
	if err != nil {
		return nil, fmt.Errorf("read fleet: %w", err)
	}
	reports, err := r.c.Fleet.LatestReports(ctx)
	if err != nil {
		return nil, fmt.Errorf("read fleet: %w", err)
	}
	facts, err := r.c.Fleet.AllFacts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read fleet: %w", err)
	}
	r.forget(reports)
	out := make([]known, 0, len(hosts))
	for _, h := range hosts {
		if environment != "" && h.Environment != environment {
			continue
		}
		row := stored{host: h}
		if v, ok := releases[h.ID]; ok {
			row.release = &v
		}
		if v, ok := reports[h.ID]; ok {
			row.report = &v
		}
		if v, ok := facts[h.ID]; ok && v.Answers != nil {
			row.facts = &v
		}
		k, err := r.describe(row)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	if len(out) == 0 && !r.has(environment) {
		return nil, fmt.Errorf("read environment %q: %w", environment, ErrNotFound)
	}
	return out, nil
}

// has tells whether the settings name an environment.
func (r *Reader) has(environment string) bool {
	return environment == "" || slices.ContainsFunc(r.c.Environments, func(e Environment) bool { return e.Name == environment })
}

// stored is what the database holds of a host; what it does not hold is nil.
type stored struct {
	host    store.Host
	release *store.Release
	report  *store.Report
	facts   *store.Facts
}

func (r *Reader) describe(s stored) (known, error) {
	now := r.c.Now()
	k := known{Host: Host{Name: s.host.Name, ID: s.host.ID, Profile: s.host.Profile, Environment: s.host.Environment, Enrolled: s.host.Enrolled}}
	if s.release != nil {
		v := releaseOf(*s.release)
		k.Release = &v
	}
	if s.facts != nil {
		k.Facts = &Facts{
			At: s.facts.At, AgeSeconds: seconds(now.Sub(s.facts.At)), ProbeDigest: s.facts.ProbeDigest,
			Current: s.release != nil && s.facts.ProbeDigest == s.release.ProbeDigest,
		}
	}
	if s.report != nil {
		v, err := r.tell(*s.report)
		if err != nil {
			return k, fmt.Errorf("report of host %s: %w", s.host.Name, err)
		}
		k.Report, k.causes, k.differs = &v.report, v.causes, v.differs
	}
	k.State, k.Cause = k.judge(now)
	return k, nil
}

func seconds(d time.Duration) int64 { return int64(max(d, 0) / time.Second) }

func releaseOf(s store.Release) Release {
	return Release{
		Sequence: s.Sequence, Commit: s.Commit, Tree: s.Tree, Environment: s.Environment, ConfigDigest: s.ConfigDigest, Waiting: s.Waiting, At: s.At,
	}
}

// tell reads a report, unless it was read before.
func (r *Reader) tell(s store.Report) (told, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.told[s.HostID]
	if !ok || v.counter != s.Counter {
		body, err := decode(s)
		if err != nil {
			return v, err
		}
		v = told{s.Counter, reportOf(s, body), causesOf(body), differsOf(body)}
		r.told[s.HostID] = v
	}
	v.report.AgeSeconds = seconds(r.c.Now().Sub(s.At))
	return v, nil
}

// forget drops what was kept of hosts that are gone.
func (r *Reader) forget(latest map[string]store.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.told, func(id string, _ told) bool { _, ok := latest[id]; return !ok })
}

func decode(s store.Report) (release.Report, error) {
	var body release.Report
	if err := json.Unmarshal(s.Body, &body); err != nil {
		return body, fmt.Errorf("decode: %w", err)
	}
	return body, nil
}

func reportOf(s store.Report, body release.Report) Report {
	return Report{
		At: s.At, Sequence: s.Sequence, Commit: s.Commit, ConfigDigest: s.ConfigDigest,
		State: body.State, Mode: body.Mode, ModeSince: body.ModeSince, Reported: body.Reported, DryRun: body.DryRun, Flags: body.Flags, Error: body.Error,
		Milliseconds: max(0, body.Finished.Sub(body.Started).Milliseconds()), Phases: body.Phases, Bundles: body.Bundles,
		Agent: body.Agent, Total: body.Total, Good: body.Good, Bad: len(body.Bad), Unapplied: len(body.Unapplied()), Modified: len(body.Modified),
		Extra: len(body.Extra), NotVerified: len(body.NotVerified), Drift: len(body.Bad) + len(body.Modified) + len(body.Extra),
	}
}

// judge finds the state and, unless the host is applied, why.
func (k *known) judge(now time.Time) (State, string) {
	switch {
	case k.Report == nil && k.Facts == nil && k.Release == nil:
		return StateNeverSeen, "enrolled, and no release was published for it yet: where it is refused, the controller's log and `bindery build` say why"
	case k.Report == nil && k.Facts == nil:
		return StateNeverSeen, "enrolled, and has told nothing since"
	case now.Sub(k.lastSeen()) > staleAfter:
		return StateStale, "told nothing for more than " + strconv.Itoa(int(staleAfter.Hours())) + " hours"
	case k.Report != nil && k.Report.State == release.StateRolledBack:
		return StateRolledBack, k.Report.Error
	case k.Report != nil && len(k.causes) > 0:
		return StateFailed, brief(k.causes)
	case k.Report != nil && k.Report.State == release.StatePaused:
		return StatePaused, k.Report.Error
	case k.Release == nil:
		return StateUnpublished, "no release was published for it yet"
	case k.Release.Environment != k.Environment:
		return StateBehind, "is in " + k.Environment + " now and has nothing of it yet; it keeps its last release"
	case k.Release.Waiting:
		return StateWaiting, "its probes have no accepted answers yet"
	case k.Report == nil || k.Report.ConfigDigest != k.Release.ConfigDigest:
		return StateBehind, "has not reported release " + strconv.FormatInt(k.Release.Sequence, 10) + " yet"
	case len(k.differs) == 0:
		return StateApplied, ""
	case k.Report.Mode == release.ModeReport:
		return StateDiffers, "only reports" + days(now, k.Report.ModeSince) + "; " + brief(k.differs)
	}
	words := make([]string, len(k.Report.Reported))
	for i, b := range k.Report.Reported {
		words[i] = b.Bundle + days(now, b.Since)
	}
	return StateApplied, "of bundles that are only reported (" + strings.Join(words, ", ") + "): " + brief(k.differs)
}

// days tells how long something goes on, "" where nobody knows since when.
func days(now, since time.Time) string {
	if since.IsZero() {
		return ""
	}
	n := max(0, int(now.Sub(since).Hours()/24))
	if n == 1 {
		return ", for 1 day"
	}
	return ", for " + strconv.Itoa(n) + " days"
}

func (k *known) lastSeen() time.Time {
	var last time.Time
	if k.Report != nil {
		last = k.Report.At
	}
	if k.Facts != nil && k.Facts.At.After(last) {
		last = k.Facts.At
	}
	return last
}

// brief is the first of some causes, and how many more there are.
func brief(causes []string) string {
	if len(causes) == 1 {
		return causes[0]
	}
	return causes[0] + " (and " + strconv.Itoa(len(causes)-1) + " more)"
}

// causesOf lists what is wrong in a report: nothing in one that is well or whose bad
// entries are all only reported, something in every other.
func causesOf(r release.Report) []string {
	own := r.Unapplied()
	switch r.State {
	case release.StateFailed, release.StateRolledBack:
	case release.StateDirty:
		if len(own) == 0 && len(r.Bad) > 0 {
			return nil
		}
	default:
		return nil
	}
	var out []string
	if r.Error != "" {
		out = append(out, r.Error)
	}
	if out = append(out, texts(own)...); len(out) == 0 {
		out = append(out, "the last run ended "+string(r.State)+" and names no entry")
	}
	return out
}

// differsOf lists what a report says of entries that are only reported.
func differsOf(r release.Report) []string {
	return texts(slices.DeleteFunc(slices.Clone(r.Bad), func(i release.Item) bool { return !r.OnlyReported(i) }))
}

func texts(items []release.Item) []string {
	out := make([]string, len(items))
	for i, item := range items {
		if out[i] = item.Key.String(); item.Reason != "" {
			out[i] += ": " + item.Reason
		}
	}
	return out
}
