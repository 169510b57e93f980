// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

// warm changes one template of a fleet that is bound, and binds all hosts again:
// that of one role, as most are, and one that every host has.
func warm(ctx context.Context, n int) (record, error) {
	f, err := fleet.New(withTemplates(n))
	if err != nil {
		return record{}, err
	}
	in := inputs(f)
	parsed := engine.NewCache(engine.CacheSize)
	spec, err := engine.Open(ctx, f.Tree, engine.Options{Cache: parsed})
	if err != nil {
		return record{}, err
	}
	before, err := spec.All(ctx, in)
	if err != nil {
		return record{}, err
	}
	if _, err := verify(before, n); err != nil {
		return record{}, err
	}
	for i := range in {
		in[i].Last = before[i]
	}
	var r record
	for _, prefix := range []string{"role-", "base-"} {
		u, changed, err := changeOne(ctx, f, in, before, parsed, prefix)
		if err != nil {
			return record{}, err
		}
		what := "template of a role"
		if prefix == "base-" {
			what = "template of every host"
		} else {
			r.Wall, r.CPU = u.wall, u.cpu
		}
		r.Figures = append(r.Figures,
			figure{what, 1000 * u.wall, "ms"}, figure{what + ", CPU", 1000 * u.cpu, "ms"}, figure{"hosts changed by it", float64(changed), ""})
	}
	r.Control = copied(literal(before))
	return r, nil
}

func inputs(f *fleet.Fleet) []engine.Input {
	in := make([]engine.Input, len(f.Hosts))
	for i, h := range f.Hosts {
		in[i] = engine.Input{Host: h, Probes: map[string]string{}}
	}
	return in
}

// changeOne appends a line to a template that the bundles of a prefix name.
func changeOne(ctx context.Context, f *fleet.Fleet, in []engine.Input, before []*engine.Result, parsed *engine.Cache, prefix string) (used, int, error) {
	name := template(before, prefix)
	if name == "" {
		return used{}, 0, fmt.Errorf("no template in a bundle %s*", prefix)
	}
	changed := f.Replace(name, append(bytes.Clone(f.Tree.Files()[name]), "changed\n"...))
	changed.Tree.Digest(".") // git has it
	debug.FreeOSMemory()     // with all that is left to sweep
	var after []*engine.Result
	u, err := clocked(func() error {
		spec, err := engine.Open(ctx, changed.Tree, engine.Options{Cache: parsed})
		if err != nil {
			return err
		}
		after, err = spec.All(ctx, in)
		return err
	})
	if err != nil {
		return u, 0, err
	}
	differ := 0
	for i := range after {
		if after[i].Config.Digest() != before[i].Config.Digest() {
			differ++
		}
	}
	if differ == 0 {
		return u, 0, errors.New("the change changed no host")
	}
	return u, differ, same(ctx, changed, after)
}

// template finds the template that most hosts have in bundles of a prefix; of a
// role, one that an average number has.
func template(results []*engine.Result, prefix string) string {
	count := map[string]int{}
	for _, r := range results {
		for _, b := range r.Config.Bundles {
			if !strings.HasPrefix(b.Name(), prefix) {
				continue
			}
			for _, e := range b.Entries {
				if file := e.BoundAt.File; strings.HasSuffix(file, ".genshi") {
					count[file]++
				}
			}
		}
	}
	names := make([]string, 0, len(count))
	for name := range count {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if count[a] != count[b] {
			return count[a] - count[b]
		}
		return strings.Compare(a, b)
	})
	switch {
	case len(names) == 0:
		return ""
	case prefix == "role-":
		return names[len(names)/2]
	}
	return names[len(names)-1]
}
