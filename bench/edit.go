// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

const groupsFile = "Metadata/groups.xml"

// line is a change of one line of one file.
type line struct {
	what, file string
	data       []byte
}

// lines are the changes of one line that are measured: of a Cfg file and of a bundle
// that one role has, then that every host has, and of groups.xml.
func lines(ctx context.Context, f *fleet.Fleet) ([]line, error) {
	files := f.Tree.Files()
	spec, err := engine.Open(ctx, f.Tree, engine.Options{})
	if err != nil {
		return nil, err
	}
	one, err := spec.Build(ctx, engine.Input{Host: f.Hosts[0], Probes: map[string]string{}})
	if err != nil {
		return nil, err
	}
	role, base := plainFile(one, "role-"), plainFile(one, "base-")
	bundle := ""
	has := map[string]bool{}
	for _, b := range one.Config.Bundles {
		name := "Bundler/" + b.Name() + ".xml"
		has[name] = true
		if strings.HasPrefix(b.Name(), "role-") && bundle == "" {
			bundle = name
		}
	}
	const entry = `<BoundPath name="/bench" type="directory" owner="root" group="root" mode="0755"/>` + "\n"
	common, more, groups := "", "", files[groupsFile]
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, "Bundler/base-") && common == "" {
			common = name
		}
		if strings.HasPrefix(name, "Bundler/role-") && !has[name] && more == "" {
			more = strings.TrimSuffix(path.Base(name), ".xml")
		}
	}
	// One more bundle for those of one profile; it has the role's own ones already.
	at := bytes.Index(groups, []byte(`name="`+one.Profile+`"`))
	if at < 0 {
		return nil, fmt.Errorf("no group %s", one.Profile)
	}
	end := at + bytes.Index(groups[at:], []byte(">")) + 1
	out := []line{
		{"Cfg file of a role", role, append(bytes.Clone(files[role]), "changed\n"...)},
		{"Cfg file of every host", base, append(bytes.Clone(files[base]), "changed\n"...)},
		{"bundle of a role", bundle, inserted(files[bundle], "</Bundle>", entry)},
		{"bundle of every host", common, inserted(files[common], "</Bundle>", entry)},
		{"groups.xml", groupsFile, slices.Concat(groups[:end], []byte(`<Bundle name="`+more+`"/>`+"\n"), groups[end:])},
	}
	for _, c := range out {
		if bytes.Equal(c.data, files[c.file]) || len(files[c.file]) == 0 {
			return nil, fmt.Errorf("%s: nothing to change in %q", c.what, c.file)
		}
	}
	return out, nil
}

// inserted is data with a line before the end of its root element.
func inserted(data []byte, end, line string) []byte {
	i := bytes.LastIndex(data, []byte(end))
	if i < 0 {
		return data
	}
	return append(append(bytes.Clone(data[:i]), line...), data[i:]...)
}

// plainFile is the first Cfg file of a host's bundles of a prefix that is no template
// and for no group or host alone.
func plainFile(r *engine.Result, prefix string) string {
	for _, b := range r.Config.Bundles {
		if !strings.HasPrefix(b.Name(), prefix) {
			continue
		}
		for _, e := range b.Entries {
			if file := e.BoundAt.File; strings.HasPrefix(file, "Cfg/etc/") && strings.HasSuffix(file, ".conf") {
				return file
			}
		}
	}
	return ""
}

// cost is what something took, and the most memory that there was meanwhile.
type cost struct {
	used
	allocs uint64
	peak   int64
}

// costed is clocked with memory. The kernel's mark of the most memory is taken back
// first; where it cannot be, it is that of the process so far.
func costed(work func() error) (cost, error) {
	debug.FreeOSMemory() // with all that is left to sweep
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	u, err := clocked(work)
	if err != nil {
		return cost{}, err
	}
	runtime.ReadMemStats(&after)
	memory, err := memoryOf(os.Getpid())
	return cost{u, after.Mallocs - before.Mallocs, memory["VmHWM"]}, err
}

// edit builds a fleet in full, then changes one line of one file and builds it again:
// warm, with the results and the parsed files from before at hand, and cold, with nothing.
func edit(which ...int) func(ctx context.Context, n int) (record, error) {
	return func(ctx context.Context, n int) (record, error) {
		f, err := fleet.New(withTemplates(n))
		if err != nil {
			return record{}, err
		}
		changes, err := lines(ctx, f)
		if err != nil {
			return record{}, err
		}
		f.Tree.Digest(".") // git has it
		parsed := engine.NewCache(engine.CacheSize)
		var before []*engine.Result
		full, err := costed(func() (err error) {
			before, err = built(ctx, f, inputs(f), parsed)
			return err
		})
		if err != nil {
			return record{}, err
		}
		r := record{Figures: full.figures("full build")}
		for _, i := range which {
			c := changes[i]
			warm, cold, err := edited(ctx, f.Replace(c.file, c.data), before, parsed)
			if err != nil {
				return record{}, fmt.Errorf("%s: %w", c.what, err)
			}
			r.Wall, r.CPU, r.Peak = r.Wall+warm.wall, r.CPU+warm.cpu, max(r.Peak, warm.peak)
			r.Figures = append(append(r.Figures, warm.figures(c.what+", warm")...), cold.figures("cold")...)
		}
		return r, nil
	}
}

func (c cost) figures(what string) []figure {
	return []figure{
		{what, 1000 * c.wall, "ms"}, {"CPU", 1000 * c.cpu, "ms"}, {"allocations", float64(c.allocs) / 1000, "k"}, {"peak", float64(c.peak) / 1e6, "MB"},
	}
}

func built(ctx context.Context, f *fleet.Fleet, in []engine.Input, parsed *engine.Cache) ([]*engine.Result, error) {
	spec, err := engine.Open(ctx, f.Tree, engine.Options{Cache: parsed})
	if err != nil {
		return nil, err
	}
	return spec.All(ctx, in)
}

// edited builds a changed fleet warm and cold, and holds the two against each other.
func edited(ctx context.Context, f *fleet.Fleet, before []*engine.Result, parsed *engine.Cache) (warm, cold cost, err error) {
	f.Tree.Digest(".")
	var got, want []*engine.Result
	in := inputs(f)
	for i := range in {
		in[i].Last = before[i]
	}
	if warm, err = costed(func() (err error) { got, err = built(ctx, f, in, parsed); return err }); err != nil {
		return warm, cold, err
	}
	if cold, err = costed(func() (err error) { want, err = built(ctx, f, inputs(f), nil); return err }); err != nil {
		return warm, cold, err
	}
	for i := range want {
		if want[i].Config.Digest() != got[i].Config.Digest() {
			return warm, cold, errors.New(want[i].Host + " is warm not what it is cold")
		}
	}
	return warm, cold, nil
}
