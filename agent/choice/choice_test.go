// SPDX-License-Identifier: Apache-2.0

package choice_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/engine/config"
)

func entry(tag, name string) *config.Entry {
	return config.NewEntry(config.Entry{Tag: tag, Attrs: []config.Attr{{Name: "name", Value: name}}})
}

func TestWhatIsChosen(t *testing.T) {
	web := config.NewBundle("Bundle", []config.Attr{{Name: "name", Value: "web"}}, []*config.Entry{entry("Path", "/etc/web/a:b"), entry("Service", "web")})
	db := config.NewBundle("Bundle", []config.Attr{{Name: "name", Value: "db"}}, []*config.Entry{entry("Path", "/etc/db")})
	keyed := (&config.Config{Bundles: []*config.Bundle{web, db}}).Keyed()
	for name, c := range map[string]struct {
		choice  choice.Choice
		bundles []bool
		entries []bool
		unknown string
	}{
		"all":            {choice.Choice{}, []bool{true, true}, []bool{true, true, true}, ""},
		"one bundle":     {choice.Choice{Bundles: []string{"db"}}, []bool{false, true}, []bool{true, true, true}, ""},
		"all but one":    {choice.Choice{NotBundles: []string{"db"}}, []bool{true, false}, []bool{true, true, true}, ""},
		"entries":        {choice.Choice{Entries: []string{"Path:/etc/w*"}}, []bool{true, false}, []bool{true, false, false}, ""},
		"tags":           {choice.Choice{Entries: []string{"S*:*"}}, []bool{true, false}, []bool{false, true, false}, ""},
		"a colon within": {choice.Choice{Entries: []string{"Path:/etc/web/a:b"}}, []bool{true, false}, []bool{true, false, false}, ""},
		"no such bundle": {choice.Choice{NotBundles: []string{"dbb"}}, []bool{true, true}, []bool{true, true, true}, `bundle "dbb"`},
		"elsewhere":      {choice.Choice{Bundles: []string{"db"}, Entries: []string{"Path:/etc/w*"}}, []bool{false, false}, []bool{true, false, false}, "no bundle that was chosen"},
		"both":           {choice.Choice{Bundles: []string{"db"}, NotBundles: []string{"db"}}, []bool{false, false}, []bool{true, true, true}, "both asked for and left out"},
		"no such entry":  {choice.Choice{Entries: []string{"/etc/db"}}, []bool{false, false}, []bool{false, false, false}, `entry "/etc/db"`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.bundles, []bool{c.choice.Bundle(web), c.choice.Bundle(db)})
			for i, k := range keyed {
				require.Equal(t, c.entries[i], c.choice.Entry(k.Key), k.Key)
			}
			err := c.choice.Check(keyed)
			if c.unknown == "" {
				require.NoError(t, err)
				return
			}
			_, ok := errors.AsType[*choice.Error](err)
			require.True(t, ok, err)
			require.ErrorContains(t, err, c.unknown)
		})
	}
}

// A host that may act upon a list must not act upon anything else when the list is
// lost, and fnmatch crosses slashes as in Bcfg2's client.
func TestDecisionListsKeepEntries(t *testing.T) {
	lists := choice.Lists{Whitelist: [][2]string{{"Path", "/etc/*"}, {"*", "ssh"}}, Blacklist: [][2]string{{"Path", "/etc/a/b"}}}
	for name, c := range map[string]struct {
		choice choice.Choice
		left   map[string]bool
	}{
		"free":           {choice.Choice{Lists: lists}, map[string]bool{"/etc/a/b": false, "/srv": false}},
		"whitelist":      {choice.Choice{Lists: lists, Decision: choice.Whitelist}, map[string]bool{"/etc/a/b": false, "/srv": true, "ssh": false}},
		"blacklist":      {choice.Choice{Lists: lists, Decision: choice.Blacklist}, map[string]bool{"/etc/a/b": true, "/etc/a": false}},
		"whitelist lost": {choice.Choice{Decision: choice.Whitelist}, map[string]bool{"/etc/a": true}},
	} {
		for path, left := range c.left {
			require.Equal(t, left, c.choice.Forbidden("Path", path) != "", "%s %s", name, path)
		}
	}
	require.NoError(t, choice.Whitelist.Validate())
	require.ErrorContains(t, choice.Decision("wihtelist").Validate(), "neither")
}
