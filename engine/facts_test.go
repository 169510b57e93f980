// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

func TestParseFacts(t *testing.T) {
	got, err := engine.ParseFacts([]byte(`{
		"old": {"arch": "x\n", "FileProbes:/a": "y"},
		"none": {}, "waits": {"external": {"Ldap": {"a":1}, "PuppetENC": []}},
		"named": {"external": "a probe of that name"}}`))
	require.NoError(t, err)
	require.Equal(t, map[string]engine.Facts{
		"old":   {Probes: map[string]string{"arch": "x\n", "FileProbes:/a": "y"}},
		"none":  {Probes: map[string]string{}},
		"waits": {External: map[string]string{"Ldap": `{"a":1}`, "PuppetENC": "[]"}},
		"named": {Probes: map[string]string{"external": "a probe of that name"}},
	}, got)
	for in, want := range map[string]string{
		"[]":                       "read facts: ",
		`{"h": []}`:                "read facts: ",
		`{"h": {"p": 7}}`:          `host h: the answer "p" is no text`,
		`{"h": {"Ldap": {}}}`:      `host h: the answer "Ldap" is no text`,
		`{"h": {"external": [1]}}`: `host h: the answer "external" is no text`,
	} {
		_, err := engine.ParseFacts([]byte(in))
		require.ErrorContains(t, err, want, in)
	}
}

// Facts that are written are read as they were; redacted ones keep groups and equality
// and nothing else.
func TestFormatAndRedactFacts(t *testing.T) {
	facts := map[string]engine.Facts{
		"a": {
			Probes: map[string]string{"os": "group:linux\nCANARY\ngroup: web:late\n", "none": "", "same": "CANARY\n"},
			External: map[string]string{
				"PuppetENC": `{"classes":["web","db"],"parameters":{"password":"CANARY","port":4711,"on":true}}`,
				"Probes":    `{"groups":["g"],"answers":{"os":"group:x\nCANARY"}}`,
			},
		},
		"b": {Probes: map[string]string{"same": "CANARY\n"}},
		"c": {Probes: map[string]string{}},
	}
	data, err := engine.FormatFacts(facts)
	require.NoError(t, err)
	back, err := engine.ParseFacts(data)
	require.NoError(t, err)
	require.Equal(t, facts, back)

	key := []byte("0123456789abcdef")
	got, err := engine.RedactFacts(facts, key)
	require.NoError(t, err)
	data, err = engine.FormatFacts(got)
	require.NoError(t, err)
	require.NotContains(t, string(data), "CANARY")
	require.NotContains(t, string(data), "4711")
	require.Regexp(t, `^group:linux\ngroup:web\nredacted-[0-9a-f]{16}\n$`, got["a"].Probes["os"])
	require.Empty(t, got["a"].Probes["none"])
	require.Equal(t, got["a"].Probes["same"], got["b"].Probes["same"])
	require.NotNil(t, got["c"].Probes)
	require.Contains(t, got["a"].External["PuppetENC"], `"classes":["web","db"]`)
	require.Contains(t, got["a"].External["PuppetENC"], `"on":true`)
	require.Contains(t, got["a"].External["Probes"], `"groups":["g"]`)
	other, err := engine.RedactFacts(facts, []byte("another key, 16b"))
	require.NoError(t, err)
	require.NotEqual(t, got["b"], other["b"])
	_, err = engine.RedactFacts(map[string]engine.Facts{"a": {External: map[string]string{"Ldap": "CANARY"}}}, key)
	require.ErrorContains(t, err, "what Ldap knows of a")
	require.NotContains(t, err.Error(), "CANARY")
}
