// SPDX-License-Identifier: Apache-2.0

package host

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func read(groups, clients string) *Metadata {
	fsys := fstest.MapFS{
		GroupsFile:  {Data: []byte("<Groups>" + groups + "</Groups>")},
		ClientsFile: {Data: []byte("<Clients>" + clients + "</Clients>")},
	}
	return Read(fsys, &Vocabulary{})
}

func TestSet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s Set
		model := map[int]bool{}
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 200)).Draw(rt, "numbers") {
			if rapid.Bool().Draw(rt, "add") {
				s.add(n)
				model[n] = true
			} else {
				s.remove(n)
				delete(model, n)
			}
		}
		require.Equal(rt, len(model), s.len())
		last := -1
		s.each(func(n int) {
			require.Greater(rt, n, last)
			require.True(rt, model[n] && s.Has(n))
			last = n
		})
	})
}

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct{ groups, profile, want string }{
		"nothing":                         {``, "p", "p"},
		"default for what has nothing":    {`<Group name="p" profile="true"><Group name="p" negate="true"/></Group><Group name="d" default="true"/>`, "p", "d"},
		"cycle":                           {`<Group name="p"><Group name="a"/></Group><Group name="a"><Group name="b"/></Group><Group name="b"><Group name="a"/></Group>`, "p", "a b p"},
		"a condition is no grant":         {`<Group name="p"><Group name="a"><Group name="b"/></Group></Group>`, "p", "p"},
		"a condition on a later group":    {`<Group name="p"><Group name="a"><Group name="b"/></Group><Group name="c"/></Group><Group name="c"><Group name="a"/></Group>`, "p", "a b c p"},
		"a grant is not taken back":       {`<Group name="p"><Group name="a" negate="true"><Group name="b"/></Group><Group name="a"/></Group>`, "p", "a b p"},
		"a leaf that takes away":          {`<Group name="p"><Group name="a"/><Group name="b"/></Group><Group name="b"><Group name="a" negate="true"/></Group>`, "p", "b p"},
		"the first of a category":         {`<Group name="p"><Group name="b"/><Group name="a"/></Group><Group name="a" category="c"/><Group name="b" category="c"/>`, "p", "b p"},
		"a category of the profile":       {`<Group name="p" category="c"><Group name="a"/></Group><Group name="a" category="c"/>`, "p", "p"},
		"a client condition":              {`<Group name="p"><Client name="h"><Group name="a"/></Client><Client name="H"><Group name="b"/></Client></Group>`, "p", "a p"},
		"every definition gives its leaf": {`<Group name="p"><Group name="a"/></Group><Group name="p"><Group name="b"/></Group>`, "p", "a b p"},
	} {
		t.Run(name, func(t *testing.T) {
			h, refused := read(c.groups, `<Client name="h" profile="`+c.profile+`"/>`).Resolve("h", "")
			require.Nil(t, refused)
			require.Equal(t, c.want, strings.Join(h.Names, " "))
		})
	}
}

func TestBundlesAreThoseOfTheDefiningElement(t *testing.T) {
	h, refused := read(`<Group name="p" profile="true"><Group name="n"/><Bundle name="b"/></Group>
		<Group name="p"><Bundle name="lost"/></Group>
		<Group name="x"><Group name="n"><Bundle name="also lost"/></Group></Group>`, `<Client name="h" profile="p"/>`).Resolve("H", "")
	require.Nil(t, refused)
	require.Equal(t, []string{"b"}, h.Bundles)
	require.Equal(t, "p", h.Profile)
}

func TestAssertedProfiles(t *testing.T) {
	m := read(`<Group name="open" profile="true" public="true"/><Group name="closed" profile="true"/>`, `<Client name="h" profile="closed"/>`)
	h, refused := m.Resolve("h", "open")
	require.Nil(t, refused)
	require.Equal(t, "open", h.Profile)
	for _, profile := range []string{"closed", "nowhere"} {
		_, refused = m.Resolve("h", profile)
		require.Equal(t, "profile-not-public", refused.Code)
	}
	_, refused = m.Resolve("unknown", "")
	require.Equal(t, "unknown-host", refused.Code)
	for _, name := range []string{"", ".", "..", "a/b", "a b", "a\x00b", "a\nb", `a\b`, strings.Repeat("a", 300)} {
		_, refused = m.Resolve(name, "open")
		require.Equal(t, "bad-host-name", refused.Code, name)
	}
}

func TestExtend(t *testing.T) {
	m := read(`<Group name="p" profile="true" category="role"><Bundle name="p"/></Group>
		<Group name="web"><Group name="by-web"/><Group name="p" negate="true"/></Group>
		<Group name="role" category="role"/>`, `<Client name="h" profile="p"/>`)
	h, refused := m.Resolve("h", "")
	require.Nil(t, refused)
	before := h.Membership
	m.Extend(h, nil)
	require.Same(t, before, h.Membership)
	m.Extend(h, []Grant{{Group: "role"}, {Group: "web"}, {Group: "other"}, {Group: "web"}, {}})
	require.Equal(t, []string{"by-web", "other", "web"}, h.Names)
	require.Equal(t, []string{"p"}, h.Bundles)
	require.NotSame(t, before, h.Membership)
	require.Equal(t, []string{"p"}, before.Names)
}

// A category that a connector gives counts for a group which groups.xml does not
// define, for every later one, and in what templates see.
func TestExtendDefinesGroups(t *testing.T) {
	m := read(`<Group name="p" profile="true" category="role"/><Group name="d" category="size"/>`, `<Client name="h" profile="p"/>`)
	h, refused := m.Resolve("h", "")
	require.Nil(t, refused)
	m.Extend(h, []Grant{{Group: "new", Category: "disk"}, {Group: "role-2", Category: "role"}, {Group: "d", Category: "disk"}})
	m.Extend(h, []Grant{{Group: "late", Category: "disk"}, {Group: "new", Category: "role"}})
	require.Equal(t, []string{"d", "new", "p"}, h.Names)
	require.Equal(t, map[string]string{"role": "p", "disk": "new", "size": "d"}, h.Categories)
	var codes []string
	for _, p := range h.Findings() {
		codes = append(codes, p.Code)
	}
	require.ElementsMatch(t, []string{"category-conflict", "category-conflict", "predefined-group"}, codes)
}

// Without any profile, the default becomes the profile once a connector was asked.
func TestExtendGivesADefaultProfile(t *testing.T) {
	m := read(`<Group name="d" default="true" profile="true"/>`, `<Client name="h" profile="nowhere"/>`)
	h, refused := m.Resolve("h", "")
	require.Nil(t, refused)
	require.Empty(t, h.Profile)
	m.Extend(h, nil)
	require.Equal(t, "d", h.Profile)
	require.Equal(t, []string{"nowhere"}, h.Names)
}
