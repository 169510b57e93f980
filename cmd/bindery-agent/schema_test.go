// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/internal/reference"
)

// runSchema is made of the types of a result.
func runSchema() (huma.Registry, *huma.Schema) {
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	root := registry.Schema(reflect.TypeFor[result](), false, "Result")
	states := registry.Map()["Line"].Properties["state"]
	for _, s := range []driver.State{driver.Correct, driver.Incorrect, driver.Missing, driver.NotVerified} {
		states.Enum = append(states.Enum, string(s))
	}
	states.PrecomputeMessages()
	return registry, root
}

// statusSchema is made of the types of a status.
func statusSchema() (huma.Registry, *huma.Schema) {
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	root := registry.Schema(reflect.TypeFor[status](), false, "Status")
	for name, property := range map[string]string{"Ran": "state", "Report": "state"} {
		states := registry.Map()[name].Properties[property]
		for _, s := range []release.RunState{
			release.StateClean, release.StateDirty, release.StateWaiting, release.StateFailed, release.StateRolledBack, release.StatePaused,
		} {
			states.Enum = append(states.Enum, string(s))
		}
		states.PrecomputeMessages()
	}
	return registry, root
}

// published compares a schema with what is in the reference.
func published(t *testing.T, registry huma.Registry, root *huma.Schema, file, title string) {
	t.Helper()
	data, err := json.Marshal(root)
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(data, &out))
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["title"] = title
	out["$defs"] = registry.Map()
	text, err := json.MarshalIndent(out, "", "  ")
	require.NoError(t, err)
	require.NoError(t, reference.Check("../../docs/reference/"+file, append(text, '\n')))
}

// The schemas that are published are those of the types.
func TestReferenceSchemas(t *testing.T) {
	registry, root := runSchema()
	published(t, registry, root, "run.schema.json", "What bindery-agent run --once and plan write with --format json")
	registry, root = statusSchema()
	published(t, registry, root, "status.schema.json", "What bindery-agent status --json writes")
}

// What the status writes for programs follows the schema, from a host that has not run
// yet to one with all that can be told.
func TestStatusFollowsTheSchema(t *testing.T) {
	registry, root := statusSchema()
	check := func(data []byte) []error {
		var v any
		require.NoError(t, json.Unmarshal(data, &v))
		var res huma.ValidateResult
		huma.Validate(registry, root, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, &res)
		return res.Errors
	}
	at := time.Unix(1, 0).UTC()
	items := []release.Item{{Key: config.Key{Tag: "Path", Name: "/f", Type: "file"}, Bundle: "b", Reason: "r", Cause: agent.CauseDrift}}
	full := status{Next: &nextRun{At: at, Latest: at, Why: "window", Schedule: "@hourly", Timezone: "UTC"}, Silence: &silence{Since: at, For: time.Hour, Due: 3, Reason: "r"}, Status: &agent.Status{
		Enrolment: agent.Enrolment{Host: "h", HostID: "i", URL: "u", Time: at}, Agent: "1", Now: at, ReleaseError: "r",
		Release: &agent.Force{Sequence: 1, Commit: "c", Tree: "t", ConfigDigest: "d", PolicyDigest: "d", ProbeDigest: "d", Sealed: "s", Root: 1,
			Verified: at, Expires: at, Waiting: true, Mode: release.ModeReport, ModeSince: at, Confirm: time.Second},
		LastRun: &agent.Ran{Run: 1, Undoes: 1, Boot: "b", State: release.StateRolledBack, Error: "e", Flags: []string{"quick"}, Contact: at, NoContact: "n", NoFacts: "n"},
		Report:  &release.Report{Mode: release.ModeReport, State: release.StateDirty, Bad: items, StaleFacts: []release.StaleFact{{Probe: "p", Since: at, Reason: "r"}}},
		Paused:  &agent.Paused{Since: at, Until: at, Reason: "r", Torn: true}, Held: &agent.Held{Since: at, Reason: "r", Torn: true},
		Unconfirmed: &agent.Unconfirmed{Run: 1, Within: time.Second, Until: at, Boot: "b", Agent: 1, TakingBack: true}, Running: 1, Killed: 1, Unsent: 1, Lost: &agent.Lost{Reports: 1, Last: at, Reason: "r"},
		Clock: &agent.Skew{Floor: at, Behind: time.Second}, Windows: []release.Window{{Days: []string{"mon"}, From: "a", To: "b", Timezone: "UTC"}}, Open: true,
	}}
	for _, st := range []status{full, {Status: &agent.Status{}}} {
		data, err := json.Marshal(st)
		require.NoError(t, err)
		require.Empty(t, check(data), "%s", data)
		var out bytes.Buffer
		require.NoError(t, writeStatus(&out, &st))
	}
	full.LastRun.State = "rolled back"
	data, err := json.Marshal(full)
	require.NoError(t, err)
	require.NotEmpty(t, check(data))
	require.NotEmpty(t, check([]byte(`{"host": 1}`)))
}

// What a run writes for programs follows the schema; what does not is told.
func TestRunFollowsTheSchema(t *testing.T) {
	registry, root := runSchema()
	check := func(data []byte) []error {
		var v any
		require.NoError(t, json.Unmarshal(data, &v))
		var res huma.ValidateResult
		huma.Validate(registry, root, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, &res)
		return res.Errors
	}
	key := config.Key{Tag: "Path", Name: "/f", Type: "file"}
	items := []release.Item{{Key: key, Bundle: "b", Reason: "r"}}
	full := agent.Result{
		Report: release.Report{
			Mode: release.ModeReport, ModeSince: time.Unix(1, 0), Reported: []release.Reported{{Bundle: "b", Since: time.Unix(1, 0)}}, Started: time.Unix(1, 0), Finished: time.Unix(2, 0), State: release.StateDirty, Flags: []string{"quick"},
			Phases: []release.Span{{Name: "fetch", Milliseconds: 3}}, Bad: items, Modified: items, Extra: items, NotVerified: items,
		},
		Lines:   []agent.Line{{Key: key, Bundle: "b", State: driver.Missing, Reason: "r", Unverified: []string{"owner"}, Extra: []string{"x"}, Changed: true, Was: "w", Diff: "d", Due: "d"}},
		Surplus: []agent.Surplus{{Surplus: driver.Surplus{Kind: driver.Kind{Tag: "Package", Type: "deb"}, Name: "n", What: "1"}, Failed: true, Reason: "r"}},
		Waiting: true, Fetch: errors.New("away"),
	}
	for _, r := range []*agent.Result{&full, {Lines: []agent.Line{}}} {
		var out bytes.Buffer
		require.NoError(t, (&display{}).viewer(streams{Out: &out}, "json", false).result(r))
		require.Empty(t, check(out.Bytes()), out.String())
	}
	require.NotEmpty(t, check([]byte(`{"entries": 1}`)))
}
