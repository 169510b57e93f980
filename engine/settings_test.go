// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

func TestParseConf(t *testing.T) {
	for in, want := range map[string]map[string]map[string]string{
		"":                                        {},
		"# c\n; c\n[a]\n":                         {},
		"[Rules]\nRegex: Yes\n":                   {"rules": {"regex": "Yes"}},
		"[a]\nb = c ; comment\nd = e;f # g\n":     {"a": {"b": "c", "d": "e;f # g"}},
		"[a]\nb = \"quoted\" \nc='x'\n":           {"a": {"b": `"quoted"`, "c": "'x'"}},
		"[a]\nb = c,\n  d\n e\n[f]\ng=h\n":        {"a": {"b": "c,\nd\ne"}, "f": {"g": "h"}},
		"[a]\nb=\nc =  x  y  \n":                  {"a": {"b": "", "c": "x  y"}},
		"[a]\nb=1\nb=2\n[A]\nc=3\n":               {"a": {"b": "2", "c": "3"}},
		"[a]\nb = C:\\\nc = 1\n":                  {"a": {"b": `C:\`, "c": "1"}},
		"[packages:yum]\nuse_yum_libraries = 1\n": {"packages:yum": {"use_yum_libraries": "1"}},
		"[a]\r\nb = c\r\n":                        {"a": {"b": "c"}},
	} {
		got, err := engine.ParseConf([]byte(in))
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"[a\nb=c", "[a]\nno option\n"} {
		_, err := engine.ParseConf([]byte(in))
		require.ErrorContains(t, err, "read bcfg2.conf: ")
	}
}

// What bindery.yaml lists is secret, whatever its mode and wherever it comes from.
func TestListedPathsAreSecret(t *testing.T) {
	bundle := `<Bundle>`
	names := []string{"/etc/app/a.key", "/etc/app/a.conf", "/etc/app/private", "/etc/app/private/deep/x", "/etc/apparent/a.key", "/srv/one/private/y"}
	for _, n := range names {
		bundle += `<BoundPath name="` + n + `" type="file" owner="root" group="root" mode="0644">text</BoundPath>`
	}
	tree := fstest.MapFS{
		"bindery.yaml":         {Data: []byte("sensitive: [/etc/app/*.key, /etc/app/private/, /srv/*/private/]\n")},
		"Metadata/clients.xml": {Data: []byte(`<Clients><Client name="h" profile="p"/></Clients>`)},
		"Metadata/groups.xml":  {Data: []byte(`<Groups><Group name="p" profile="true"><Bundle name="b"/></Group></Groups>`)},
		"Bundler/b.xml":        {Data: []byte(bundle + `</Bundle>`)},
	}
	spec, err := engine.Open(t.Context(), tree, engine.Options{})
	require.NoError(t, err)
	r, err := spec.Build(t.Context(), engine.Input{Host: "h"})
	require.NoError(t, err)
	secret := []string{}
	for _, e := range r.Config.Bundles[0].Entries {
		if e.Secret() {
			secret = append(secret, e.Name())
		}
	}
	require.ElementsMatch(t, []string{"/etc/app/a.key", "/etc/app/private/deep/x", "/srv/one/private/y"}, secret)
}
