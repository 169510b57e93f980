// SPDX-License-Identifier: Apache-2.0

// Package initd makes Service entries true with the service managers besides
// systemd: init scripts with update-rc.d or chkconfig, OpenRC, Upstart and SMF.
//
// They differ in what they are called with and how they answer; the rest is one
// driver. The package must not know what made a restart necessary.
package initd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/driver/service"
	"github.com/bindery/bindery/agent/system"
)

// Types are the types of Service that the package handles.
func Types() []string { return []string{"deb", "rc-update", "chkconfig", "upstart", "smf"} }

// Unproven are those of them that were never run against their tools.
func Unproven() []string { return []string{"chkconfig", "upstart", "smf"} }

// Config says what the driver works on.
type Config struct {
	Machine *system.Machine
	// Type is one of Types.
	Type string
	// Timeout bounds one call of a tool. Zero: 5 minutes.
	Timeout time.Duration
	// Build tells that an image is being built: nothing is started.
	Build bool
}

// Driver makes the services of one type true.
type Driver struct {
	c    Config
	tool tool
}

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil || c.Timeout < 0 {
		return nil, errors.New("service driver: no machine, or a negative time limit")
	}
	t, ok := tools()[c.Type]
	if !ok {
		return nil, fmt.Errorf("service driver: type %q is none of %s", c.Type, strings.Join(Types(), ", "))
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Minute
	}
	return &Driver{c: c, tool: t}, nil
}

// call is one service under way.
type call struct {
	*Driver
	ctx    context.Context
	name   string
	secret bool
	// parameters say which of its instances is meant.
	parameters []string
	// changed tells that a command has done something.
	changed bool
}

// reach tells why nothing is known of services here, "" where they can be asked
// about.
func (d *Driver) reach(ctx context.Context) (why string, err error) {
	return d.c.Machine.Unreached(ctx, "services", d.tool.needs)
}

// read takes an entry apart.
func (d *Driver) read(ctx context.Context, item driver.Item) (*call, service.Wanted, error) {
	w, err := service.Read(item.Entry)
	if id := item.Entry.Get("FMRI"); id != "" && d.c.Type == "smf" {
		w.Name = id
	}
	c := &call{Driver: d, ctx: ctx, name: w.Name, secret: item.Entry.Secret()}
	if d.tool.parameters {
		c.parameters, w.Parameters = strings.Fields(w.Parameters), ""
	}
	switch {
	case err != nil:
	case !d.named(w.Name):
		err = errNoName
	case self.Service(w.Name) && w.Ends():
		err = self.ErrStop
	case slices.ContainsFunc(c.parameters, func(p string) bool { return !parameter.MatchString(p) }):
		err = errors.New("the parameters are not words of the form KEY=VALUE")
	case w.Target != "" && !slices.Contains(d.tool.targets, w.Target):
		err = fmt.Errorf("target %q is none of %s", w.Target, strings.Join(d.tool.targets, ", "))
	}
	return c, w, err
}

var errNoName = errors.New("not a name of a service")

func (d *Driver) named(name string) bool {
	return d.tool.name.MatchString(name) && !strings.Contains(name, "..")
}

// Apply implements driver.Driver.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	r := driver.Result{Outcome: driver.Outcome{State: driver.NotVerified}}
	why, err := d.reach(ctx)
	if err != nil || why != "" {
		if why != "" {
			r.Reasons = []string{why}
		}
		return r.Outcome, err
	}
	c, w, err := d.read(ctx, item)
	if err != nil {
		r.State = driver.Incorrect
		return r.Outcome, err
	}
	now, err := d.tool.look(c)
	if err != nil {
		return r.Outcome, c.quiet(err)
	}
	r.State = driver.Correct
	// What shall run is not started in an image: nobody asks whether it does.
	now.Unseen = now.Unseen || d.c.Build && w.Running == service.On
	plan := w.Judge(now, &r)
	if !apply || r.State == driver.Correct {
		return r.Outcome, nil
	}
	switch {
	case r.State == driver.Missing:
		return r.Outcome, errors.New("there is no such service")
	case !w.Install:
		return r.Outcome, errors.New(`left as it is: install="false"`)
	}
	err = c.fix(plan, now, &r)
	return r.Outcome, err
}

// fix does what a plan says.
func (c *call) fix(p service.Plan, now service.Found, r *driver.Result) (err error) {
	for _, verb := range p.Verbs() {
		now, err = c.tell(now, verb)
		r.Changed = r.Changed || c.changed
		if err != nil {
			return err
		}
		r.Started = verb == "start"
	}
	return nil
}

// tell tells a service one thing, and looks whether it came of it: some scripts
// end well without having done anything.
func (c *call) tell(now service.Found, verb string) (service.Found, error) {
	for _, args := range c.tool.tell(c, now, verb) {
		r, err := c.run(false, args...)
		if err != nil {
			return now, err
		}
		if r.Exit != 0 {
			return now, c.quiet(c.tool.ended(args, r))
		}
		c.changed = true
	}
	now, err := c.tool.look(c)
	if err != nil {
		return now, c.quiet(err)
	}
	done := map[string]bool{
		"enable": now.Enabled || now.Fixed, "disable": !now.Enabled, "start": now.Running || now.Unseen || now.Passing, "stop": !now.Running,
		service.Forget: now.Unset,
	}
	if is, known := done[verb]; known && !is {
		return now, fmt.Errorf("%s was reported as done, and yet it is %s", verb, now.Words())
	}
	return now, nil
}

func (c *call) quiet(err error) error {
	if c.secret {
		return system.Quiet(err)
	}
	return err
}

func (c *call) run(asks bool, args ...string) (system.Result, error) {
	cmd := system.Command{
		Args: args, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TERM=dumb"}, Dir: "/", Timeout: c.c.Timeout, MaxTail: 4 << 10, Asks: asks,
	}
	if asks {
		cmd.MaxOutput, cmd.Timeout = 1<<20, min(c.c.Timeout, time.Minute)
	}
	r, err := c.c.Machine.Processes.Run(c.ctx, cmd)
	if err != nil {
		return r, fmt.Errorf("%s: %w", args[0], err)
	}
	return r, nil
}

// Restart implements driver.Restarter.
func (d *Driver) Restart(ctx context.Context, item driver.Item) (bool, error) {
	why, err := d.reach(ctx)
	if err != nil || why != "" {
		return false, err
	}
	c, w, err := d.read(ctx, item)
	if err != nil || !w.Told(item.Asked) {
		return false, err
	}
	if self.Service(c.name) {
		// That would end the run that tells it. The agent's package has the new version
		// start when the run is over.
		return false, nil
	}
	now, err := d.tool.look(c)
	if err != nil || !now.There {
		return false, c.quiet(err) // the entry itself says so
	}
	verb := "restart"
	switch {
	case w.Running == service.Off || d.c.Build:
		if !now.Running {
			return false, nil
		}
		verb = "stop"
	case w.Target != "":
		verb = w.Target
	}
	_, err = c.tell(now, verb)
	return c.changed, err
}

// Standing implements driver.Keeper.
func (d *Driver) Standing(ctx context.Context, items []driver.Item) ([]driver.Standing, error) {
	var was []driver.Standing
	for _, item := range items {
		if c, _, err := d.read(ctx, item); err == nil {
			name := strings.Join(append([]string{c.name}, c.parameters...), " ")
			was = append(was, driver.Standing{Kind: driver.Kind{Tag: "Service", Type: d.c.Type}, Name: name})
		}
	}
	return d.Again(ctx, was)
}

// Again implements driver.Keeper.
func (d *Driver) Again(ctx context.Context, was []driver.Standing) ([]driver.Standing, error) {
	why, err := d.reach(ctx)
	if err != nil || why != "" {
		return nil, err
	}
	out := slices.Clone(was)
	for i := range out {
		c, err := d.kept(ctx, out[i].Name)
		if err != nil {
			return nil, err
		}
		now, err := d.tool.look(c)
		if err != nil {
			return nil, err
		}
		out[i].State = now.Words()
	}
	return out, nil
}

// kept is a service that was written down, with its parameters.
func (d *Driver) kept(ctx context.Context, name string) (*call, error) {
	words := strings.Fields(name)
	if len(words) == 0 || !d.named(words[0]) {
		return nil, errNoName
	}
	return &call{Driver: d, ctx: ctx, name: words[0], parameters: words[1:]}, nil
}

// Restore implements driver.Keeper.
func (d *Driver) Restore(ctx context.Context, p driver.Passage, r driver.Restoration) (out driver.Restored) {
	c, err := d.kept(ctx, p.Name)
	if err != nil {
		out.Err = err
		return out
	}
	if why, err := d.reach(ctx); err != nil || why != "" {
		out.Err = err
		return out
	}
	now, err := d.tool.look(c)
	if err != nil {
		out.Err = err
		return out
	}
	var verbs []string
	verbs, out.Kept = service.Back(p, now.Words(), r)
	for _, verb := range verbs {
		if verb == service.Reread {
			verb = "restart" // not all of them can read their files again
		}
		out.What = append(out.What, verb+" "+p.Name)
		if !r.Apply {
			continue
		}
		if now, out.Err = c.tell(now, verb); out.Err != nil {
			return out
		}
	}
	return out
}

var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Restarter = (*Driver)(nil)
	_ driver.Keeper    = (*Driver)(nil)
)
