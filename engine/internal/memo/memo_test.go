// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/internal/host"
)

func hostIn(name string, groups ...int) *host.Host {
	set := make(host.Set, 4)
	for _, g := range groups {
		set[g>>6] |= 1 << (g & 63)
	}
	return &host.Host{Membership: &host.Membership{Groups: set}, Name: name}
}

func TestEqualAnswersShareOneValue(t *testing.T) {
	var tree Tree[*string]
	computed := 0
	get := func(h *host.Host) *string {
		return tree.Get(NewView(h), func(v *View) *string {
			computed++
			s := "base"
			if v.InGroup(3) {
				s = "three"
				if v.InGroup(70) {
					s = "three of " + v.Name()
				}
			}
			return &s
		})
	}
	a, b := get(hostIn("a")), get(hostIn("b", 70))
	require.Same(t, a, b, "group 70 was never asked for")
	require.Equal(t, "three", *get(hostIn("a", 3)))
	require.Equal(t, "three of a", *get(hostIn("a", 3, 70)))
	require.Equal(t, "three of b", *get(hostIn("b", 3, 70)))
	require.Same(t, get(hostIn("b", 3)), get(hostIn("c", 3, 5)))
	require.Equal(t, 4, computed)
}

func TestNestedStepsPassOnWhatTheyAsked(t *testing.T) {
	var outer, inner Tree[string]
	get := func(h *host.Host) string {
		return outer.Get(NewView(h), func(v *View) string {
			return "o" + inner.Get(v, func(v *View) string { return fmt.Sprint(v.InGroup(1)) })
		})
	}
	require.Equal(t, "ofalse", get(hostIn("a")))
	require.Equal(t, "otrue", get(hostIn("a", 1)))
	require.Equal(t, "ofalse", get(hostIn("c")))
}

// Any decision over groups and names is remembered right, whatever the order of
// hosts and however many goroutines ask at once.
func TestTreeEqualsComputing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 12).Draw(t, "plan")
		names := NewNames([]string{"h1", "h2"})
		compute := func(v *View) string {
			var out []string
			for i, p := range plan {
				switch {
				case p == 6:
					out = append(out, "among "+v.Among(names))
				case p == 5 && len(out)%2 == 0:
					out = append(out, fmt.Sprint(v.Is("h3")))
				case v.InGroup(p):
					out = append(out, fmt.Sprint(i))
				case p == 0:
					out = append(out, v.Name())
				}
			}
			return strings.Join(out, ",")
		}
		var tree Tree[string]
		var wg sync.WaitGroup
		hosts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *host.Host {
			return hostIn(fmt.Sprintf("h%d", rapid.IntRange(0, 5).Draw(t, "name")), rapid.SliceOf(rapid.IntRange(0, 6)).Draw(t, "groups")...)
		}), 1, 30).Draw(t, "hosts")
		got := make([]string, len(hosts))
		for w := range 2 {
			wg.Go(func() {
				for i := w; i < len(hosts); i += 2 {
					got[i] = tree.Get(NewView(hosts[i]), compute)
				}
			})
		}
		wg.Wait()
		for i, h := range hosts {
			require.Equal(t, compute(NewView(h)), got[i])
		}
	})
}

// What one host alone can have is right, and not kept.
func TestOwnValuesAreNotKept(t *testing.T) {
	names := NewNames([]string{"a", "c"})
	for kind, asks := range map[string]func(v *View) bool{
		"name":  func(v *View) bool { return v.InGroup(1) && v.Name() != "" },
		"is":    func(v *View) bool { return v.Is("a") },
		"among": func(v *View) bool { return v.Among(names) != "" },
	} {
		var outer, inner Tree[string]
		computed := 0
		get := func(h *host.Host) string {
			return outer.Get(NewView(h), func(v *View) string {
				return "o" + inner.Get(v, func(v *View) string {
					computed++
					return fmt.Sprint(asks(v), v.Own(), v.Version(), v.Category("colour"))
				})
			})
		}
		a := hostIn("a", 1)
		a.Client = &host.Client{Version: "1.3.0"}
		a.Categories = map[string]string{"colour": "red"}
		require.Equal(t, "otrue true1.3.0red", get(a), kind)
		require.Equal(t, "otrue true1.3.0red", get(a), kind)
		require.Equal(t, 2, computed, "a value of one host is computed again")
		require.Equal(t, "ofalse false", get(hostIn("b")), kind)
		require.Equal(t, "ofalse false", get(hostIn("b")), kind)
		require.Equal(t, 3, computed, kind)
	}
}
