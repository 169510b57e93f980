// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
)

func TestExternalData(t *testing.T) {
	s, _, _ := newStore(t)
	ctx := t.Context()
	changed, err := s.PutExternal(ctx, "alice", "PuppetENC", map[string]string{"a": `{"classes":["x"]}`, "b": `{}`}, false)
	require.NoError(t, err)
	require.Equal(t, 2, changed)
	changed, err = s.PutExternal(ctx, "alice", "Ldap", map[string]string{"a": `{"secret":"CANARY"}`}, true)
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	changed, err = s.PutExternal(ctx, "bob", "PuppetENC", map[string]string{"a": `{"classes":["x"]}`, "c": `[]`}, true)
	require.NoError(t, err)
	require.Equal(t, 2, changed) // c came, b went

	all, err := s.AllExternal(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]map[string]string{
		"a": {"PuppetENC": `{"classes":["x"]}`, "Ldap": `{"secret":"CANARY"}`}, "c": {"PuppetENC": `[]`},
	}, all)
	trail, err := s.AuditTrail(ctx, 10)
	require.NoError(t, err)
	require.Len(t, trail, 3)
	require.Equal(t, "bob", trail[0].Actor)
	require.Equal(t, "facts-imported", trail[0].Action)
	for _, r := range trail {
		require.NotContains(t, r.Detail, "CANARY")
	}
}

// Both names that Bcfg2's tables have had, and a database that is neither.
func TestReadProbes(t *testing.T) {
	ctx := t.Context()
	for _, prefix := range []string{"Server_", "probes_"} {
		path := filepath.Join(t.TempDir(), "a b%20?.sqlite")
		db, err := sql.Open("sqlite", filepath.Join(filepath.Dir(path), "made"))
		require.NoError(t, err)
		for _, q := range []string{
			`CREATE TABLE "` + prefix + `probesdatamodel" (id INTEGER PRIMARY KEY, hostname TEXT, probe TEXT, timestamp TEXT, data TEXT)`,
			`CREATE TABLE "` + prefix + `probesgroupsmodel" (id INTEGER PRIMARY KEY, hostname TEXT, "group" TEXT)`,
			`CREATE TABLE other (a TEXT)`,
			`INSERT INTO ` + prefix + `probesdatamodel VALUES (1, 'web1', 'os', '2014', 'Linux'), (2, 'web1', 'arch', '2014', NULL)`,
			`INSERT INTO ` + prefix + `probesgroupsmodel VALUES (1, 'web1', 'z'), (2, 'web2', 'a'), (3, 'web1', 'a')`,
		} {
			_, err := db.ExecContext(ctx, q)
			require.NoError(t, err)
		}
		_, err = db.ExecContext(ctx, `VACUUM INTO ?`, path)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		rows, err := store.ReadProbes(ctx, path)
		require.NoError(t, err)
		require.ElementsMatch(t, []store.ProbeRow{
			{Host: "web1", Probe: "arch"}, {Host: "web1", Probe: "os", Answer: "Linux"},
			{Host: "web1", Group: "z"}, {Host: "web2", Group: "a"}, {Host: "web1", Group: "a"},
		}, rows)
	}
	path := filepath.Join(t.TempDir(), "empty.sqlite")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.ExecContext(ctx, `CREATE TABLE other (a TEXT)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = store.ReadProbes(ctx, path)
	require.ErrorContains(t, err, "no table")
	_, err = store.ReadProbes(ctx, filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
}
