// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/driver/service"
	"github.com/bindery/bindery/agent/system"
)

// targets are the words that may stand in the place of restart.
func targets() []string {
	return []string{"restart", "reload", "try-restart", "reload-or-restart", "try-reload-or-restart", "start", "stop"}
}

func environment() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0"}
}

func (b *batch) command(asks bool, args ...string) system.Command {
	c := system.Command{
		Args: append([]string{"systemctl", "--no-ask-password"}, args...), Env: environment(), Dir: "/", Timeout: b.c.Timeout, MaxTail: 4 << 10, Asks: asks,
	}
	if asks {
		c.MaxOutput, c.Timeout = 4<<20, time.Minute
	}
	return c
}

// look asks about all units at once.
func (b *batch) look() error {
	if len(b.tasks) == 0 {
		return nil
	}
	if b.offline {
		return b.lookOffline()
	}
	args := []string{"show", "--property=LoadState,ActiveState,UnitFileState,Type,RemainAfterExit,NeedDaemonReload", "--"}
	for _, t := range b.tasks {
		args = append(args, t.unit)
	}
	r, err := b.c.Machine.Processes.Run(b.ctx, b.command(true, args...))
	if err != nil {
		return fmt.Errorf("systemctl show: %w", err)
	}
	if r.Exit != 0 {
		return told("show", "", r)
	}
	blocks := parseShow(r.Stdout)
	if len(blocks) != len(b.tasks) {
		return fmt.Errorf("systemctl show: %d answers for %d units", len(blocks), len(b.tasks))
	}
	for i, t := range b.tasks {
		t.now = blocks[i]
	}
	return nil
}

// parseShow reads what systemctl(1) show writes: lines of NAME=VALUE, and an empty
// line between units.
func parseShow(out []byte) []state {
	var all []state
	for block := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n\n") {
		var s state
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			switch name {
			case "LoadState":
				s.load = value
			case "ActiveState":
				s.active = value
			case "UnitFileState":
				s.file = value
			case "Type":
				s.kind = value
			case "RemainAfterExit":
				s.remains = value
			case "NeedDaemonReload":
				s.stale = value
			}
		}
		all = append(all, s)
	}
	return all
}

// lookOffline reads the links of each unit, which needs no manager. Of a unit that
// does not exist nothing is written.
func (b *batch) lookOffline() error {
	for _, t := range b.tasks {
		r, err := b.c.Machine.Processes.Run(b.ctx, b.command(true, "--root=/", "is-enabled", "--", t.unit))
		if err != nil {
			return fmt.Errorf("systemctl is-enabled: %w", err)
		}
		t.now = state{load: "loaded", file: strings.TrimSpace(string(r.Stdout))}
		if t.now.file == "" || t.now.file == "not-found" {
			t.now = state{load: "not-found"}
		}
	}
	return nil
}

// fix does what is missing, with one call for many units.
func (b *batch) fix() {
	var work []*task
	stale := false
	for _, t := range b.tasks {
		stale = stale || t.now.stale == "yes"
		switch {
		case t.result.State == driver.Correct:
		case t.result.State == driver.Missing:
			t.result.Err = errors.New("there is no such service")
		case !t.Install:
			t.result.Err = errors.New(`left as it is: install="false"`)
		case t.now.masked() && (t.Enable || t.Start):
			t.result.Err = errors.New("it is masked")
		default:
			work = append(work, t)
		}
	}
	if len(work) == 0 {
		return
	}
	if stale && !b.offline {
		if err := b.all(work, "daemon-reload", nil); err != nil {
			return
		}
	}
	_ = b.all(work, "enable", func(t *task) bool { return t.Enable })
	_ = b.all(work, "disable", func(t *task) bool { return t.Disable })
	if b.offline {
		return
	}
	_ = b.all(work, "stop", func(t *task) bool { return t.Stop })
	b.start(work)
}

// start starts units in their order: those of one place together, when those before
// them have been started. systemd itself knows what each of them needs. One that does
// not start holds none up.
func (b *batch) start(work []*task) {
	for len(work) > 0 {
		n := 1
		for n < len(work) && work[n].sequence == work[0].sequence {
			n++
		}
		if b.all(work[:n], "start", func(t *task) bool { return t.Start }) == nil {
			for _, t := range work[:n] {
				t.result.Started = t.Start && t.result.Err == nil
			}
		}
		work = work[n:]
	}
}

// all runs one verb for the units that need it; nil runs it without any. If it
// fails, the units are asked about again, and those that are still wrong have the
// error.
func (b *batch) all(work []*task, verb string, need func(*task) bool) error {
	var chosen []*task
	var args []string
	if b.offline {
		args = append(args, "--root=/")
	}
	args = append(args, verb)
	if need != nil {
		args = append(args, "--")
		for _, t := range work {
			if need(t) && t.result.Err == nil {
				chosen, args = append(chosen, t), append(args, t.unit)
			}
		}
		if len(chosen) == 0 {
			return nil
		}
	}
	r, err := b.c.Machine.Processes.Run(b.ctx, b.command(false, args...))
	switch {
	case err != nil:
		err = fmt.Errorf("systemctl %s: %w", verb, err)
	case r.Exit != 0 && len(chosen) > 1:
		return b.sort(chosen, verb, r)
	case r.Exit != 0:
		err = told(verb, "", r)
	}
	for _, t := range work {
		if need != nil && !need(t) || t.result.Err != nil {
			continue
		}
		switch {
		case err == nil:
			t.result.Changed = t.result.Changed || need != nil
		case t.secret && r.Exit != 0:
			t.result.Err = system.Quiet(err)
		default:
			t.result.Err = err
		}
	}
	return err
}

// sort finds out which units of a call failed.
func (b *batch) sort(chosen []*task, verb string, r system.Result) error {
	again := &batch{Driver: b.Driver, ctx: b.ctx, offline: b.offline}
	for _, t := range chosen {
		again.tasks = append(again.tasks, &task{Wanted: t.Wanted, unit: t.unit, result: &driver.Result{}})
	}
	if err := again.look(); err != nil {
		return err
	}
	for i, t := range chosen {
		now := again.tasks[i].now
		enabled, _ := now.enabled()
		running, _ := now.running()
		done := map[string]bool{"enable": enabled, "disable": !enabled, "start": running, "stop": !running}[verb]
		switch {
		case done:
			t.result.Changed = true
		case t.secret:
			t.result.Err = system.Quiet(told(verb, t.unit, r))
		default:
			t.result.Err = told(verb, t.unit, r)
		}
	}
	return nil
}

// Restart implements driver.Restarter.
func (d *Driver) Restart(ctx context.Context, item driver.Item) (bool, error) {
	w, err := service.Read(item.Entry)
	if err != nil || !w.Told(item.Asked) {
		return false, err
	}
	b := &batch{Driver: d, ctx: ctx, results: make([]driver.Result, 1)}
	why, err := b.reach()
	if err != nil || why != "" || b.offline {
		return false, err
	}
	b.read([]driver.Item{item})
	if len(b.tasks) == 0 {
		return false, b.results[0].Err
	}
	if self.Service(b.tasks[0].unit) {
		// That would end the run that tells it. The agent's package has the new version
		// start when the run is over.
		return false, nil
	}
	if err := b.look(); err != nil {
		return false, err
	}
	verb := "restart"
	switch t := b.tasks[0]; {
	case t.now.load == "not-found" || t.now.masked():
		return false, nil // the entry itself says so
	case w.Running == service.Off || d.c.Build:
		if running, _ := t.now.running(); !running {
			return false, nil
		}
		verb = "stop"
	case w.Target != "":
		verb = w.Target
	}
	if b.tasks[0].now.stale == "yes" {
		if err := b.all(b.tasks, "daemon-reload", nil); err != nil {
			return false, err
		}
	}
	_ = b.all(b.tasks, verb, func(*task) bool { return true })
	return b.results[0].Changed, b.results[0].Err
}

// told makes an error of what systemctl wrote, of one unit if it is named.
func told(verb, unit string, r system.Result) error {
	var own []string
	for _, line := range r.Lines() {
		if unit != "" && strings.Contains(line, unit) {
			own = append(own, line)
		}
	}
	return r.Ended("systemctl "+verb, own...)
}
