// SPDX-License-Identifier: Apache-2.0

// Package deb makes Package entries of type deb true, with dpkg's own database
// and with apt-get.
//
// What is installed is read from dpkg's files, whose form is stable and quick to
// read; what is changed is changed by the tools alone. All packages of a run are
// installed in one call. The package must not know how sources are configured.
package deb

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

// Types are the types of Package that the driver handles.
func Types() []string { return []string{"deb", "apt"} }

// Config says what the driver works on.
type Config struct {
	Machine *system.Machine
	// Timeout bounds what is done for all packages of a run. Zero: 30 minutes.
	Timeout time.Duration
	// LockWait is how long another package manager is waited for. Zero: 2
	// minutes.
	LockWait time.Duration
	// VerifyEvery is how long the files of a package that were right are not
	// looked at again, unless dpkg touched it. Zero: 1 hour.
	VerifyEvery time.Duration
}

// Driver makes packages true. It is not safe for concurrent use.
type Driver struct {
	c        Config
	policies memo
	// good are the packages whose files were right, and what they looked like.
	good map[string]right
	// news tells that either is not as it was learned.
	news bool
}

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil || c.Timeout < 0 || c.LockWait < 0 || c.VerifyEvery < 0 {
		return nil, errors.New("deb driver: no machine, or a negative time limit")
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Minute
	}
	if c.LockWait == 0 {
		c.LockWait = 2 * time.Minute
	}
	if c.VerifyEvery == 0 {
		c.VerifyEvery = time.Hour
	}
	return &Driver{c: c, good: map[string]right{}}, nil
}

// Needs implements driver.Founded with the files that apt-get itself reads.
func (d *Driver) Needs(path string) bool {
	return strings.HasPrefix(path, "/etc/apt/") || strings.HasPrefix(path, "/etc/dpkg/") ||
		strings.HasPrefix(path, "/usr/share/keyrings/") || strings.HasPrefix(path, "/var/cache/debconf/")
}

// Apply implements driver.Driver.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	r := d.ApplyAll(ctx, []driver.Item{item}, apply)[0]
	return r.Outcome, r.Err
}

// ApplyAll implements driver.Batch.
func (d *Driver) ApplyAll(ctx context.Context, items []driver.Item, apply bool) []driver.Result {
	b := &batch{Driver: d, ctx: ctx, items: items, results: make([]driver.Result, len(items))}
	err := ctx.Err()
	if err == nil && d.c.Machine.Contained() {
		return b.unknown("packages are not managed under another root")
	}
	if err == nil {
		err = b.look()
	}
	if errors.Is(err, errNoDatabase) {
		return b.unknown(errNoDatabase.Error())
	}
	if err != nil {
		return b.fail(err)
	}
	if apply {
		ctx, cancel := context.WithTimeoutCause(ctx, d.c.Timeout, system.ErrTimeout)
		defer cancel()
		b.ctx = ctx
		b.fix()
	}
	return b.results
}

// batch is some entries under way.
type batch struct {
	*Driver
	ctx     context.Context
	items   []driver.Item
	results []driver.Result
	wants   []*want
	db      *database
	policy  policy
	// lost is why nobody knows what can be had.
	lost   error
	except *exceptions
	// lists are dpkg's lists of files, by name, nil before they were looked at.
	lists map[string]system.Info
}

// want is one package of one architecture that an entry asks for.
type want struct {
	entry  *config.Entry
	result *driver.Result
	paths  *driver.Paths
	quick  bool
	name   string
	arch   string
	// version is auto, any, or exact.
	version string
	// was is how the package was found, altered whether its files were.
	was     installed
	altered bool
	// wrong tells that there is work, ready that it was done on the way; spec is
	// how apt-get is told.
	wrong, ready bool
	spec         string
	// source is the file that it is installed from, "" for the configured sources;
	// becomes is the version that is installed.
	source, becomes string
}

func (b *batch) unknown(why string) []driver.Result {
	for i := range b.results {
		b.results[i].Outcome = driver.Outcome{State: driver.NotVerified, Reasons: []string{why}}
	}
	return b.results
}

func (b *batch) fail(err error) []driver.Result {
	for i := range b.results {
		b.results[i] = driver.Result{Outcome: driver.Outcome{State: driver.NotVerified}, Err: err}
	}
	return b.results
}

// Versions that are not one. Bcfg2 has auto and any; noverify is any by another
// name, latest is auto.
const (
	auto   = "auto"
	anyone = "any"
)

// look finds out about all items.
func (b *batch) look() error {
	for i, item := range b.items {
		wants, err := read(item)
		r := &b.results[i]
		r.State = driver.Correct
		if err != nil {
			*r = driver.Result{Outcome: driver.Outcome{State: driver.Incorrect}, Err: err}
			continue
		}
		if item.Entry.Get("reloc") != "" {
			r.Unverified = append(r.Unverified, "reloc")
		}
		for _, w := range wants {
			w.entry, w.result, w.paths, w.quick = item.Entry, r, item.Paths, item.Quick
			b.wants = append(b.wants, w)
		}
	}
	var err error
	if b.db, err = load(b.c.Machine.Files); err != nil {
		return err
	}
	var names []string
	for _, w := range b.wants {
		if p := b.db.find(w.name, w.arch); w.version == auto && p != nil && p.here() && !p.held() {
			names = append(names, w.full(b.db))
		}
	}
	if len(names) > 0 {
		// What apt cannot tell says nothing of a version that is written down.
		b.policy, b.lost = b.ask(b.ctx, names)
	}
	return b.judge()
}

var (
	packageName = pattern.Of(`^[a-z0-9][a-z0-9+.-]*[a-z0-9+.](:[a-z0-9][a-z0-9-]*)?$`)
	version     = pattern.Of(`^[0-9A-Za-z][0-9A-Za-z.+:~-]*$`)
)

// read takes an entry apart. What apt-get could take for something else than a
// name and a version is refused.
func read(item driver.Item) ([]*want, error) {
	e := item.Entry
	if !packageName.MatchString(e.Name()) {
		return nil, errors.New("not a name of a package")
	}
	w := want{version: e.Get("version")}
	switch w.version {
	case "":
		return nil, errors.New("missing required attribute: version")
	case "latest":
		w.version = auto
	case "noverify":
		w.version = anyone
	}
	if !version.MatchString(w.version) {
		return nil, errors.New("not a version of a package")
	}
	w.name, w.arch, _ = strings.Cut(e.Name(), ":")
	arches := origin.Split(e.Get("multiarch"))
	from, err := places(e, arches)
	if err != nil {
		return nil, err
	}
	if len(from) > 0 && w.version == auto {
		return nil, errors.New("a file has one version: with simplefile write it, or any")
	}
	if len(arches) == 0 {
		if len(from) > 0 {
			w.source = from[0]
		}
		return []*want{&w}, nil
	}
	var out []*want
	for i, arch := range arches {
		if !packageName.MatchString(w.name + ":" + arch) {
			return nil, errors.New("not a list of architectures: multiarch")
		}
		one := w
		if one.arch = arch; len(from) > 0 {
			one.source = from[i]
		}
		out = append(out, &one)
	}
	return out, nil
}

// full is the name that apt uses: with an architecture unless it is the host's.
func (w *want) full(db *database) string {
	if w.arch == "" || w.arch == db.native {
		return w.name
	}
	return w.name + ":" + w.arch
}

// judge compares all packages with what is wanted.
func (b *batch) judge() error {
	for _, w := range b.wants {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		p := b.db.find(w.name, w.arch)
		if p != nil {
			w.was = *p
		}
		if b.lost != nil && w.version == auto && p != nil && p.here() && !p.held() {
			w.result.State = driver.NotVerified
			b.blame([]*want{w}, b.lost)
			continue
		}
		state, reason := b.compare(w, p)
		if state == driver.Correct && !w.quick && w.entry.Get("verify") != "false" {
			bad, err := b.verify(p, w.paths)
			if err != nil {
				return err
			}
			if len(bad) > 0 {
				w.altered = true
				state, reason = driver.Incorrect, "its files are not what was installed: "+some(bad)
			}
		}
		if state == driver.Correct {
			continue
		}
		w.wrong = true
		w.result.Found(w.entry, w.arch, state, reason)
	}
	return nil
}

// compare looks at what dpkg knows, and not at files.
func (b *batch) compare(w *want, p *installed) (driver.State, string) {
	switch {
	case p != nil && p.broken():
		return driver.Incorrect, "was not installed to the end: " + p.state
	case p == nil || !p.here():
		return driver.Missing, "is not installed"
	case w.version == anyone:
	case w.version != auto && p.version != w.version:
		return driver.Incorrect, fmt.Sprintf("version: %s, should be %s", p.version, w.version)
	case w.version == auto && !p.held():
		if c := b.policy[w.full(b.db)].Candidate; c != "" && c != p.version {
			return driver.Incorrect, fmt.Sprintf("version: %s, and %s can be had", p.version, c)
		}
	}
	return driver.Correct, ""
}

// some shows a few of many names.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}

// known is what dpkg knows, and which packages others brought; nil where there is no
// dpkg to ask.
func (d *Driver) known(ctx context.Context) (*database, map[string]bool, error) {
	if err := ctx.Err(); err != nil || d.c.Machine.Contained() {
		return nil, nil, err
	}
	db, err := load(d.c.Machine.Files)
	if errors.Is(err, errNoDatabase) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	auto, err := automatic(d.c.Machine.Files)
	return db, auto, err
}

// Extras implements driver.Surveyor: what somebody installed by hand. What came
// along with other packages, and what a system cannot be without or what is asked for
// needs, is not extra.
func (d *Driver) Extras(ctx context.Context, items []driver.Item) ([]driver.Surplus, error) {
	db, auto, err := d.known(ctx)
	if db == nil || err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	for _, item := range items {
		name, _, _ := strings.Cut(item.Entry.Name(), ":")
		asked[name] = true
	}
	var out []driver.Surplus
	for _, p := range db.packages {
		arch := p.arch
		if arch == "all" {
			arch = db.native // as apt keeps it
		}
		if !p.here() || p.vital || asked[p.name] || auto[p.name+":"+arch] {
			continue
		}
		name := p.name
		if arch != db.native {
			name += ":" + arch
		}
		out = append(out, driver.Surplus{Kind: driver.Kind{Tag: "Package", Type: "deb"}, Name: name, What: p.version})
	}
	if len(out) > 0 {
		needed := db.needed(asked)
		out = slices.DeleteFunc(out, func(s driver.Surplus) bool {
			name, _, _ := strings.Cut(s.Name, ":")
			return needed[name]
		})
	}
	slices.SortFunc(out, func(a, b driver.Surplus) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

var (
	_ driver.Batch    = (*Driver)(nil)
	_ driver.Surveyor = (*Driver)(nil)
	_ driver.Founded  = (*Driver)(nil)
)
