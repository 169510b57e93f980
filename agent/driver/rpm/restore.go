// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/system"
)

// The whole set of packages stands for each of them: one brings others along.
// A line of it is name.architecture and the versions that are there, with @ and the
// place of one that was moved.
const everything = "all packages"

const at = "@"

// A key that rpm keeps among packages, which dnf imports for a repository. It has no
// architecture, and no repository has it.
const (
	key    = "gpg-pubkey"
	noArch = "none"
)

// Standing implements driver.Keeper.
func (d *Driver) Standing(ctx context.Context, items []driver.Item) ([]driver.Standing, error) {
	if err := ctx.Err(); err != nil || len(items) == 0 {
		return nil, err
	}
	kind := driver.Kind{Tag: "Package", Type: items[0].Entry.Type()}
	return d.Again(ctx, []driver.Standing{{Kind: kind, Name: everything}})
}

// Again implements driver.Keeper.
func (d *Driver) Again(ctx context.Context, was []driver.Standing) ([]driver.Standing, error) {
	b := &batch{Driver: d, ctx: ctx}
	if len(was) == 0 || d.c.Machine.Contained() || !b.exists("/usr/bin/rpm") {
		return nil, ctx.Err()
	}
	if err := b.load(); err != nil {
		return nil, err
	}
	// All packages stand for each of several that are about to go, too.
	return []driver.Standing{{Kind: was[0].Kind, Name: everything, State: b.everything()}}, nil
}

// everything is the whole set as text.
func (b *batch) everything() string {
	set := map[string][]string{}
	for name, all := range b.have {
		for _, n := range all {
			if name == key {
				n.arch = noArch
			}
			version := n.evr()
			if n.moved {
				version += at + strings.Join(strings.Fields(n.prefix), "_")
			}
			set[name+"."+n.arch] = append(set[name+"."+n.arch], version)
		}
	}
	var state strings.Builder
	for _, name := range slices.Sorted(maps.Keys(set)) {
		slices.Sort(set[name])
		state.WriteString(name + " " + strings.Join(set[name], " ") + "\n")
	}
	return state.String()
}

func parse(set string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(set) {
		words := strings.Fields(line)
		odd := func(v string) bool {
			version, _, _ := strings.Cut(v, at)
			return !plainVersion.MatchString(version)
		}
		if len(words) > 1 && plainName.MatchString(words[0]) && !slices.ContainsFunc(words[1:], odd) {
			out[words[0]] = words[1:]
		}
	}
	return out
}

// Restore implements driver.Keeper: packages that came go, and those that went or
// changed come back in the version that was, where a repository still has it.
func (d *Driver) Restore(ctx context.Context, p driver.Passage, r driver.Restoration) (out driver.Restored) {
	if r.Ending {
		return out
	}
	now, err := d.Again(ctx, []driver.Standing{p.Standing})
	if err != nil || len(now) == 0 {
		out.Err = err
		return out
	}
	before, is := parse(p.State), parse(now[0].State)
	after := is
	if p.After != nil {
		after = parse(*p.After)
	}
	names := maps.Clone(before)
	maps.Copy(names, after)
	var remove, install, anew []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, left, have := before[name], after[name], is[name]
		came, went := minus(have, was), minus(was, have)
		switch {
		case slices.Equal(was, left) || slices.Equal(was, have):
		case !slices.Equal(have, left) && !r.Force:
			out.Kept = append(out.Kept, name+": it was changed since")
		case len(went) == 0 && self.Package(name):
			out.Kept = append(out.Kept, name+": "+self.ErrRemove.Error())
		case len(went) == 0:
			for _, v := range came {
				remove = append(remove, spec(name, v))
				out.What = append(out.What, "remove "+spec(name, v))
			}
		case name == key+"."+noArch && len(came) == 0:
			out.Kept = append(out.Kept, name+": no repository has it")
		case displaced(went) != "":
			out.Kept = append(out.Kept, name+": "+displaced(went))
		default: // one version replaces another; of kernels, those that came stay
			for _, v := range went {
				verb, into := "install", &install
				if there(came, v) {
					verb, into = "reinstall", &anew
				}
				*into = append(*into, spec(name, v))
				out.What = append(out.What, verb+" "+spec(name, v))
			}
		}
	}
	if r.Apply {
		out.Err = d.back(ctx, remove, install, anew)
	}
	return out
}

func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(v string) bool { return slices.Contains(b, v) })
}

// displaced tells why what went does not come back by itself, "" where it does: no
// repository's package is installed in another place than it was made for.
func displaced(went []string) string {
	for _, v := range went {
		if version, place, moved := strings.Cut(v, at); moved {
			return fmt.Sprintf("%s was moved to %s (reloc), and nothing moves a package that comes from a repository: bring it back with rpm --prefix", version, place)
		}
	}
	return ""
}

// there tells whether one of the versions is the same, in another place.
func there(came []string, version string) bool {
	return slices.ContainsFunc(came, func(c string) bool { return strings.HasPrefix(c, version+at) })
}

// spec is name-version.architecture, as rpm and dnf read it.
func spec(nameArch, evr string) string {
	evr, _, _ = strings.Cut(evr, at)
	if nameArch == key+"."+noArch {
		return key + "-" + evr
	}
	dot := strings.LastIndex(nameArch, ".")
	return nameArch[:dot] + "-" + evr + nameArch[dot:]
}

// back removes with rpm, which takes nothing else along and refuses what others
// need, and installs with dnf: all at once, and where that fails each alone.
func (d *Driver) back(ctx context.Context, remove, install, anew []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d.c.Timeout, system.ErrTimeout)
	defer cancel()
	b := &batch{Driver: d, ctx: ctx}
	d.good, d.newer, d.news = map[string]time.Time{}, updates{}, true
	var errs []error
	for _, c := range []struct {
		run   func([]string) error
		specs []string
	}{
		{func(s []string) error { return b.erase(s) }, remove},
		{func(s []string) error { return b.call("install", s).failure() }, install},
		{func(s []string) error { return b.call("reinstall", s).failure() }, anew},
	} {
		if len(c.specs) == 0 {
			continue
		}
		err := c.run(c.specs)
		if err == nil {
			continue
		}
		if len(c.specs) == 1 {
			errs = append(errs, err)
			continue
		}
		for _, s := range c.specs {
			if err := c.run([]string{s}); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", s, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (b *batch) erase(specs []string, options ...string) error {
	if slices.ContainsFunc(specs, self.Package) {
		return self.ErrRemove
	}
	return b.change(slices.Concat([]string{"rpm", "--erase"}, options, []string{"--"}, specs), "rpm --erase").err
}

var _ driver.Keeper = (*Driver)(nil)
