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
