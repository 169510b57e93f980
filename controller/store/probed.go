// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ProbeRow is a row of the tables that Bcfg2's server kept instead of probed.xml: a
// group of a host, or an answer where Probe is set.
type ProbeRow struct{ Host, Group, Probe, Answer string }

// ReadProbes reads the SQLite database of a Bcfg2 server and changes nothing in it.
func ReadProbes(ctx context.Context, path string) (rows []ProbeRow, err error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "mode=ro"}).String())
	if err != nil {
		return nil, fmt.Errorf("read probes: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables, err := list(ctx, db, "list tables", func(row scanner) (name string, err error) {
		return name, row.Scan(&name)
	}, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		quoted := `"` + strings.ReplaceAll(t, `"`, `""`) + `"`
		var query string
		switch name := strings.ToLower(t); {
		case strings.HasSuffix(name, "probesdatamodel"):
			query = `SELECT hostname, '', probe, COALESCE(data, '') FROM ` + quoted + ` ORDER BY hostname, probe`
		case strings.HasSuffix(name, "probesgroupsmodel"):
			query = `SELECT hostname, "group", '', '' FROM ` + quoted + ` ORDER BY rowid`
		default:
			continue
		}
		found, err := list(ctx, db, "read "+t, func(row scanner) (r ProbeRow, err error) {
			return r, row.Scan(&r.Host, &r.Group, &r.Probe, &r.Answer)
		}, query)
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	if rows == nil {
		return nil, errors.New("read probes: no table of ProbesDataModel or ProbesGroupsModel has a row")
	}
	return rows, nil
}
