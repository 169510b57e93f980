// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

// counted is a tree that counts what is read of it.
type counted struct {
	*fleet.Tree
	mu   sync.Mutex
	read map[string]int
	// reading comes before each; nil: nothing does.
	reading func(name string)
}

func (c *counted) note(name string) {
	if c.reading != nil {
		c.reading(name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil {
		c.read = map[string]int{}
	}
	c.read[name]++
}

// Open is for folders, and for the beginnings of files.
func (c *counted) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "SSHbase/") {
		c.note(name)
	}
	return c.Tree.Open(name)
}

func (c *counted) ReadFile(name string) ([]byte, error) {
	c.note(name)
	return fs.ReadFile(c.Tree, name)
}

// below counts the files below a folder that were read.
func (c *counted) below(folder string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.read {
		if strings.HasPrefix(name, folder) && strings.Contains(strings.TrimPrefix(name, folder), ".") {
			n++
		}
	}
	return n
}

// Two changes of one base: each of them parses, renders and reads only what it
// touches, in whichever order they are looked at.
func TestTheSecondChangeOfABasePaysForWhatItTouches(t *testing.T) {
	f, err := fleet.New(fleet.Options{Hosts: 12, Seed: 1, Templates: true, SSHKeys: true})
	require.NoError(t, err)
	parsed := engine.NewCache(engine.CacheSize)
	build := func(tree *fleet.Tree, last []*engine.Result) (*counted, []*engine.Result, string) {
		c := &counted{Tree: tree}
		spec := open(t, c, engine.Options{Cache: parsed})
		in := make([]engine.Input, len(f.Hosts))
		for i, h := range f.Hosts {
			in[i].Host = h
			if last != nil {
				in[i].Last = last[i]
			}
		}
		results, err := spec.All(t.Context(), in)
		require.NoError(t, err)
		return c, results, linted(t, spec)
	}
	all, base, said := build(f.Tree, nil)
	require.Greater(t, all.below("Cfg/"), 20)
	require.Greater(t, all.below("Bundler/"), 20)
	require.Greater(t, all.below("SSHbase/"), 12)
	require.NotZero(t, all.read["Metadata/clients.xml"])

	var templates, bundles []string
	for _, b := range base[0].Config.Bundles {
		bundles = append(bundles, "Bundler/"+b.Name()+".xml")
		for _, e := range b.Entries {
			if strings.HasSuffix(e.BoundAt.File, ".genshi") {
				templates = append(templates, e.BoundAt.File)
			}
		}
	}
	require.GreaterOrEqual(t, len(templates), 2)
	changes := []string{templates[0], templates[1], bundles[0]}
	for _, name := range changes {
		data := slices.Clone(f.Tree.Files()[name])
		if strings.HasSuffix(name, ".xml") {
			data = append(data, "<!-- changed -->\n"...)
		} else {
			data = append(data, "changed\n"...)
		}
		c, results, again := build(f.Replace(name, data).Tree, base)
		require.NotZero(t, c.read[name])
		require.LessOrEqual(t, c.below("Bundler/")+c.below("Metadata/"), 1, name)
		require.Zero(t, c.below("SSHbase/"), name)
		require.Equal(t, said, again, "no finding is lost")
		made := 0
		for i := range results {
			was := map[any]bool{}
			for _, b := range base[i].Config.Bundles {
				was[b] = true
			}
			for _, b := range results[i].Config.Bundles {
				if !was[b] {
					made++
				}
			}
		}
		require.LessOrEqual(t, made, len(f.Hosts), name)
		cold := open(t, f.Replace(name, data).Tree, engine.Options{})
		for i, h := range f.Hosts[:3] {
			want, err := cold.Build(t.Context(), engine.Input{Host: h})
			require.NoError(t, err)
			require.Equal(t, whole(want), whole(results[i]))
		}
	}
}

// Specifications that are read at once may share what they parse, and what is parsed
// for one is not changed by another.
func TestCacheIsSharedAtOnce(t *testing.T) {
	f, err := fleet.New(fleet.Options{Hosts: 10, Seed: 2, Templates: true, SSHKeys: true})
	require.NoError(t, err)
	f.Tree.Digest(".")
	parsed := engine.NewCache(engine.CacheSize)
	want := ""
	for range 2 {
		said := make([]string, 4)
		var wg sync.WaitGroup
		for i := range said {
			wg.Go(func() {
				spec, err := engine.Open(t.Context(), f.Tree, engine.Options{Cache: parsed})
				if err != nil {
					said[i] = err.Error()
					return
				}
				var b strings.Builder
				for _, h := range f.Hosts {
					r, err := spec.Build(t.Context(), engine.Input{Host: h})
					if err != nil {
						said[i] = err.Error()
						return
					}
					b.WriteString(whole(r))
				}
				found, err := spec.Lint(t.Context())
				if err != nil {
					said[i] = err.Error()
					return
				}
				for _, p := range found {
					b.WriteString(p.Error())
				}
				said[i] = b.String()
			})
		}
		wg.Wait()
		if want == "" {
			want = said[0]
		}
		for _, s := range said {
			require.Equal(t, want, s)
		}
	}
	require.Positive(t, parsed.Size())
}
