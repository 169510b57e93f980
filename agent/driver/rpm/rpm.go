// SPDX-License-Identifier: Apache-2.0

// Package rpm makes Package entries of types rpm and yum true, with rpm and with
// dnf or yum.
//
// What is installed is asked of rpm in one call, because the form of its database
// is its own. The package must not know how repositories are configured.
package rpm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// Types are the types of Package that the driver handles.
func Types() []string { return []string{"rpm", "yum"} }

// Config says what the driver works on.
type Config struct {
	Machine *system.Machine
	// Timeout bounds what is done for all packages of a run. Zero: 30 minutes.
	Timeout time.Duration
	// LockWait is how long another package manager is waited for. Zero: 2 minutes.
	LockWait time.Duration
	// AskEvery is how long it is believed that nothing newer can be had, and that
	// the files of a package are right, while what is installed stays the same.
	// Zero: 1 hour.
	AskEvery time.Duration
}

// Driver makes packages true. It is not safe for concurrent use.
type Driver struct {
	c Config
	// good are the packages whose files were right, newer what can be had.
	good  map[string]time.Time
	newer updates
	// groups are the packages of groups, hand those that somebody installed.
	groups map[string]answer
	hand   answer
	// lame are packages with a script that failed, and what it said: rpm forgets it.
	lame map[string]string
	// news tells that something of it is not as it was learned.
	news bool
}

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil || c.Timeout < 0 || c.LockWait < 0 || c.AskEvery < 0 {
		return nil, errors.New("rpm driver: no machine, or a negative time limit")
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Minute
	}
	if c.LockWait == 0 {
		c.LockWait = 2 * time.Minute
	}
	if c.AskEvery == 0 {
		c.AskEvery = time.Hour
	}
	return &Driver{c: c, good: map[string]time.Time{}, groups: map[string]answer{}, lame: map[string]string{}}, nil
}

// Needs implements driver.Founded with the files that dnf and yum themselves read.
func (d *Driver) Needs(path string) bool {
	for _, p := range []string{"/etc/yum.repos.d/", "/etc/yum.conf", "/etc/yum/", "/etc/dnf/", "/etc/pki/rpm-gpg/"} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// Apply implements driver.Driver.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	r := d.ApplyAll(ctx, []driver.Item{item}, apply)[0]
	return r.Outcome, r.Err
}

// ApplyAll implements driver.Batch.
func (d *Driver) ApplyAll(ctx context.Context, items []driver.Item, apply bool) []driver.Result {
	b := &batch{Driver: d, ctx: ctx, results: make([]driver.Result, len(items))}
	if err := ctx.Err(); err != nil {
		return b.none("", err)
	}
	if d.c.Machine.Contained() {
		return b.none("packages are not managed under another root", nil)
	}
	if !b.exists("/usr/bin/rpm") {
		return b.none("this host has no rpm", nil)
	}
	b.read(items)
	if err := b.look(); err != nil {
		return b.none("", err)
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
	results []driver.Result
	wants   []*want
	// have are the installed packages by name.
	have map[string][]nevra
	// waited tells that another package manager was waited for in vain.
	waited bool
}

// nevra is what identifies a package.
type nevra struct {
	name, epoch, version, release, arch string
	// prefix is where it is, if it can be moved, and moved whether that is where it was
	// made for.
	prefix string
	moved  bool
	// since is when it was installed, in seconds.
	since int64
}

// String is the name by which rpm and dnf know one of many.
func (n nevra) String() string {
	if n.name == key {
		return n.name + "-" + n.evr()
	}
	return n.name + "-" + n.evr() + "." + n.arch
}

func (n nevra) evr() string {
	evr := n.version + "-" + n.release
	if n.epoch != "" && n.epoch != "0" {
		evr = n.epoch + ":" + evr
	}
	return evr
}

// is tells whether a version that somebody wrote is this one: the version alone,
// with the release, or with the epoch too.
func (n nevra) is(version string) bool {
	if epoch, rest, ok := strings.Cut(version, ":"); ok {
		if epoch != n.epoch {
			return false
		}
		version = rest
	}
	return version == n.version || version == n.version+"-"+n.release
}

func (b *batch) none(why string, err error) []driver.Result {
	for i := range b.results {
		b.results[i] = driver.Result{Outcome: driver.Outcome{State: driver.NotVerified}, Err: err}
		if err == nil {
			b.results[i].Reasons = []string{why}
		}
	}
	return b.results
}

func (b *batch) exists(name string) bool {
	_, err := b.c.Machine.Files.Look(name)
	return err == nil
}

// installed lists what of a package is there.
func (b *batch) installed(w *want) []nevra {
	var out []nevra
	for _, n := range b.have[w.name] {
		if w.arch == "" || n.arch == w.arch || n.arch == "noarch" {
			out = append(out, n)
		}
	}
	return out
}

// versions are those of a package that are there.
func (b *batch) versions(w *want) []string {
	var out []string
	for _, n := range b.have[w.name] {
		if evr := n.evr(); !slices.Contains(out, evr) {
			out = append(out, evr)
		}
	}
	return out
}

// compare looks at what rpm knows, and not at files. Of a package that may be there
// more than once, such as a kernel, one must be right.
func (b *batch) compare(w *want) (driver.State, string) {
	have := b.installed(w)
	if len(have) == 0 {
		return driver.Missing, "is not installed"
	}
	switch w.version {
	case anyone:
	case auto:
		if c := b.newest(have); c != "" {
			return driver.Incorrect, fmt.Sprintf("version: %s, and %s can be had", have[len(have)-1].evr(), c)
		}
	default:
		if !slices.ContainsFunc(have, func(n nevra) bool { return n.is(w.version) }) {
			return driver.Incorrect, fmt.Sprintf("version: %s, should be %s", have[len(have)-1].evr(), w.version)
		}
	}
	if is := have[len(have)-1].prefix; w.prefix != "" && is != w.prefix {
		return driver.Incorrect, fmt.Sprintf("reloc: %s, should be %s", is, w.prefix)
	}
	return driver.Correct, ""
}

// fitting are those of the installed that are as asked: of several versions, such as of
// kernels, the last that came, of all architectures.
func (w *want) fitting() []nevra {
	var evr string
	for _, n := range w.was {
		if w.version == auto || w.version == anyone || n.is(w.version) {
			evr = n.evr()
		}
	}
	return slices.DeleteFunc(slices.Clone(w.was), func(n nevra) bool { return n.evr() != evr })
}

// judge compares all packages with what is wanted. The error is why nobody knows what
// newer can be had: it concerns those that are to be the newest.
func (b *batch) judge(unknown error) error {
	for _, w := range b.wants {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		w.was = b.installed(w)
		state, reason := b.compare(w)
		if w.fit = w.fitting(); state == driver.Correct {
			state, reason = b.healthy(w, unknown)
		}
		if state == driver.Correct || state == driver.NotVerified {
			continue
		}
		w.wrong = true
		w.result.Found(w.entry, w.part, state, reason)
	}
	return nil
}

// healthy looks at a package that is there in the version that is asked for.
func (b *batch) healthy(w *want, unknown error) (driver.State, string) {
	if unknown != nil && w.version == auto {
		b.unsure(w, unknown)
		return driver.NotVerified, ""
	}
	if reason := b.limps(w); reason != "" {
		w.altered = true
		return driver.Incorrect, reason
	}
	if w.quick || !w.verify {
		return driver.Correct, ""
	}
	bad, err := b.verify(w)
	if err != nil {
		b.unsure(w, err)
		return driver.NotVerified, ""
	}
	if len(bad) > 0 {
		w.altered = true
		return driver.Incorrect, "its files are not what was installed: " + strings.Join(bad, ", ")
	}
	return driver.Correct, ""
}

// unsure notes that nothing is known of a package, and why.
func (b *batch) unsure(w *want, err error) {
	b.blame([]*want{w}, err)
	if w.result.State == driver.Correct {
		w.result.State = driver.NotVerified
	}
}

var (
	_ driver.Batch   = (*Driver)(nil)
	_ driver.Founded = (*Driver)(nil)
)
