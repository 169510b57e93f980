// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// first shows how a host comes from an unknown machine to a configuration.
func (d *Demo) first(ctx context.Context) error {
	d.say.say("The specification has probes: what a host gets depends on what it answers. Until then its release has the probes, signed, and no configuration.")
	for _, h := range hosts() {
		if _, err := d.released(ctx, h.name, "has its first release", func(s seen) bool { return s.Release != nil && s.Release.Waiting }); err != nil {
			return err
		}
	}
	out, err := d.do(ctx, "bindery-agent", "run", "--once", "--dry-run", "--root", hosts()[0].short)
	if err != nil {
		return err
	}
	if !strings.Contains(out, "waiting for facts") {
		return errors.New("the host does not wait for its facts")
	}
	d.say.say("A real run asks the probes and sends the answers, signed by the host's own key. The controller binds that host anew, and the same run applies what comes.")
	for _, h := range hosts() {
		d.say.say("%s is %s:", h.short, h.what)
		out, err := d.do(ctx, "bindery-agent", "run", "--once", "--root", h.short)
		if err != nil {
			return err
		}
		if strings.Contains(out, "waiting for facts") {
			return fmt.Errorf("%s still waits for its facts", h.name)
		}
		if err := d.ask(ctx, h); err != nil {
			return err
		}
	}
	d.say.say("Below another root no packages and services are managed, and no actions run: that is said, not hidden.")
	_, err = d.do(ctx, "bindery", "hosts", "list", "--config", "controller.yaml")
	return err
}

// schedule starts a host's agent as a service does.
func (d *Demo) schedule(ctx context.Context, h host) error {
	if d.agents[h.short] != nil {
		return nil
	}
	p, err := d.start(ctx, "agent-"+h.short, "bindery-agent", "run", "--schedule", "@every 2s", "--root", h.short)
	if err == nil {
		d.agents[h.short] = p
	}
	return err
}

// unschedule ends a host's agent.
func (d *Demo) unschedule(h host) {
	p := d.agents[h.short]
	delete(d.agents, h.short)
	for i, known := range d.processes {
		if known == p {
			d.processes = append(d.processes[:i], d.processes[i+1:]...)
			p.stop()
			return
		}
	}
}

// apply lets both agents run by the schedule and compares what they wrote.
func (d *Demo) apply(ctx context.Context) error {
	for _, h := range hosts() {
		d.say.hand(words([]string{"bindery-agent", "run", "--schedule", "@every 2s", "--root", h.short}) + " &")
		if err := d.schedule(ctx, h); err != nil {
			return err
		}
	}
	for _, h := range hosts() {
		s, err := d.released(ctx, h.name, "applied the merge", func(s seen) bool {
			return s.Release != nil && s.Report != nil && s.State == "applied" && s.Report.Sequence == s.Release.Sequence && s.Release.Commit == d.merged
		})
		if err != nil {
			return err
		}
		d.say.good("%s reports: release %d of commit %.10s, %d of %d entries good, %d bad, %d not verified",
			h.short, s.Report.Sequence, s.Report.Commit, s.Report.Good, s.Report.Total, s.Report.Bad, s.Report.NotVerified)
	}
	d.say.say("What is on the hosts now, against what the specification says, built by hand from the repository:")
	return d.compare(ctx, d.merged)
}

// drift breaks a file and waits for the schedule to repair it.
func (d *Demo) drift(ctx context.Context) error {
	h := hosts()[0]
	file := filepath.Join(h.short, "etc/motd")
	before, err := os.ReadFile(filepath.Join(d.c.Dir, file))
	if err != nil {
		return err
	}
	d.say.hand("echo 'vandals were here' > " + file)
	if err := os.WriteFile(filepath.Join(d.c.Dir, file), []byte("vandals were here\n"), 0o644); err != nil {
		return err
	}
	err = d.until(ctx, "the agent repaired "+file, func(context.Context) (bool, error) {
		now, err := os.ReadFile(filepath.Join(d.c.Dir, file))
		return err == nil && string(now) == string(before), err
	})
	if err != nil {
		return err
	}
	d.say.good("the next run of the schedule put it back:")
	if _, err := d.do(ctx, "cat", file); err != nil {
		return err
	}
	d.say.say("The controller was told, in a report signed by the host:")
	_, err = d.released(ctx, h.name, "reported the repair", func(s seen) bool {
		return slices.ContainsFunc(s.Reports, func(r report) bool { return r.Modified == 1 })
	})
	if err != nil {
		return err
	}
	_, err = d.do(ctx, "bindery", "hosts", "show", h.name, "--config", "controller.yaml")
	return err
}

// fleet ends the story.
func (d *Demo) fleet(ctx context.Context) error {
	if _, err := d.do(ctx, "bindery", "hosts", "list", "--config", "controller.yaml"); err != nil {
		return err
	}
	for _, h := range hosts() {
		if s, err := d.host(ctx, h.name); err != nil || s.State != "applied" {
			return errors.Join(fmt.Errorf("%s is %s, not applied", h.name, s.State), err)
		}
	}
	return nil
}
