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
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// Types are the types of Package that the driver handles.
func Types() []string { return []string{"rpm", "yum"} }

// Config says what the driver works on.
type Config struct {
	Machine *system.Machine
	// Timeout bounds what is done for all packages of a run. Zero: 30 minutes.
	Timeout time.Duration
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
	// news tells that either is not as it was learned.
	news bool
}

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil || c.Timeout < 0 || c.AskEvery < 0 {
		return nil, errors.New("rpm driver: no machine, or a negative time limit")
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Minute
	}
	if c.AskEvery == 0 {
		c.AskEvery = time.Hour
	}
	return &Driver{c: c, good: map[string]time.Time{}}, nil
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
}

// nevra is what identifies a package.
type nevra struct{ name, epoch, version, release, arch string }

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
	return version == n.version || version == n.version+"-"+n.release || version == n.evr() || version == n.epoch+":"+n.version+"-"+n.release
}

// want is one package of one architecture that an entry asks for.
type want struct {
	entry               *config.Entry
	result              *driver.Result
	paths               *driver.Paths
	name, arch, version string
	was                 []nevra
	quick               bool
	wrong, altered      bool
	spec                string
	// source is the file that it is installed from, "" for the repositories.
	source string
	verify bool
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

const (
	auto   = "auto"
	anyone = "any"
)

var (
	plainName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)
	plainSource  = regexp.MustCompile(`^(/|(https?|ftp|file)://)[A-Za-z0-9_.,=:+~^%/@-]*$`)
	plainVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+~^:-]*$`)
)

func (b *batch) read(items []driver.Item) {
	for i, item := range items {
		r := &b.results[i]
		r.State = driver.Correct
		wants, err := read(item.Entry)
		if err != nil {
			*r = driver.Result{Outcome: driver.Outcome{State: driver.Incorrect}, Err: err}
			continue
		}
		for _, a := range []string{"reloc", "srcs"} {
			if item.Entry.Get(a) != "" {
				r.Unverified = append(r.Unverified, a)
			}
		}
		for _, w := range wants {
			w.entry, w.result, w.paths, w.quick = item.Entry, r, item.Paths, item.Quick
			b.wants = append(b.wants, w)
		}
	}
}

// read takes an entry apart: it may name one package, architectures of it, or have
// a child for each Instance.
func read(e *config.Entry) ([]*want, error) {
	var out []*want
	for _, child := range e.Children {
		if child.Tag != "Instance" {
			continue
		}
		w, err := one(e, child.Get("arch"), child.Get)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	if len(out) > 0 {
		return out, nil
	}
	arches := strings.FieldsFunc(e.Get("multiarch"), func(r rune) bool { return r == ',' || r == ' ' })
	if len(arches) == 0 {
		arches = []string{e.Get("arch")}
	}
	for _, arch := range arches {
		w, err := one(e, arch, e.Get)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func one(e *config.Entry, arch string, get func(string) string) (*want, error) {
	w := &want{name: e.Name(), arch: arch, version: get("version")}
	w.verify = e.Get("verify") != "false" && e.Get("pkg_verify") != "false" && get("pkg_verify") != "false"
	if file := get("simplefile"); file != "" {
		dir := e.Get("url")
		if dir == "" {
			dir = e.Get("uri")
		}
		if w.source = strings.TrimSuffix(dir, "/") + "/" + file; dir == "" || !plainSource.MatchString(w.source) {
			return nil, errors.New("url and simplefile are neither a path nor an address by http, https, ftp or file")
		}
	}
	if !plainName.MatchString(w.name) || arch != "" && !plainName.MatchString(arch) {
		return nil, errors.New("not a name of a package, or of an architecture")
	}
	switch w.version {
	case "":
		return nil, errors.New("missing required attribute: version")
	case auto, "latest":
		w.version = auto
		return w, nil
	case anyone, "noverify":
		w.version = anyone
		return w, nil
	}
	if r := get("release"); r != "" {
		w.version += "-" + r
	}
	if epoch := get("epoch"); epoch != "" && epoch != "0" {
		w.version = epoch + ":" + w.version
	}
	if !plainVersion.MatchString(w.version) {
		return nil, errors.New("not a version of a package")
	}
	return w, nil
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
		if c := b.newer.Known[w.name]; c != "" && !slices.ContainsFunc(have, func(n nevra) bool { return n.is(c) }) {
			return driver.Incorrect, fmt.Sprintf("version: %s, and %s can be had", have[len(have)-1].evr(), c)
		}
	default:
		if !slices.ContainsFunc(have, func(n nevra) bool { return n.is(w.version) }) {
			return driver.Incorrect, fmt.Sprintf("version: %s, should be %s", have[len(have)-1].evr(), w.version)
		}
	}
	return driver.Correct, ""
}

// judge compares all packages with what is wanted.
func (b *batch) judge() error {
	for _, w := range b.wants {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		w.was = b.installed(w)
		state, reason := b.compare(w)
		if state == driver.Correct && !w.quick && w.verify {
			bad, err := b.verify(w)
			if err != nil {
				return err
			}
			if len(bad) > 0 {
				w.altered = true
				state, reason = driver.Incorrect, "its files are not what was installed: "+strings.Join(bad, ", ")
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

var (
	_ driver.Batch   = (*Driver)(nil)
	_ driver.Founded = (*Driver)(nil)
)
