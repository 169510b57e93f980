// SPDX-License-Identifier: Apache-2.0

// Command aptclosure holds the packages that Bindery adds for a package against
// those that apt-get would install with it on an empty machine: Bindery's must all
// be among them, and each that is missing must be one where Bcfg2 leaves the choice
// to the host. It runs the programs as a user would and must not import the engine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// What one cold build on the index of a whole distribution may take.
const (
	mayTake = 5 * time.Second
	mayUse  = 400 << 20
)

// errDiffers is a result that is not as it must be; what differs has been printed.
var errDiffers = errors.New("Bindery and apt-get differ")

type options struct {
	bindery    string
	repository string
	count      int
}

func main() {
	var o options
	flag.StringVar(&o.bindery, "bindery", "bin/bindery", "the program to try")
	flag.StringVar(&o.repository, "repository", "", "a folder with a file Packages, instead of the machine's own sources")
	flag.IntVar(&o.count, "count", 200, "how many packages to resolve")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "aptclosure:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, w io.Writer) error {
	dir, err := os.MkdirTemp("", "aptclosure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	a, err := newApt(ctx, dir, o.repository)
	if err != nil {
		return err
	}
	known, err := a.index(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "the index has %d packages\n", len(known.packages))
	chosen, err := choose(ctx, a, known, o.count)
	if err != nil {
		return err
	}
	b := &bindery{program: o.bindery, dir: dir, sources: a.sources, archs: a.archs, keyrings: a.keyrings}
	ours, err := b.resolve(ctx, w, chosen)
	if err != nil {
		return err
	}
	return compare(w, known, chosen, ours)
}

// closure is a package with what apt-get installs for it.
type closure struct {
	name string
	all  map[string]bool
}

// choose takes packages from the whole index, evenly by name. What cannot be
// installed at all makes room for the next one.
func choose(ctx context.Context, a *apt, known *index, count int) ([]closure, error) {
	names := known.spread(count)
	if len(names) == 0 {
		return nil, errors.New("the index is empty")
	}
	var out []closure
	for len(names) > 0 && len(out) < count {
		now := names[:min(count-len(out), len(names))]
		names = names[len(now):]
		found := make([]map[string]bool, len(now))
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(runtime.NumCPU())
		for i, name := range now {
			g.Go(func() (err error) {
				found[i], err = a.install(ctx, name)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		for i, all := range found {
			if all != nil {
				out = append(out, closure{now[i], all})
			}
		}
	}
	slices.SortFunc(out, func(a, b closure) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// compare tells what differs, and fails where something does that may not.
func compare(w io.Writer, known *index, chosen []closure, ours map[string][]string) error {
	wrong, same, explained, instead := 0, 0, 0, 0
	for _, c := range chosen {
		mine := map[string]bool{c.name: true}
		for _, name := range ours[c.name] {
			mine[name] = true
			switch {
			case c.all[name]:
			case known.stoodFor(name, c.all):
				instead++
				fmt.Fprintf(w, "%s: %s is added, for which apt-get takes another package that provides it\n", c.name, name)
			default:
				wrong++
				fmt.Fprintf(w, "%s: %s is added, and apt-get does not install it\n", c.name, name)
			}
		}
		left := known.unexplained(c.all, mine)
		for _, name := range left {
			wrong++
			fmt.Fprintf(w, "%s: %s is not added, and there is no choice that would lead to it\n", c.name, name)
		}
		missing := 0
		for name := range c.all {
			if !mine[name] {
				missing++
			}
		}
		if missing == 0 {
			same++
		} else {
			explained += missing - len(left)
		}
	}
	fmt.Fprintf(w, "%d packages resolved: %d as apt-get does; in the others %d packages are left to the host's choice, and %d are those of a name that apt-get has otherwise\n", len(chosen), same, explained, instead)
	if wrong > 0 {
		return errDiffers
	}
	return nil
}
