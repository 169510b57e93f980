// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

func TestMembershipIsThatOfTheLastBuild(t *testing.T) {
	p := &pipeline{}
	profile, groups := p.membership("a")
	require.Empty(t, profile)
	require.Empty(t, groups)
	p.know(&site{results: map[string]*engine.Result{"a": {Profile: "web", Groups: []string{"debian", "web"}}}})
	profile, groups = p.membership("a")
	require.Equal(t, "web", profile)
	require.Equal(t, []string{"debian", "web"}, groups)
}

func TestEventSettings(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "long"), []byte("sixteen bytes ok\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "short"), []byte("CANARY\n"), 0o600))
	load := func(events string) (*Secrets, error) {
		file := filepath.Join(dir, "controller.yaml")
		require.NoError(t, os.WriteFile(file, []byte("listen: 127.0.0.1:0\nstate: s\nkeys: k\nrepositories: [{name: o/r, url: spec}]\nevents: "+events+"\n"), 0o600))
		s, err := LoadSettings(file)
		if err != nil {
			return nil, err
		}
		return s.LoadSecrets(func(string) string { return "" })
	}
	got, err := load("[{url: https://hooks.example.org/x, secret_file: long}]")
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("sixteen bytes ok")}, got.events)
	for events, want := range map[string]string{
		"[{url: https://hooks.example.org}]":                           "events[0] lacks",
		"[{url: https://CANARY@hooks.example.org, secret_file: long}]": "events[0].url holds a user",
		"[{url: ftp://hooks.example.org, secret_file: long}]":          "events[0].url is not",
		"[{url: https://hooks.example.org, secret_file: short}]":       "less than 16 bytes",
		"[{url: https://hooks.example.org, secret_file: not-there}]":   "events[0].secret_file",
	} {
		_, err := load(events)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "CANARY")
	}
}
