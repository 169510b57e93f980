// SPDX-License-Identifier: Apache-2.0

// Package parcel makes Package entries true with package tools of old that install
// one file at a time: those of System V (sysv), Blastwave (blast) and Encap.
//
// They differ in what they are called with and how they answer; the rest is one
// driver. None of them runs where Bindery is tested. The package must not know
// what fetches files: the tools do it.
package parcel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/origin"
	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// Types are the types of Package that the package handles.
func Types() []string { return []string{"sysv", "blast", "encap"} }

// Unproven are those of them that were never run against their tools.
func Unproven() []string { return Types() }

// Config says what the driver works on.
type Config struct {
	Machine *system.Machine
	// Type is one of Types.
	Type string
	// Timeout bounds one call of a tool. Zero: 30 minutes.
	Timeout time.Duration
}

// Driver makes the packages of one type true.
type Driver struct {
	c    Config
	tool tool
}

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil || c.Timeout < 0 {
		return nil, errors.New("package driver: no machine, or a negative time limit")
	}
	t, ok := tools()[c.Type]
	if !ok {
		return nil, fmt.Errorf("package driver: type %q is none of %s", c.Type, strings.Join(Types(), ", "))
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Minute
	}
	return &Driver{c: c, tool: t}, nil
}

// call is some packages under way.
type call struct {
	*Driver
	ctx context.Context
	// have are the installed versions by name.
	have map[string][]string
}

// want is what an entry asks for.
type want struct {
	name, version string
	// short is the name that Blastwave's tool knows, source the file or address
	// that a package comes from.
	short, source string
	verify        bool
	paths         *driver.Paths
}

var (
	plainName    = pattern.Of(`^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$`)
	plainVersion = pattern.Of(`^[A-Za-z0-9][A-Za-z0-9_.,=:+~-]*$`)
)

const anyone = "any"

// read takes an entry apart.
func (d *Driver) read(item driver.Item) (*want, error) {
	e := item.Entry
	w := &want{
		name: e.Name(), version: e.Get("version"), short: e.Get("bname"), verify: e.Get("verify") != "false", paths: item.Paths,
	}
	if w.short == "" {
		w.short = w.name
	}
	var err error
	if w.source, err = source(e); err != nil {
		return nil, err
	}
	switch w.version {
	case "":
		return nil, errors.New("missing required attribute: version")
	case "noverify", "auto", "latest":
		w.version = anyone
	}
	switch {
	case !plainName.MatchString(w.name) || !plainName.MatchString(w.short):
		return nil, errors.New("not a name of a package")
	case !plainVersion.MatchString(w.version):
		return nil, errors.New("not a version of a package")
	case d.tool.sourced && w.source == "":
		return nil, errors.New("missing required attribute: url, or simplefile")
	}
	return w, nil
}

// source is where a package comes from, "" where nothing says so.
func source(e *config.Entry) (string, error) {
	file := e.Get("simplefile")
	if file == "" {
		file = e.Get("file")
	}
	places, err := origin.Read(e.Get, file, nil)
	if err != nil || len(places) == 0 {
		return "", err
	}
	return places[0], nil
}

// reach tells why nothing is known of packages here.
func (d *Driver) reach(ctx context.Context) (why string, err error) {
	return d.c.Machine.Unreached(ctx, "packages", d.tool.needs)
}

// Apply implements driver.Driver.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	r := d.ApplyAll(ctx, []driver.Item{item}, apply)[0]
	return r.Outcome, r.Err
}

// ApplyAll implements driver.Batch: what is installed is asked once.
func (d *Driver) ApplyAll(ctx context.Context, items []driver.Item, apply bool) []driver.Result {
	out := make([]driver.Result, len(items))
	c := &call{Driver: d, ctx: ctx}
	why, err := d.reach(ctx)
	if err == nil && why == "" {
		err = d.tool.installed(c)
	}
	for i, item := range items {
		switch {
		case err != nil:
			out[i] = driver.Result{Outcome: driver.Outcome{State: driver.NotVerified}, Err: err}
		case why != "":
			out[i].Outcome = driver.Outcome{State: driver.NotVerified, Reasons: []string{why}}
		default:
			out[i] = c.one(item, apply)
		}
		if item.Entry.Secret() {
			out[i].Err = system.Quiet(out[i].Err)
		}
	}
	return out
}

func (c *call) one(item driver.Item, apply bool) (r driver.Result) {
	w, err := c.read(item)
	if err != nil {
		r.State, r.Err = driver.Incorrect, err
		return r
	}
	for _, a := range []string{"multiarch", "reloc", "srcs"} {
		if item.Entry.Get(a) != "" {
			r.Unverified = append(r.Unverified, a)
		}
	}
	if v := item.Entry.Get("version"); v == "auto" || v == "latest" {
		r.Unverified = append(r.Unverified, "version: what is newest cannot be asked")
	}
	state, reason, err := c.compare(w)
	r.State, r.Err = state, err
	if reason != "" {
		r.Found(item.Entry, "", state, reason)
	}
	if err != nil || state == driver.Correct || !apply {
		return r
	}
	r.Changed, r.Err = c.install(w)
	return r
}

// compare tells how a package stands.
func (c *call) compare(w *want) (driver.State, string, error) {
	have := c.have[w.name]
	switch {
	case len(have) == 0:
		return driver.Missing, "is not installed", nil
	case w.version != anyone && !slices.Contains(have, w.version):
		return driver.Incorrect, fmt.Sprintf("version: %s, should be %s", strings.Join(have, ", "), w.version), nil
	case !w.verify:
		return driver.Correct, "", nil
	}
	bad, err := c.tool.altered(c, w)
	if err != nil {
		return driver.NotVerified, "", err
	}
	if len(bad) > 0 {
		return driver.Incorrect, "its files are not what was installed: " + strings.Join(bad[:min(5, len(bad))], ", "), nil
	}
	return driver.Correct, "", nil
}

// install installs a package and looks whether it is there.
func (c *call) install(w *want) (changed bool, err error) {
	if c.tool.prepare != nil {
		if changed, err = c.tool.prepare(c); err != nil {
			return changed, err
		}
	}
	if err := c.do(c.tool.install(w)); err != nil {
		return changed, err
	}
	if err := c.tool.installed(c); err != nil {
		return true, err
	}
	if have := c.have[w.name]; len(have) == 0 || w.version != anyone && !slices.Contains(have, w.version) {
		return true, errors.New("no error was reported, and yet it is not installed as asked")
	}
	return true, nil
}

func environment() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin:/opt/csw/bin", "LC_ALL=C", "TERM=dumb", "HOME=/"}
}

// do runs a tool for its effect.
func (c *call) do(args []string) error {
	r, err := c.c.Machine.Processes.Run(c.ctx, system.Command{Args: args, Env: environment(), Dir: "/", Timeout: c.c.Timeout, MaxTail: 8 << 10})
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if r.Exit != 0 {
		return r.Ended(args[0])
	}
	return nil
}

func (c *call) ask(args ...string) (system.Result, error) {
	r, err := c.c.Machine.Processes.Run(c.ctx, system.Command{
		Args: args, Env: environment(), Dir: "/", Timeout: min(c.c.Timeout, 5*time.Minute), MaxOutput: 16 << 20, MaxTail: 8 << 10, Asks: true,
	})
	if err != nil {
		return r, fmt.Errorf("%s: %w", args[0], err)
	}
	return r, nil
}

var _ driver.Batch = (*Driver)(nil)
