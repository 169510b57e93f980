// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// External is what others know of a host, for one plugin.
type External struct {
	Host, Source string
	// Data is JSON.
	Data string
}

func scanExternal(row scanner) (e External, err error) {
	err = row.Scan(&e.Host, &e.Source, &e.Data)
	return e, err
}

// PutExternal records what a source says of hosts, as JSON by host, in place of what it
// said of them before, and who recorded it. With whole set, hosts that are not among
// them are forgotten. It counts the hosts whose data changed.
func (s *Store) PutExternal(ctx context.Context, actor, source string, hosts map[string]string, whole bool) (changed int, err error) {
	err = s.tx(ctx, "put external data", func(tx *sql.Tx) error {
		had, err := list(ctx, tx, "list external data", scanExternal,
			`SELECT host, source, data FROM external WHERE source = ?`, source)
		if err != nil {
			return err
		}
		before := map[string]string{}
		for _, e := range had {
			before[e.Host] = e.Data
		}
		changed = 0
		for _, host := range slices.Sorted(maps.Keys(hosts)) {
			if old, ok := before[host]; ok && old == hosts[host] {
				continue
			}
			changed++
			if _, err := tx.ExecContext(ctx, `INSERT INTO external (host, source, data, at) VALUES (?, ?, ?, ?)
				ON CONFLICT (host, source) DO UPDATE SET data = excluded.data, at = excluded.at`,
				host, source, hosts[host], millis(s.now())); err != nil {
				return err
			}
		}
		for _, host := range slices.Sorted(maps.Keys(before)) {
			if _, stays := hosts[host]; stays || !whole {
				continue
			}
			changed++
			if _, err := tx.ExecContext(ctx, `DELETE FROM external WHERE host = ? AND source = ?`, host, source); err != nil {
				return err
			}
		}
		return audit(ctx, tx, s.now(), Record{
			Actor: actor, Action: "facts-imported", Subject: source, Detail: fmt.Sprintf("%d hosts given, %d changed", len(hosts), changed),
		})
	})
	return changed, err
}

// AllExternal gives what others know, as JSON by host and source.
func (s *Store) AllExternal(ctx context.Context) (map[string]map[string]string, error) {
	rows, err := list(ctx, s.read, "list external data", scanExternal, `SELECT host, source, data FROM external ORDER BY host, source`)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for _, e := range rows {
		if out[e.Host] == nil {
			out[e.Host] = map[string]string{}
		}
		out[e.Host][e.Source] = e.Data
	}
	return out, nil
}
