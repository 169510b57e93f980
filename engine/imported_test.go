// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

func TestParseProbed(t *testing.T) {
	want := map[string]string{"web1": `{"groups":["z","a"],"answers":{"os":"Linux\n"}}`, "web2": `{"groups":["a"]}`}
	for _, in := range []string{
		`<Properties><Client name="WEB1" timestamp="1"><Group name="z"/><Probe name="os" value="Linux&#10;"/><Group name="a"/></Client><Client name="web2"><Group name="a"/></Client><Client name="none"/></Properties>`,
		`[{"model": "Server.probesdatamodel", "pk": 1, "fields": {"hostname": "web1", "probe": "os", "data": "Linux\n"}},
		  {"model": "probes.ProbesGroupsModel", "fields": {"hostname": "web1", "group": "z"}}, {"model": "auth.user", "fields": {}},
		  {"model": "probes.probesgroupsmodel", "fields": {"hostname": "web1", "group": "a"}}, {"model": "probes.probesgroupsmodel", "fields": {"hostname": "web2", "group": "a"}}]`,
	} {
		hosts, err := engine.ParseProbed([]byte(in))
		require.NoError(t, err)
		got, err := hosts.External()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for in, want := range map[string]string{
		"<a": "read probed.xml", "<Properties/>": "no Client", "[": "read dump", `[{"model": "auth.user"}]`: "no row",
	} {
		_, err := engine.ParseProbed([]byte(in))
		require.ErrorContains(t, err, want, in)
	}
}

func TestParseExternal(t *testing.T) {
	got, err := engine.ParseExternal([]byte("WEB1:\n  classes: [a, b]\n  parameters: {n: 1}\nweb2: {}\n"))
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.JSONEq(t, `{"classes": ["a", "b"], "parameters": {"n": 1}}`, got["web1"])
	got, err = engine.ParseExternal([]byte(`{"h": [{"classes": {"x": null}}]}`))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"h": `[{"classes": {"x": null}}]`}, got)
	for in, want := range map[string]string{
		"": "read data", "[]": "no mapping", "a: [": "neither", "{}": "no host", "h: CANARY": "is no mapping", "h: null": "is no mapping",
	} {
		_, err := engine.ParseExternal([]byte(in))
		require.ErrorContains(t, err, want, in)
		require.NotContains(t, err.Error(), "CANARY")
	}
}
