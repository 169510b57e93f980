// SPDX-License-Identifier: Apache-2.0

package deb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/system"
)

// The whole set of packages stands for each of them: one brings others along.
// A line of it is name:architecture, the version or "-" where only configuration
// is left, and "auto" where others brought it.
const everything = "all packages"

func kind() driver.Kind { return driver.Kind{Tag: "Package", Type: "deb"} }

// Standing implements driver.Keeper.
func (d *Driver) Standing(ctx context.Context, _ []driver.Item) ([]driver.Standing, error) {
	db, auto, err := d.known(ctx)
	if db == nil || err != nil {
		return nil, err
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(db.packages)) {
		p := db.packages[name]
		arch := p.arch
		if arch == "all" {
			arch = db.native
		}
		switch {
		case p.here() || p.broken():
			out.WriteString(name + " " + p.version)
		case p.state == "config-files":
			out.WriteString(name + " -")
		default:
			continue
		}
		if auto[p.name+":"+arch] {
			out.WriteString(" auto")
		}
		out.WriteString("\n")
	}
	return []driver.Standing{{Kind: kind(), Name: everything, State: out.String()}}, nil
}

// Again implements driver.Keeper.
func (d *Driver) Again(ctx context.Context, _ []driver.Standing) ([]driver.Standing, error) {
	return d.Standing(ctx, nil)
}

// parcel is one package of a set.
type parcel struct {
	version string
	auto    bool
}

func (p parcel) there() bool { return p.version != "" && p.version != "-" }

func parse(set string) map[string]parcel {
	out := map[string]parcel{}
	for line := range strings.Lines(set) {
		words := strings.Fields(line)
		if len(words) < 2 || !packageName.MatchString(words[0]) || words[1] != "-" && !version.MatchString(words[1]) {
			continue
		}
		out[words[0]] = parcel{version: words[1], auto: len(words) > 2}
	}
	return out
}

// Restore implements driver.Keeper: packages that came go, with their
// configuration unless there was some before, and those that went or changed come
// back in the version that was, where a source still has it.
func (d *Driver) Restore(ctx context.Context, p driver.Passage, r driver.Restoration) (out driver.Restored) {
	if r.Ending {
		return out
	}
	now, err := d.Standing(ctx, nil)
	if err != nil || len(now) == 0 {
		out.Err = err
		return out
	}
	way := d.compare(p, now[0].State, r.Force)
	out.What, out.Kept = way.what, way.kept
	if r.Apply {
		out.Err = d.back(ctx, way)
	}
	return out
}

// way is what has to be done to bring packages back.
type way struct {
	install, purge, remove, auto []string
	what, kept                   []string
}

func (d *Driver) compare(p driver.Passage, current string, force bool) way {
	before, now := parse(p.State), parse(current)
	after := now
	if p.After != nil {
		after = parse(*p.After)
	}
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	var w way
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, left, is := before[name], after[name], now[name]
		plain := strings.TrimSuffix(name, ":all") // apt gives what is for all to the native one
		switch {
		case was.version == left.version || was.version == is.version:
		case is.version != left.version && !force:
			w.kept = append(w.kept, fmt.Sprintf("%s: it was changed since", plain))
		case !was.there() && self.Package(plain):
			w.kept = append(w.kept, fmt.Sprintf("%s: %s", plain, self.ErrRemove))
		case was.there():
			w.install = append(w.install, plain+"="+was.version)
			w.what = append(w.what, fmt.Sprintf("install %s %s", plain, was.version))
			if was.auto {
				w.auto = append(w.auto, plain)
			}
		case was.version == "-":
			w.remove = append(w.remove, plain)
			w.what = append(w.what, "remove "+plain)
		default:
			w.purge = append(w.purge, plain)
			w.what = append(w.what, "purge "+plain)
		}
	}
	return w
}

// back runs the tools: once for all, and where that fails for each alone.
func (d *Driver) back(ctx context.Context, w way) error {
	b := &batch{Driver: d, ctx: ctx}
	var errs []error
	for _, c := range []struct {
		verb  string
		names []string
	}{{"purge", w.purge}, {"remove", w.remove}, {"install", w.install}} {
		if len(c.names) == 0 {
			continue
		}
		if err := b.simple(c.verb, c.names); err == nil {
			continue
		} else if len(c.names) == 1 || busy(err) {
			errs = append(errs, err)
			continue
		}
		for _, name := range c.names {
			if err := b.simple(c.verb, []string{name}); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	if len(w.auto) > 0 {
		errs = append(errs, b.run(append([]string{"apt-mark", "auto"}, w.auto...)...))
	}
	return errors.Join(errs...)
}

// Remove implements driver.Remover: packages are purged, all at once or, where that
// fails, each alone. One that something else still needs stays, and keeps no other.
func (d *Driver) Remove(ctx context.Context, what []driver.Surplus) []error {
	out := make([]error, len(what))
	ctx, cancel := context.WithTimeoutCause(ctx, d.c.Timeout, system.ErrTimeout)
	defer cancel()
	b := &batch{Driver: d, ctx: ctx}
	var names []string
	for i, s := range what {
		switch {
		case !packageName.MatchString(s.Name):
			out[i] = errors.New("not a name of a package: " + s.Name)
		case self.Package(s.Name):
			out[i] = self.ErrRemove
		default:
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return out
	}
	err := b.simple("purge", names)
	alone := len(names) > 1 && ctx.Err() == nil && !busy(err)
	for i, s := range what {
		if err == nil || out[i] != nil {
			continue
		}
		if out[i] = err; alone {
			out[i] = b.simple("purge", []string{s.Name})
		}
	}
	return out
}

// simple is apt-get with one verb. What it would take away beyond what it was told
// to is refused.
func (b *batch) simple(verb string, names []string) error {
	if verb != "install" && slices.ContainsFunc(names, self.Package) {
		return self.ErrRemove
	}
	args := []string{
		"apt-get", "-q", "-y", "-o", b.lock(), "-o", "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Options::=--force-confmiss",
		"--allow-downgrades",
	}
	rest := append([]string{verb, "--"}, names...)
	r, err := b.c.Machine.Processes.Run(b.ctx, system.Command{
		Args: slices.Concat(args, []string{"--simulate"}, rest), Env: environment(), Dir: "/", Timeout: simulate, MaxOutput: 16 << 20, MaxTail: maxTail, Asks: true,
	})
	if err != nil {
		return fmt.Errorf("apt-get --simulate %s: %w", verb, err)
	}
	if r.Exit != 0 {
		return ended("apt-get --simulate "+verb, r)
	}
	if more := beyond(r.Stdout, verb, names); len(more) > 0 {
		return errors.New("it would take away more than came: " + some(more))
	}
	return b.run(append(args, rest...)...)
}

// beyond lists what a simulation takes away besides the names.
func beyond(out []byte, verb string, names []string) []string {
	told := map[string]bool{}
	for _, name := range names {
		name, _, _ = strings.Cut(name, "=")
		name, _, _ = strings.Cut(name, ":")
		told[name] = verb != "install"
	}
	var more []string
	for line := range bytes.Lines(out) {
		if words := bytes.Fields(line); len(words) > 1 && (string(words[0]) == "Remv" || string(words[0]) == "Purg") {
			name, _, _ := strings.Cut(string(words[1]), ":")
			if !told[name] {
				more = append(more, name)
			}
		}
	}
	return more
}

var (
	_ driver.Keeper  = (*Driver)(nil)
	_ driver.Remover = (*Driver)(nil)
)
