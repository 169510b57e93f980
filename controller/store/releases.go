// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// keptReleases is how many releases a host keeps.
const keptReleases = 20

// Release is one host's published bundle.
type Release struct {
	HostID string
	// Sequence is the TUF version: strictly increasing for each host.
	Sequence int64
	// The digests, the recipient and the format decide whether a host is
	// published again.
	ConfigDigest, ProbeDigest, PolicyDigest string
	Recipient                               string
	Format                                  int
	Commit, Tree                            string
	// Environment is where it came from.
	Environment string
	// Waiting says that the bundle has probes and no configuration.
	Waiting bool
	At      time.Time
}

const releaseColumns = `host_id, sequence, config_digest, probe_digest, policy_digest, recipient, format,
	commit_id, tree, environment, waiting, at`

func scanRelease(row scanner) (r Release, err error) {
	var waiting, at int64
	err = row.Scan(&r.HostID, &r.Sequence, &r.ConfigDigest, &r.ProbeDigest, &r.PolicyDigest, &r.Recipient,
		&r.Format, &r.Commit, &r.Tree, &r.Environment, &waiting, &at)
	r.Waiting, r.At = waiting != 0, fromMillis(at)
	return r, err
}

// PutReleases records what was published, all of it or nothing. Recording the
// same sequence of a host again only moves its commit and environment, so that a controller that
// was killed between publishing and recording can record what it finds.
func (s *Store) PutReleases(ctx context.Context, releases []Release) error {
	return s.tx(ctx, "put releases", func(tx *sql.Tx) error {
		for _, r := range releases {
			if err := putRelease(ctx, tx, r, s.now()); err != nil {
				return fmt.Errorf("host %s: %w", r.HostID, err)
			}
		}
		return nil
	})
}

func putRelease(ctx context.Context, tx *sql.Tx, r Release, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO releases (`+releaseColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (host_id, sequence)
		DO UPDATE SET commit_id = excluded.commit_id, tree = excluded.tree, environment = excluded.environment`,
		r.HostID, r.Sequence, r.ConfigDigest, r.ProbeDigest, r.PolicyDigest, r.Recipient, r.Format,
		r.Commit, r.Tree, r.Environment, flag(r.Waiting), millis(now)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM releases WHERE host_id = ? AND sequence < (
		SELECT MIN(sequence) FROM (SELECT sequence FROM releases WHERE host_id = ? ORDER BY sequence DESC LIMIT ?) AS kept)`,
		r.HostID, r.HostID, keptReleases)
	return err
}

// LatestReleases gives the newest release of every good host, by host id.
func (s *Store) LatestReleases(ctx context.Context) (map[string]Release, error) {
	all, err := list(ctx, s.read, "list releases", scanRelease, `SELECT r.host_id, r.sequence, r.config_digest,
			r.probe_digest, r.policy_digest, r.recipient, r.format, r.commit_id, r.tree, r.environment, r.waiting, r.at
		FROM releases r JOIN hosts h ON h.id = r.host_id
		WHERE h.revoked = 0 AND r.sequence = (SELECT MAX(sequence) FROM releases WHERE host_id = r.host_id)`)
	if err != nil {
		return nil, err
	}
	byHost := make(map[string]Release, len(all))
	for _, r := range all {
		byHost[r.HostID] = r
	}
	return byHost, nil
}

// Releases lists a host's last releases, newest first.
func (s *Store) Releases(ctx context.Context, hostID string, limit int) ([]Release, error) {
	return list(ctx, s.read, "list releases", scanRelease,
		`SELECT `+releaseColumns+` FROM releases WHERE host_id = ? ORDER BY sequence DESC LIMIT ?`, hostID, limit)
}
