// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/e2e/machinetest"
)

// TestMachineConverges: what the specification says becomes true, stays true, and
// becomes true again. Each part goes on where the one before ended.
func TestMachineConverges(t *testing.T) { of(t, kinds(), converge) }

func converge(t *testing.T, k kind) {
	e := newEstate(t, k, nil)
	type part struct {
		name string
		do   func(*estate)
	}
	parts := []part{
		{"first run", (*estate).first},
		{"second run", (*estate).second},
		{"drift", (*estate).drift},
		{"paused", (*estate).paused},
		{"report mode", (*estate).reported},
		{"broken", (*estate).broken},
	}
	if k.hasPackages() {
		parts = append(parts, part{"upgrade and downgrade", (*estate).versions})
	}
	for _, part := range parts {
		ok := t.Run(part.name, func(t *testing.T) {
			inner, m := *e, *e.Machine
			m.TB, inner.T, inner.Machine = t, t, &m
			part.do(&inner)
		})
		require.True(t, ok)
	}
}

func (e *estate) first() {
	r := e.apply(0)
	require.Equal(e.T, "clean", r.Report.State)
	require.Equal(e.T, r.Report.Total, r.Report.Good)
	e.converged()
}

// second: nothing is to be done, and nothing but the agent's own books and the
// system's is written: no byte, no mode, no time.
func (e *estate) second() {
	list := func() machinetest.Listing {
		return machinetest.List(e.T, e.Root, machinetest.Aspects{Times: true, Without: append(slices.Clone(books), e.kind.reading...)})
	}
	before := list()
	require.Greater(e.T, len(before), 5000)
	r := e.apply(0)
	require.Equal(e.T, "clean", r.Report.State)
	require.Empty(e.T, r.Report.Modified)
	require.Empty(e.T, before.Differences(list()))
}

// drift is what somebody changed on the machine: it is put right, and called so.
func (e *estate) drift() {
	before := e.list(false, copies...)
	for _, command := range e.kind.spoils {
		e.sh(command)
	}
	require.NotEmpty(e.T, before.Differences(e.list(false, copies...)))
	plan := e.apply(1, "--dry-run")
	require.NotZero(e.T, plan.item(e.T, e.kind.blamed[0], e.kind.blamed[1]).Reason)
	r := e.apply(0)
	require.Equal(e.T, "clean", r.Report.State)
	e.converged()
	require.Empty(e.T, before.Differences(e.list(false, copies...)))
	for _, key := range e.kind.caused {
		i := r.item(e.T, key[0], key[1])
		require.True(e.T, i.Changed, i)
		require.Equal(e.T, "drift", i.Cause, i)
	}
}

// still checks that runs change nothing.
func (e *estate) still(state string, code int) *result {
	e.Helper()
	e.sh(e.kind.disturb)
	before := e.list(true)
	r := e.apply(code)
	require.Equal(e.T, state, r.Report.State)
	require.Empty(e.T, r.Report.Modified)
	require.Empty(e.T, before.Differences(e.list(true)))
	require.Equal(e.T, "as it was left", strings.TrimSpace(e.sh(e.kind.undisturbed+" || echo as it was left")))
	require.Equal(e.T, "incorrect", r.item(e.T, e.kind.blamed[0], e.kind.blamed[1]).State)
	return r
}

func (e *estate) paused() {
	e.Do("bindery-agent", "pause", "--for", "1h", "--reason", "a test")
	e.still("paused", 1)
	e.Do("bindery-agent", "resume")
	e.apply(0)
	e.converged()
}

func (e *estate) reported() {
	settings := e.source("bindery.yaml")
	e.publish(map[string]string{"bindery.yaml": settings + "policy: {mode: report}\n"})
	e.still("dirty", 1)
	e.publish(map[string]string{"bindery.yaml": settings})
	e.apply(0)
	e.converged()
}

// broken: what a package breaks, or a service that does not start, is its own bundle, and
// so is what is not there at all.
func (e *estate) broken() {
	tag := "Service"
	if e.kind.hasPackages() {
		tag = "Package"
	}
	entry := func(name string) string { return strings.ReplaceAll(e.kind.says(e.kind.fragile), "NAME", name) }
	groups, all := e.source("Metadata/groups.xml"), `<Bundle name="uplink"/><Bundle name="broken"/><Bundle name="plain"/>`
	e.publish(map[string]string{
		"Bundler/broken.xml":  "<Bundle>" + entry("broken") + entry("absent") + `<BoundPath name="/srv/beside" type="directory" owner="root" group="root" mode="0755"/></Bundle>`,
		"Bundler/plain.xml":   "<Bundle>" + entry("plain") + "</Bundle>",
		"Metadata/groups.xml": strings.Replace(groups, `<Bundle name="uplink"/>`, all, 1),
	})
	r := e.apply(1)
	require.Equal(e.T, "dirty", r.Report.State)
	require.Len(e.T, r.Report.Bad, 2)
	require.Contains(e.T, r.item(e.T, tag, "broken").Reason, e.kind.breaks)
	require.NotEqual(e.T, "correct", r.item(e.T, tag, "absent").State)
	require.Equal(e.T, "correct", r.item(e.T, tag, "plain").State)
	require.Equal(e.T, "correct", r.item(e.T, "Path", "/srv/beside").State)
	e.converged()

	e.publish(map[string]string{"Bundler/broken.xml": "", "Metadata/groups.xml": strings.Replace(groups, `<Bundle name="uplink"/>`, strings.Replace(all, `<Bundle name="broken"/>`, "", 1), 1)})
	require.Equal(e.T, "clean", e.apply(0).Report.State)
	e.sh(e.kind.mend)
}

// versions: packages go up and down, and services read what came with them.
func (e *estate) versions() {
	rules := e.source("Rules/rules.xml")
	e.publish(map[string]string{"Rules/rules.xml": strings.Replace(rules, e.kind.says(one), e.kind.says(two), 1)})
	started := e.Do("systemctl", "show", "-P", "InvocationID", "app")
	r := e.apply(0)
	require.Equal(e.T, "release", r.item(e.T, "Package", "app").Cause)
	require.Equal(e.T, "2.0", e.reads("/usr/share/app/version"))
	require.NotEqual(e.T, started, e.Do("systemctl", "show", "-P", "InvocationID", "app"))
	e.publish(map[string]string{"Rules/rules.xml": rules})
	e.apply(0)
	require.Equal(e.T, "1.0", e.reads("/usr/share/app/version"))
}
