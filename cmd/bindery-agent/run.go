// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/internal/eventlog"
	"github.com/bindery/bindery/internal/residence"
	"github.com/bindery/bindery/internal/schedule"
)

type runOptions struct {
	options
	// apart tells that the network must be left to another user.
	apart bool
	display
	once     bool
	dryRun   bool
	build    bool
	removals bool
	remove   string
	ask      bool
	narrowed
	schedule string
	timezone string
}

func newRunCommand(s streams) *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Fetch, verify and apply: once, or by the schedule until stopped",
		Long: `Run fetches this host's release, verifies it, asks its probes, and makes the host
what it says. Without --once it does so by the schedule, every host at a time of its
own: within the interval where the schedule says how often, and within an hour of the
times that it names; and when a window of its policy opens. The first run comes at
once, after a boot at the host's own time within five minutes. SIGHUP ends it after
the run under way.

With --once each entry is told of as it was worked on, then what is not as it should
be, then a summary. The JSON form is described by docs/reference/run.schema.json.
Bundles and entries that were not chosen are looked at and left as they are; the
actions and services of a chosen entry's bundle have their part. A name that nothing
has, or nothing that is chosen, is an error.

A dry run writes nothing, asks no probe and tells the controller nothing. Under a
root other than / actions do not run, and without privilege owner and group count
as not verified.
` + driversHelp() + exitHelp,
		Example: `  bindery-agent run --once
  bindery-agent run --once --dry-run --format json
  bindery-agent run --once --bundle nginx,php --diff
  bindery-agent run --once --entry 'Path:/etc/nginx/*' --interactive
  bindery-agent run --once --remove packages --dry-run
  bindery-agent run --root /srv/image --state /srv/agent --once
  bindery-agent run --schedule '*/15 * * * *' --timezone Europe/Berlin`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRun(cmd.Context(), o, s) },
	}
	o.addRunFlags(cmd.Flags(), s)
	return cmd
}

func (o *runOptions) addRunFlags(f *pflag.FlagSet, s streams) {
	o.options.addFlags(f, s)
	o.addFormat(f)
	o.display.addFlags(f)
	f.BoolVar(&o.once, "once", false, "one run, then exit with what it found")
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "only say what would change; implies --once")
	f.BoolVar(&o.build, "build", false, "an image is being built: actions with build=\"false\" do not run, and services are only stopped; with --once")
	o.narrowed.addFlags(f)
	f.BoolVarP(&o.ask, "interactive", "I", false, "ask before each change, command and restart, on a terminal, with --diff after what would change in files; nothing said is no; with --once")
	f.StringVarP(&o.remove, "remove", "r", "", "take away what nobody asks for: all, packages, services or users; within what the policy allows, and never in a run of a part")
	f.BoolVar(&o.removals, "allow-removals", false, "take away more than the policy allows in one run; with --once")
	f.StringVar(&o.schedule, "schedule", "", "cron expression (default: what the release says, else "+defaultSchedule+")")
	f.StringVar(&o.timezone, "timezone", "", "time zone of the schedule (default UTC)")
}

func runRun(ctx context.Context, o *runOptions, s streams) error {
	if err := agent.Removal(o.remove).Validate(); err != nil {
		return err
	}
	if err := o.fit(); err != nil {
		return err
	}
	log := slog.New(eventlog.New(s.Err, slog.LevelInfo))
	a, settings, stop, err := o.open(log, o.build)
	if err != nil {
		return err
	}
	defer stop()
	if o.apart && (settings.FetchUser == "" || settings.Root != "/") {
		return &codeError{exitUsage, errors.New("apply leaves the network to fetch_user of agent.yaml, and is for the host itself; without that: bindery-agent run")}
	}
	if o.once || o.dryRun {
		r := agent.Options{DryRun: o.dryRun, Removals: o.removals, Remove: agent.Removal(o.remove), Choice: o.choice(), Quick: o.quick}
		if o.ask && !o.dryRun {
			if r.Ask, err = asking(s); err != nil {
				return err
			}
		}
		return one(ctx, a, r, o.format, &o.display, s)
	}
	for _, p := range []struct {
		flag, fallback string
		into           *string
	}{{o.schedule, "", &settings.Schedule}, {o.timezone, "UTC", &settings.Timezone}} {
		if p.flag != "" {
			*p.into = p.flag
		} else if *p.into == "" {
			*p.into = p.fallback
		}
	}
	return scheduled(ctx, &beat{agent: a, settings: settings}, agent.Options{Remove: agent.Removal(o.remove)}, schedule.Clock{}, log)
}

// fit refuses flags that would do nothing beside each other: who said them would believe
// they did.
func (o *runOptions) fit() error {
	single, c := o.once || o.dryRun, o.choice()
	switch {
	case !single && (o.ask || o.removals || o.partial()):
		return errors.New("runs by the schedule are of everything, and nobody is there to be asked: say --once as well")
	case !single && (o.build || o.diff || o.verbose || o.format == "json"):
		return errors.New("runs by the schedule build no image, and tell the log of what they do: say --once as well")
	case o.ask && o.format == "json":
		return errors.New("questions and JSON would come out of one place: leave --interactive out, or --format json")
	case single && (o.schedule != "" || o.timezone != ""):
		return errors.New("one run has no schedule: leave --schedule and --timezone out, or --once")
	case o.remove != "" && c.Partial():
		return errors.New("a run of a part of the host takes nothing away of what nobody asks for: leave --remove out, or what narrows the run down")
	}
	return nil
}

// one does a single run and shows it.
func one(ctx context.Context, a *agent.Agent, o agent.Options, format string, d *display, s streams) error {
	v := d.viewer(s, format, o.DryRun)
	done := func() {}
	if o.Ask == nil {
		done = busy(s.Err, "working")
	}
	if format == "text" {
		o.Watch = func(l agent.Line) {
			done() // what is told as it happens shows that something does
			done = func() {}
			v.told(&l)
		}
	}
	if d.diff || d.verbose {
		o.Before = func(l agent.Line) { v.difference(l.Diff) }
	}
	r, err := a.Run(ctx, o)
	done()
	if err != nil {
		return failed(err)
	}
	if err := v.result(r); err != nil {
		return err
	}
	return verdict(r)
}

// verdict is how a run that could be done ends. Refused trust weighs most.
func verdict(r *agent.Result) error {
	switch {
	case r.Fetch != nil && exitCode(r.Fetch) == exitUsage:
		return &codeError{exitUnavailable, fmt.Errorf("the run was made with what was known before: %w", r.Fetch)}
	case r.Fetch != nil:
		return r.Fetch
	case len(r.Report.Bad) > 0, r.Report.State == release.StateDirty, r.Report.State == release.StateRolledBack,
		slices.ContainsFunc(r.Surplus, func(s agent.Surplus) bool { return s.Failed }):
		return quietly(exitFindings)
	}
	return nil
}

// failed gives an error that came up during the work its code.
func failed(err error) error {
	_, misuse := errors.AsType[*choice.Error](err)
	if code := exitCode(err); code != exitUsage || errors.Is(err, agent.ErrNotEnrolled) || misuse {
		return err
	}
	return fmt.Errorf("%w: %w", errStorage, err)
}

// scheduled runs until the context ends. What goes wrong in one run is logged
// and stops nothing.
func scheduled(ctx context.Context, b *beat, o agent.Options, clock schedule.Clock, log *slog.Logger) error {
	if err := b.read(); err != nil {
		return err
	}
	// A new version is installed, perhaps by a run of ours: what was begun is brought
	// to its end, and then whoever started this starts the new one.
	waiting, retired := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer retired()
	clock = clock.OrMachine()
	now := clock.Now()
	within, err := b.first(now)
	if err != nil {
		return err
	}
	loop, err := schedule.New(schedule.Config{
		Name: "run", Schedule: b.plan, Phase: b.phase(now), Jitter: b.jitter(now), Tick: clockTick,
		AtStart: true, Within: within, Also: b.opening, Clock: clock, Logger: log,
	})
	if err != nil {
		return err
	}
	log.Info("running by the schedule", "schedule", b.plan.String(), "timezone", b.settings.Timezone, "host", b.agent.Enrolment().Host, "first_within", within)
	// A change that cut the host off must not stay while hosts take turns.
	if err := b.agent.Settle(ctx); err != nil {
		log.Error("an earlier change could not be confirmed yet", "err", err)
	}
	told := teller{log: log}
	err = loop.Run(waiting, func(context.Context) error {
		// A daemon that sleeps most of the time should not hold memory.
		defer residence.Leave()
		r, err := b.agent.Run(ctx, o)
		if err != nil {
			return err
		}
		told.run(r)
		if changed, err := b.set(r.Every, r.Windows); err != nil || !changed {
			return err
		}
		log.Info("the release has another schedule", "schedule", b.plan.String())
		now := clock.Now()
		return loop.Reschedule(b.plan, b.phase(now), b.jitter(now))
	})
	if waiting.Err() != nil {
		return nil // told to stop is not a failure of a service
	}
	return err
}

// teller writes into the log what came of runs.
type teller struct {
	log *slog.Logger
	// bad is what was wrong after the run before, and why: it is said once.
	bad map[config.Key]string
}

// run tells of one run; every line has its number.
func (t *teller) run(r *agent.Result) {
	rep, log := &r.Report, t.log.With("run", r.Run)
	for _, item := range rep.Modified {
		log.Info("changed", entryFields(&item, rep)...)
	}
	bad := map[config.Key]string{}
	for _, item := range rep.Bad {
		bad[item.Key] = item.Reason
		if was, known := t.bad[item.Key]; !known || was != item.Reason {
			log.Warn("not as it should be", entryFields(&item, rep)...)
		}
	}
	t.bad = bad
	log.Info("run done", "sequence", rep.Sequence, "commit", rep.Commit, "mode", rep.Mode, "state", rep.State, "why", rep.Error, "total", rep.Total,
		"good", rep.Good, "bad", len(rep.Bad), "modified", len(rep.Modified), "extra", len(rep.Extra), "not_verified", len(rep.NotVerified))
}

func entryFields(item *release.Item, rep *release.Report) []any {
	return []any{"entry", item.Key.String(), "bundle", item.Bundle, "reason", item.Reason, "cause", item.Cause, "sequence", rep.Sequence}
}
