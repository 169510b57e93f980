// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	_ "time/tzdata" // as agents have it

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

func withSettings(t *testing.T, text string) *engine.Spec {
	t.Helper()
	spec, err := engine.Open(t.Context(), fstest.MapFS{
		"bindery.yaml":         {Data: []byte(text)},
		"Metadata/groups.xml":  {Data: []byte(`<Groups><Group name="basic" profile="true" public="true" default="true"><Bundle name="b"/></Group><Group name="old"/></Groups>`)},
		"Metadata/clients.xml": {Data: []byte(`<Clients><Client name="web1" profile="basic"/></Clients>`)},
		"Bundler/b.xml":        {Data: []byte(`<Bundle name="b"/>`)},
	}, engine.Options{})
	require.NoError(t, err)
	return spec
}

func TestPolicy(t *testing.T) {
	spec := withSettings(t, `
policy:
  report: {hosts: [WEB1], groups: [old], bundles: [b]}
  removal: {max: 7, percent: 50}
  confirm: 5m
  health:
    b: {grace: 1m, checks: [{unit: nginx.service}, {tcp: "localhost:80"}, {http: "http://localhost/", status: 204}, {command: [/bin/true, x]}]}
`)
	require.Empty(t, spec.Problems())
	p := spec.Policy()
	require.Equal(t, engine.ModeApply, p.Mode)
	require.Equal(t, 5*time.Minute, p.Confirm)
	require.Equal(t, engine.Removal{Max: 7, Percent: 50}, p.Removal)
	require.Equal(t, time.Minute, p.Health["b"].Grace)
	require.Len(t, p.Health["b"].Checks, 4)
	for _, c := range []struct {
		host   string
		groups []string
		mode   string
	}{
		{"web1", nil, engine.ModeReport}, {"web2", []string{"basic"}, engine.ModeApply}, {"web2", []string{"basic", "old"}, engine.ModeReport},
	} {
		one := p.For(c.host, c.groups)
		require.Equal(t, c.mode, one.Mode, c)
		require.Equal(t, []string{"b"}, one.Report.Bundles)
		require.Empty(t, one.Report.Hosts, "a host is not told of others")
	}
}

// A host is told of its own windows and its own pace, and not of whom else they are
// about.
func TestPolicyTimes(t *testing.T) {
	spec := withSettings(t, `
policy:
  windows:
  - {groups: [old], days: [sat, sun], from: "22:00", to: "04:00", timezone: Europe/Berlin}
  - {hosts: [web1], from: "09:00", to: "10:00"}
  schedule: [{hosts: [web1], every: 1h}, {every: 15m}]
`)
	require.Empty(t, spec.Problems())
	night := engine.Window{Days: []string{"sat", "sun"}, From: "22:00", To: "04:00", Timezone: "Europe/Berlin"}
	hour := engine.Window{From: "09:00", To: "10:00"}
	for _, c := range []struct {
		host, group string
		windows     []engine.Window
		every       time.Duration
	}{
		{"WEB1", "old", []engine.Window{night, hour}, time.Hour}, {"web1", "basic", []engine.Window{hour}, time.Hour},
		{"web2", "old", []engine.Window{night}, 15 * time.Minute}, {"web2", "basic", nil, 15 * time.Minute},
	} {
		p := spec.Policy().For(c.host, []string{c.group})
		require.Equal(t, c.windows, p.Windows)
		require.Equal(t, []engine.Pace{{Every: c.every}}, p.Schedule)
	}
	p := withSettings(t, "policy: {schedule: [{hosts: [web1], every: 1h}]}").Policy()
	require.Empty(t, p.For("web2", nil).Schedule)
}

func TestPolicyRefused(t *testing.T) {
	for text, want := range map[string]string{
		"mode: maybe":                            `policy.mode is "maybe"`,
		"removal: {max: -2}":                     "policy.removal.max is -2",
		"removal: {percent: 101}":                "policy.removal.percent is 101",
		"confirm: 1s":                            "policy.confirm is 1s",
		"windows: [{from: '9:00', to: '10:00'}]": "policy.windows[0]: from and to are no times",
		"windows: [{days: [someday], from: '09:00', to: '10:00'}]":         `"someday" is no day`,
		"windows: [{from: '09:00', to: '10:00', timezone: '../../etc'}]":   `"../../etc" is no time zone`,
		"windows: [{from: '09:00', to: '10:00', timezone: Europe/Berlim}]": `"Europe/Berlim" is no time zone`,
		"windows: [{from: '09:00', to: '10:00', timezone: Local}]":         `"Local" is no time zone`,
		"schedule: [{every: 1s}]":                                          "policy.schedule[0].every is 1s",
		"health: {b: {}}":                                                  "policy.health.b has no checks",
		"health: {b: {grace: 9h, checks: [{unit: x}]}}":                    "policy.health.b.grace is 9h",
		"health: {b: {checks: [{}]}}":                                      "asks 0 things",
		"health: {b: {checks: [{unit: x, tcp: 'h:1'}]}}":                   "asks 2 things",
		"health: {b: {checks: [{unit: --x}]}}":                             "no name of one",
		"health: {b: {checks: [{tcp: h}]}}":                                "not host:port",
		"health: {b: {checks: [{http: 'ftp://x'}]}}":                       "no plain address",
		"health: {b: {checks: [{http: 'http://u:p@x/'}]}}":                 "no plain address",
		"health: {b: {checks: [{unit: x, status: 200}]}}":                  "status 200",
		"health: {b: {checks: [{command: [true]}]}}":                       "begin with a slash",
	} {
		spec := withSettings(t, "policy: {"+text+"}\n")
		require.NotEmpty(t, spec.Problems(), text)
		require.Contains(t, spec.Problems()[0].Error(), want)
		require.Equal(t, engine.ModeReport, spec.Policy().Mode, "the careful meaning is that nothing is applied")
	}
}

// What the engine takes for a time zone is one for agents, which bring the same.
func TestTimeZones(t *testing.T) {
	data, err := os.ReadFile("zones.txt")
	require.NoError(t, err)
	names := strings.Fields(string(data))
	require.True(t, slices.IsSorted(names))
	require.Subset(t, names, []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"})
	for _, name := range names {
		_, err := time.LoadLocation(name)
		require.NoError(t, err)
	}
}

// A name that nobody has is told with its line: what it was meant to keep from harm
// would go without.
func TestPolicyNamesThatNobodyKnows(t *testing.T) {
	for text, want := range map[string]string{
		"  report:\n    hosts: [web1, web9]":                       `bindery.yaml:3:19: policy.report.hosts: nobody knows "web9"`,
		"  report:\n    groups:\n    - basic\n    - nobody":        `bindery.yaml:5:7: policy.report.groups: nobody knows "nobody"`,
		"  windows: [{hosts: [web9], from: '09:00', to: '10:00'}]": `bindery.yaml:2:22: policy.windows.hosts: nobody knows "web9"`,
		"  schedule: [{groups: [new], every: 1h}]":                 `bindery.yaml:2:24: policy.schedule.groups: nobody knows "new"`,
		"  report: {bundles: [b, kernel]}":                         `bindery.yaml:2:25: policy.report.bundles: nobody knows "kernel"`,
		"  health:\n    a.b: {checks: [{unit: a}]}":                `bindery.yaml:3:5: policy.health: nobody knows "a.b"`,
		"  health:\n    b: {checks: [{unit: a}]}":                  "",
		"  report: &r {bundles: [b]}\n  health: {<<: {}}":          "",
	} {
		spec := withSettings(t, "policy:\n"+text+"\n")
		if want == "" {
			require.Empty(t, spec.Problems(), text)
			continue
		}
		require.Len(t, spec.Problems(), 1, text)
		require.Contains(t, spec.Problems()[0].Error(), want)
	}
}
