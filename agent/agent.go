// SPDX-License-Identifier: Apache-2.0

// Package agent makes one host what its signed release says: it fetches,
// verifies, asks the host's probes, plans, applies and reports.
//
// What comes from the network is verified by the fetching half and handed over as
// bytes; the applying half checks them again against what it keeps itself. The
// package must not know how a configuration is computed, nor git, nor SQL, nor
// the engine.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/account"
	"github.com/bindery/bindery/agent/driver/action"
	"github.com/bindery/bindery/agent/driver/deb"
	"github.com/bindery/bindery/agent/driver/posix"
	"github.com/bindery/bindery/agent/driver/rpm"
	"github.com/bindery/bindery/agent/driver/systemd"
	"github.com/bindery/bindery/agent/driver/vcs"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/paranoid"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/release"
)

// Config says what an agent works with.
type Config struct {
	State   *state.Dir
	Machine *system.Machine
	// Client sends all requests; it brings time-outs and limits.
	Client *http.Client
	// URL replaces the address that the host enrolled with.
	URL string
	// Version is the agent's own, for reports.
	Version string
	// Probes bounds what probes may do.
	Probes ProbeSettings
	// ActionTimeout bounds one command of an Action. Zero: 10 minutes.
	ActionTimeout time.Duration
	// EntryTimeout bounds what a driver does for one entry that is no Action. Of
	// entries that are done in one call, each adds as much. Zero: 30 minutes.
	EntryTimeout time.Duration
	// Decision says which list of the plugin Decisions counts here.
	Decision choice.Decision
	// Paranoid keeps a copy of each file with paranoid="true" before it is changed.
	Paranoid ParanoidSettings
	// After is the clock that a change is waited for by until it is confirmed. Nil:
	// time.After.
	After func(time.Duration) <-chan time.Time
	// FactsWait is how long a run waits for the release that new facts bring.
	// Zero: 30 s.
	FactsWait time.Duration
	// Build tells that an image is being built; see action.Config.
	Build bool
	// Guard starts a process that calls Agent.Guard and lives on when this one is
	// killed. Nil: a change that cuts the host off is taken back by the run itself,
	// or by the next one.
	Guard func() error
	// Drivers are those of Unproven that work on this host.
	Drivers []string
	// Journal bounds what is kept of former states.
	Journal journal.Limits
	// Boot names the boot of the machine, "" where nobody knows.
	Boot string
	// Logger gets what people should know. Nil: nothing is logged.
	Logger *slog.Logger
}

const (
	defaultFactsWait    = 30 * time.Second
	defaultEntryTimeout = 30 * time.Minute
)

// Agent is one enrolled host. It is not safe for concurrent use.
type Agent struct {
	c         Config
	enrolment Enrolment
	identity  *release.Identity
	drivers   map[driver.Kind]driver.Driver
	actions   driver.Driver
	// unproven are the kinds whose driver the settings do not name.
	unproven map[driver.Kind]bool
	// files are the machine's, which the journal watches.
	files   *journal.Files
	journal *journal.Journal
	// copies are kept of files that say so, nil for none.
	copies *paranoid.Copies
	// ran is the run under way, nil for none.
	ran *Ran
}

// ErrNotEnrolled is a state directory without an identity and a trusted root.
var ErrNotEnrolled = errors.New("this host is not enrolled")

// New opens an enrolled agent.
func New(c Config) (*Agent, error) {
	if c.State == nil || c.Machine == nil || c.Client == nil {
		return nil, errors.New("agent: state, machine and client are needed")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.After == nil {
		c.After = time.After
	}
	if c.FactsWait == 0 {
		c.FactsWait = defaultFactsWait
	}
	if c.EntryTimeout == 0 {
		c.EntryTimeout = defaultEntryTimeout
	}
	if c.FactsWait < 0 || c.EntryTimeout < 0 {
		return nil, errors.New("agent: negative limit")
	}
	if err := c.Decision.Validate(); err != nil {
		return nil, err
	}
	var err error
	if c.Probes, err = c.Probes.complete(); err != nil {
		return nil, err
	}
	given, machine := c.Machine, *c.Machine
	a := &Agent{files: journal.Watched(given)}
	machine.Files, machine.Now, c.Machine = a.files, func() time.Time { return given.Now() }, &machine
	a.c = c
	if a.journal, err = journal.New(journal.Config{State: c.State, Now: machine.Now, Limits: c.Journal}); err != nil {
		return nil, err
	}
	if c.Paranoid.Enabled {
		// Not by way of the journal: an undo must not take copies back.
		if a.copies, err = paranoid.New(paranoid.Config{Files: given.Files, Now: machine.Now, Dir: c.Paranoid.Path, Copies: c.Paranoid.MaxCopies}); err != nil {
			return nil, err
		}
	}
	if a.enrolment, a.identity, err = loadEnrolment(c.State); err != nil {
		return nil, err
	}
	if c.URL != "" {
		a.enrolment.URL = c.URL
	}
	if a.enrolment.URL, err = checkURL(a.enrolment.URL); err != nil {
		return nil, err
	}
	return a, a.loadDrivers()
}

// Enrolment tells who the host is.
func (a *Agent) Enrolment() Enrolment { return a.enrolment }

// loadDrivers is the list of all drivers.
func (a *Agent) loadDrivers() error {
	a.drivers = map[driver.Kind]driver.Driver{}
	paths, err := posix.New(posix.Config{Machine: a.c.Machine})
	if err != nil {
		return err
	}
	a.actions, err = action.New(action.Config{Machine: a.c.Machine, Timeout: a.c.ActionTimeout, Build: a.c.Build})
	if err != nil {
		return err
	}
	packages, err := deb.New(deb.Config{Machine: a.c.Machine})
	if err != nil {
		return err
	}
	rpms, err := rpm.New(rpm.Config{Machine: a.c.Machine})
	if err != nil {
		return err
	}
	accounts, err := account.New(account.Config{Machine: a.c.Machine})
	if err != nil {
		return err
	}
	for _, tag := range account.Tags() {
		a.drivers[driver.Kind{Tag: tag}] = accounts
	}
	checkouts, err := vcs.New(vcs.Config{Machine: a.c.Machine})
	if err != nil {
		return err
	}
	services, err := systemd.New(systemd.Config{Machine: a.c.Machine, Build: a.c.Build})
	if err != nil {
		return err
	}
	for _, set := range []struct {
		tag   string
		types []string
		by    driver.Driver
	}{
		{"Path", posix.Types(), paths},
		{"Path", vcs.Types(), checkouts},
		{"Package", deb.Types(), packages},
		{"Package", rpm.Types(), rpms},
		{"Service", systemd.Types(), services},
	} {
		for _, t := range set.types {
			a.drivers[driver.Kind{Tag: set.tag, Type: t}] = set.by
		}
	}
	return a.loadNamed()
}

// Options say what a run does.
type Options struct {
	// DryRun plans and writes nothing at all, not even the agent's own state.
	DryRun bool
	// Offline uses what was verified last, and neither asks nor tells anybody.
	Offline bool
	// Removals lets the run take away more than the policy allows.
	Removals bool
	// Choice narrows the run down. What is not chosen is looked at, and left as it
	// is. The lists are the release's, and need not be given.
	Choice choice.Choice
	// Quick believes packages without looking at the sums of their files.
	Quick bool
	// Remove says what is taken away of what nobody asks for. A run of a part takes
	// nothing away.
	Remove Removal
	// Ask is asked before each change, and false leaves things as they are. Nil:
	// nobody is asked.
	Ask func(ctx context.Context, question string) (bool, error)
	// Before is told of each entry before somebody is asked about it. Nil: nobody looks.
	Before func(Line)
	// Watch is told of each entry after it was worked on. Nil: nobody watches.
	Watch func(Line)
}

// flags name what differs from a run of everything.
func (o *Options) flags() []string {
	out := o.Choice.Flags()
	if o.Quick {
		out = append(out, "quick")
	}
	if o.Remove != RemoveNothing {
		out = append(out, "remove="+string(o.Remove))
	}
	if o.Ask != nil {
		out = append(out, "interactive")
	}
	return out
}

// Result is what a run found and did.
type Result struct {
	// Run is the number of the run, 0 for one that only looks.
	Run    int64          `json:"run,omitempty"`
	Report release.Report `json:"report"`
	// Lines tell about each entry, in the order of the configuration.
	Lines []Line `json:"entries"`
	// Surplus is what is on the host and in no configuration.
	Surplus []Surplus `json:"surplus,omitempty"`
	// Waiting tells that the host waits for its facts to be accepted.
	Waiting bool `json:"waiting,omitempty"`
	// Fetch is why nothing newer could be had; what was verified before was
	// used.
	Fetch error `json:"-"`
	// Every and Windows are what the release says of when the host runs; see Timing.
	Every   time.Duration    `json:"-"`
	Windows []release.Window `json:"-"`

	// stale are answers of former runs that stand in for probes that fail.
	stale     []release.StaleFact
	restraint restraint
	// phases and bundles are what took how long.
	phases, bundles spans
}

// ErrNothingYet is a host for which nothing was ever verified.
var ErrNothingYet = errors.New("no release was verified yet")

// Run does one run: fetch, verify, ask probes, plan, apply, verify again, report.
// A source that is dead, frozen or lying stops nothing: the last verified release
// is enforced, and Result.Fetch says what is wrong. The error is that there was
// nothing to enforce, or that the run was interrupted or another one is under way.
func (a *Agent) Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.Remove.Validate(); err != nil {
		return nil, err
	}
	o.Choice.Decision = a.c.Decision
	if o.DryRun {
		return a.run(ctx, o)
	}
	unlock, err := a.c.State.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := a.takeOver(ctx); err != nil {
		return nil, err
	}
	var r Ran
	end, err := a.begin(&r)
	if err != nil {
		return nil, err
	}
	defer end()
	result, err := a.run(ctx, o)
	if result != nil {
		result.Run = r.Run
	}
	return result, a.wrote(ctx, &r, result, err)
}

// run is a run under the lock.
func (a *Agent) run(ctx context.Context, o Options) (*Result, error) {
	started := a.c.Machine.Now()
	result := &Result{}
	bundle, fetchErr, err := a.obtain(ctx, o, result)
	if err != nil {
		return nil, errors.Join(fetchErr, err)
	}
	if fetchErr != nil {
		a.c.Logger.Error("the run is made with what was known before, the last verified release stays in force", "err", fetchErr)
	}
	result.Fetch, result.Waiting = fetchErr, bundle.Config == nil
	result.Every, result.Windows = bundle.Manifest.Policy.Every, bundle.Manifest.Policy.Windows
	a.since(&result.phases, "fetch", started)
	if bundle.Config != nil {
		if err := a.enforce(ctx, bundle, result, o); err != nil {
			return nil, err
		}
	}
	result.Report = a.report(bundle, result, started, o)
	if err := a.dateModes(&result.Report, bundle, o.DryRun); err != nil {
		return nil, err
	}
	if o.DryRun || o.Offline {
		return result, nil
	}
	return result, a.tell(ctx, result.Report)
}

// enforce plans, applies where that is allowed, and takes back what made the host
// worse.
func (a *Agent) enforce(ctx context.Context, b *release.Bundle, result *Result, o Options) error {
	r := a.newRun(b, o)
	r.phases, r.took = &result.phases, &result.bundles
	if err := r.o.Choice.Check(b.Config.Keyed()); err != nil {
		return err
	}
	policy := &b.Manifest.Policy
	r.learn()
	var err error
	if result.restraint, err = a.restrained(&b.Manifest); err != nil {
		return err
	}
	if o.DryRun || result.restraint.state != "" || policy.Mode == release.ModeReport {
		err = r.do(ctx, policy)
		result.Lines, result.Surplus = r.lines(), r.surplus
		if err == nil && !o.DryRun {
			err = errors.Join(r.keepLearned(), r.remember())
		}
		return err
	}
	reason, id, err := r.change(ctx, policy, policy.Confirm > 0 && !o.Offline && result.Fetch == nil)
	result.Lines, result.Surplus = r.lines(), r.surplus
	if err == nil {
		err = r.keepLearned()
	}
	if err != nil {
		return err
	}
	if reason != "" {
		_, err = a.undo(ctx, UndoOptions{Run: id, Reason: reason})
		err = errors.Join(err, a.clearDoubts())
	} else if err = a.c.State.Remove(fileUnchecked); err == nil {
		reason, err = a.confirm(ctx)
	}
	if reason != "" {
		a.c.Logger.Error("the run was taken back", "reason", reason)
		result.restraint = restraint{state: release.StateRolledBack, why: reason}
	}
	return err
}

// change makes everything true, and writes down how it was. It tells why that was not
// well, "" if it was, and which run is to be taken back then.
func (r *run) change(ctx context.Context, policy *release.Policy, confirmed bool) (reason string, id int64, err error) {
	overdue, err := r.overdue()
	if err != nil {
		return "", 0, err
	}
	err = r.recorded(ctx, head(&r.bundle.Manifest), func(record *journal.Run) error {
		record.First(func(id int64) error {
			if err := r.owe(policy.Health, overdue, id); err != nil || !confirmed {
				return err
			}
			return r.arm(policy.Confirm, id)
		})
		r.record = record
		err := r.do(ctx, policy)
		if err == nil {
			err = r.remember()
		}
		if id = record.ID(); overdue > 0 {
			id = overdue
		}
		if err == nil && id > 0 {
			from := r.c.Machine.Now()
			reason, err = r.ill(ctx, policy.Health, overdue > 0)
			r.since(r.phases, "health", from)
		}
		return err
	})
	return reason, id, err
}

// obtain gives the release to enforce. The first error is why it may not be the
// newest.
func (a *Agent) obtain(ctx context.Context, o Options, result *Result) (b *release.Bundle, fetchErr, err error) {
	if o.Offline {
		b, err = a.take(o)
		return b, nil, err
	}
	if o.DryRun {
		s, fetchErr := a.poll(ctx, pollNow)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if fetchErr == nil && s.bundle != nil {
			return s.bundle, nil, nil
		}
		b, err = a.take(o)
		return b, fetchErr, err
	}
	fetchErr = a.fetch(ctx, pollNow)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if b, err = a.take(o); err != nil {
		return nil, fetchErr, err
	}
	// The release that answers bring may ask for more, and is not planned before that
	// is known. Where it goes on and on, the last one counts.
	for range maxQuestions {
		if len(b.Probes) == 0 {
			return b, fetchErr, nil
		}
		news, factsErr := a.askProbes(ctx, b, result)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if !news || factsErr != nil {
			return b, errors.Join(fetchErr, factsErr), nil
		}
		asked := b.Manifest.ProbeDigest
		if b, err = a.take(o); err != nil || b.Manifest.ProbeDigest == asked {
			return b, fetchErr, err
		}
	}
	return b, fetchErr, nil
}

// maxQuestions is how many probe sets one run answers.
const maxQuestions = 4

// tidy takes away what a killed run left behind.
func (a *Agent) tidy(ctx context.Context) error {
	if err := a.endKilled(ctx); err != nil {
		return err
	}
	names, err := a.c.State.List("")
	if err != nil {
		return err
	}
	if slices.Contains(names, probeDir) {
		if err := a.c.State.Remove(probeDir); err != nil {
			return err
		}
	}
	if slices.Contains(names, fileWorking) {
		return a.sweep()
	}
	return nil
}

// fileWorking exists while files are being replaced. It names all configured
// paths, so that the next run finds what a killed one left half-made, even where
// the path is no longer configured then.
const fileWorking = "working.json"

// sweep takes half-made files away. What cannot be reached today is left alone.
func (a *Agent) sweep() error {
	var paths []string
	if _, err := a.c.State.Load(fileWorking, &paths); err != nil {
		return err
	}
	for _, name := range paths {
		for ; name != "/" && name != "."; name = path.Dir(name) {
			for _, half := range system.Leftovers(name) {
				if _, err := a.c.Machine.Files.Look(half); err != nil {
					continue
				}
				if err := a.c.Machine.Files.Change(system.Change{Op: system.Discard, Name: half}); err != nil {
					a.c.Logger.Warn("a half-made file stays", "err", err)
				}
			}
		}
	}
	return a.c.State.Remove(fileWorking)
}

func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op, err)
}
