// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/config"
)

// drawConfig draws a configuration of few names, so that the same name stands in
// several structures and several times in one, and of few structures, that others
// may share.
func drawConfig(t *rapid.T) *config.Config {
	letter := rapid.SampledFrom([]string{"a", "b", "c"})
	c := &config.Config{Host: "h"}
	for range rapid.IntRange(0, 4).Draw(t, "bundles") {
		var entries []*config.Entry
		for range rapid.IntRange(0, 2).Draw(t, "entries") {
			entries = append(entries, config.NewEntry(config.Entry{
				Tag: rapid.SampledFrom([]string{"Path", "Package"}).Draw(t, "tag"), Text: letter.Draw(t, "text"),
				Attrs: []config.Attr{{Name: "name", Value: letter.Draw(t, "name")}},
			}))
		}
		attrs := []config.Attr{{Name: "name", Value: letter.Draw(t, "bundle")}}
		if rapid.Bool().Draw(t, "more") {
			attrs = append(attrs, config.Attr{Name: "of", Value: letter.Draw(t, "attribute")})
		}
		c.Bundles = append(c.Bundles, config.NewBundle("Bundle", attrs, entries))
	}
	slices.SortStableFunc(c.Bundles, func(a, b *config.Bundle) int { return len(a.Name()) - len(b.Name()) })
	return c
}

// entryChanges compares entry by entry and leaves nothing out.
func entryChanges(base, head *config.Config) (out []string) {
	now := map[config.Key]config.Keyed{}
	for _, k := range head.Keyed() {
		now[k.Key] = k
	}
	for _, o := range base.Keyed() {
		n, there := now[o.Key]
		delete(now, o.Key)
		switch {
		case !there:
			out = append(out, fmt.Sprint(o.Key, " removed"))
		case o.Entry.Digest() != n.Entry.Digest():
			out = append(out, fmt.Sprint(o.Key, " modified"))
		case o.Bundle.Name() != n.Bundle.Name():
			out = append(out, fmt.Sprint(o.Key, " moved"))
		}
	}
	for _, n := range head.Keyed() {
		if _, left := now[n.Key]; left {
			out = append(out, fmt.Sprint(n.Key, " added"))
		}
	}
	return out
}

// What is left out because both sides have it changes no other entry's key.
func TestDiffLooksAtWhatDiffers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		base, head := drawConfig(rt), drawConfig(rt)
		for _, b := range base.Bundles {
			if rapid.Bool().Draw(rt, "shared") {
				head.Bundles = append(head.Bundles, b)
			}
		}
		var got []string
		for _, c := range config.Diff(base, head) {
			if c.Old != nil || c.New != nil {
				got = append(got, fmt.Sprint(c.Key, " ", c.Kind))
			}
		}
		require.Equal(rt, entryChanges(base, head), got)
	})
}
