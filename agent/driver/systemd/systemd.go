// SPDX-License-Identifier: Apache-2.0

// Package systemd makes Service entries of type systemd true, with systemctl. All
// units of a run are asked about in one call.
//
// Where systemd is not running, as in an image that is being built, it looks at
// what starts with the host and at nothing else. The package must not know what
// made a restart necessary.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/driver/service"
	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
)

// Types are the types of Service that the driver handles.
func Types() []string { return []string{"systemd"} }

// Config says what the driver works on.
type Config struct {
	Machine *system.Machine
	// Timeout bounds one call of systemctl. Zero: 5 minutes.
	Timeout time.Duration
	// Build tells that an image is being built: nothing is started.
	Build bool
}

// Driver makes services true.
type Driver struct{ c Config }

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil || c.Timeout < 0 {
		return nil, errors.New("systemd driver: no machine, or a negative time limit")
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Minute
	}
	return &Driver{c: c}, nil
}

// Apply implements driver.Driver.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	r := d.ApplyAll(ctx, []driver.Item{item}, apply)[0]
	return r.Outcome, r.Err
}

// ApplyAll implements driver.Batch.
func (d *Driver) ApplyAll(ctx context.Context, items []driver.Item, apply bool) []driver.Result {
	b := &batch{Driver: d, ctx: ctx, results: make([]driver.Result, len(items))}
	if why, err := b.reach(); err != nil || why != "" {
		for i := range b.results {
			b.results[i] = driver.Result{Outcome: driver.Outcome{State: driver.NotVerified}, Err: err}
			if err == nil {
				b.results[i].Reasons = []string{why}
			}
		}
		return b.results
	}
	b.read(items)
	if err := b.look(); err != nil {
		b.blame(err)
		return b.results
	}
	for _, t := range b.tasks {
		// What shall run is not started in an image: nobody asks whether it does.
		t.judge(b.offline || d.c.Build && t.Running == service.On)
	}
	if apply {
		b.fix()
	}
	return b.results
}

// reach finds out whether systemd can be asked: sd_booted(3) is about this
// directory.
func (b *batch) reach() (why string, err error) {
	if err := b.ctx.Err(); err != nil {
		return "", err
	}
	if b.c.Machine.Contained() {
		return "services are not managed under another root", nil
	}
	_, err = b.c.Machine.Files.Look("/run/systemd/system")
	b.offline = errors.Is(err, fs.ErrNotExist)
	if err != nil && !b.offline {
		return "", err
	}
	return "", nil
}

// batch is some entries under way.
type batch struct {
	*Driver
	ctx     context.Context
	results []driver.Result
	tasks   []*task
	offline bool
}

// task is one unit.
type task struct {
	service.Wanted
	unit   string
	result *driver.Result
	now    state
	secret bool
	// sequence is its place among those that start.
	sequence int

	service.Plan // what is to be done
}

// state is what systemctl show says.
type state struct{ load, active, file, kind, remains, stale string }

var unitName = pattern.Of(`^[A-Za-z0-9_][A-Za-z0-9:_.\\@-]{0,246}$`) // and .service

func unit(name string) (string, error) {
	if !unitName.MatchString(name) {
		return "", errors.New("not a name of a unit")
	}
	if stem, kind, ok := strings.Cut(name, "@"); ok && stem != "" && (kind == "" || kind[0] == '.') {
		return "", errors.New("a template is no unit: name an instance of it, as in name@instance")
	}
	for _, suffix := range []string{".service", ".socket", ".timer", ".target", ".path", ".mount", ".automount", ".swap", ".slice"} {
		if strings.HasSuffix(name, suffix) {
			return name, nil
		}
	}
	return name + ".service", nil
}

func (b *batch) read(items []driver.Item) {
	for i, item := range items {
		r := &b.results[i]
		r.State = driver.Correct
		w, err := service.Read(item.Entry)
		t := &task{Wanted: w, result: r, secret: item.Entry.Secret(), sequence: service.Sequence(item.Entry)}
		if err == nil {
			t.unit, err = unit(w.Name)
		}
		if err == nil && self.Service(t.unit) && w.Ends() {
			err = self.ErrStop
		}
		if err == nil && w.Target != "" && !slices.Contains(targets(), w.Target) {
			err = fmt.Errorf("target %q is not one of systemctl: %s", w.Target, strings.Join(targets(), ", "))
		}
		if err != nil {
			*r = driver.Result{Outcome: driver.Outcome{State: driver.Incorrect}, Err: err}
			continue
		}
		b.tasks = append(b.tasks, t)
	}
}

// blame gives an error to all whose state is not known.
func (b *batch) blame(err error) {
	for _, t := range b.tasks {
		t.result.State, t.result.Err = driver.NotVerified, err
	}
}

// judge compares a unit with what is wanted.
func (t *task) judge(unseen bool) {
	f := t.now.found()
	f.Unseen = unseen
	t.Plan = t.Judge(f, t.result)
}

// found is the state in the words of all drivers of services.
func (s state) found() service.Found {
	f := service.Found{There: s.load != "not-found", Boot: s.file, Runs: s.active}
	if f.Boot == "" {
		f.Boot = "unknown"
	}
	f.Enabled, f.Fixed = s.enabled()
	lasting := false
	f.Running, lasting = s.running()
	f.Passing = !lasting
	return f
}

// enabled tells whether a unit starts with the host, and whether that cannot be
// changed: see the table of is-enabled in systemctl(1).
func (s state) enabled() (is, fixed bool) {
	switch s.file {
	case "enabled", "enabled-runtime", "linked", "linked-runtime":
		return s.file == "enabled" || s.file == "enabled-runtime", false
	case "static", "indirect", "alias", "generated", "transient":
		return false, true
	}
	return false, false
}

func (s state) masked() bool { return strings.HasPrefix(s.file, "masked") || s.load == "masked" }

// running tells whether a unit runs, and whether it is of a kind that goes on
// running.
func (s state) running() (is, lasting bool) {
	is = s.active == "active" || s.active == "activating" || s.active == "reloading"
	return is, s.kind != "oneshot" || s.remains == "yes"
}

var (
	_ driver.Batch     = (*Driver)(nil)
	_ driver.Restarter = (*Driver)(nil)
)
