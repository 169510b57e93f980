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

// The schema that is published is that of the types.
func TestReferenceRunSchema(t *testing.T) {
	registry, root := runSchema()
	data, err := json.Marshal(root)
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(data, &out))
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["title"] = "What bindery-agent run --once and plan write with --format json"
	out["$defs"] = registry.Map()
	text, err := json.MarshalIndent(out, "", "  ")
	require.NoError(t, err)
	require.NoError(t, reference.Check("../../docs/reference/run.schema.json", append(text, '\n')))
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
		Lines:   []agent.Line{{Key: key, Bundle: "b", State: driver.Missing, Reason: "r", Unverified: []string{"owner"}, Extra: []string{"x"}, Changed: true, Was: "w", Diff: "d"}},
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
