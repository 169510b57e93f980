// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

// Settings of a specification are somebody else's bytes.
func FuzzSettings(f *testing.F) {
	f.Add([]byte("plugins: [Cfg]\npolicy: {mode: report}\n"), []byte("[server]\nplugins = Cfg,\n Rules\n[mdata]\nowner : %(x)s\n"))
	f.Add([]byte("a: &a [*a]"), []byte("[a]\nx = \"\"\"\n%(x)s"))
	f.Fuzz(func(t *testing.T, settings, conf []byte) {
		spec, err := engine.Open(t.Context(), fstest.MapFS{
			"bindery.yaml": {Data: settings},
			"bcfg2.conf":   {Data: conf},
			"Cfg/a/a":      {Data: []byte("a")},
		}, engine.Options{Conf: map[string]map[string]string{"server": {"x": "y"}}})
		require.NoError(t, err)
		require.Contains(t, []string{engine.ModeApply, engine.ModeReport}, spec.Policy().Mode)
	})
}

// Files of a specification are too: whatever they hold, every host has a result.
func FuzzBuild(f *testing.F) {
	for name, file := range good() {
		f.Add(name, file.Data)
	}
	f.Add("Bundler/b.xml", []byte(laughs))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		fsys := good()
		if fsys[name] == nil {
			name = "Metadata/groups.xml"
		}
		fsys[name] = &fstest.MapFile{Data: data}
		spec := open(t, fsys, engine.Options{Clients: []string{"good"}})
		r, err := spec.Build(t.Context(), engine.Input{Host: "good", Probes: map[string]string{"p": string(data)}})
		require.NoError(t, err)
		checkFailures(t, r)
	})
}
