// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// keptReports is how many reports a host keeps.
const keptReports = 50

// Facts are the latest accepted answers of a host.
type Facts struct {
	HostID string
	// Counter is the host's own, strictly increasing: an older envelope is refused.
	Counter int64
	// ProbeDigest is the probe set that was answered.
	ProbeDigest string
	// Answers are the outputs by the key of the probe.
	Answers map[string]string
	At      time.Time
}

// Report is what a run on a host ended with.
type Report struct {
	HostID string
	// Counter is the host's own, strictly increasing.
	Counter  int64
	Sequence int64
	Commit   string
	// ConfigDigest is the configuration that was applied.
	ConfigDigest string
	State        string
	// Body is the report as JSON: entry keys and reasons, no content.
	Body []byte
	At   time.Time
}

func scanFacts(row scanner) (f Facts, err error) {
	var answers string
	var at int64
	if err := row.Scan(&f.HostID, &f.Counter, &f.ProbeDigest, &answers, &at); err != nil {
		return f, err
	}
	f.At = fromMillis(at)
	return f, json.Unmarshal([]byte(answers), &f.Answers)
}

func scanReport(row scanner) (r Report, err error) {
	var body string
	var at int64
	err = row.Scan(&r.HostID, &r.Counter, &r.Sequence, &r.Commit, &r.ConfigDigest, &r.State, &body, &at)
	r.Body, r.At = []byte(body), fromMillis(at)
	return r, err
}

const (
	factColumns   = `host_id, counter, probe_digest, answers, at`
	reportColumns = `host_id, counter, sequence, commit_id, config_digest, state, body, at`
)

// PutFacts accepts a host's answers and says whether they differ from those
// before. A counter that is not above the last accepted one is ErrReplayed, a
// host that is not enrolled or revoked is ErrNotFound.
func (s *Store) PutFacts(ctx context.Context, f Facts) (changed bool, err error) {
	answers, err := json.Marshal(f.Answers)
	if err != nil {
		return false, fmt.Errorf("put facts: %w", err)
	}
	err = s.tx(ctx, "put facts", func(tx *sql.Tx) error {
		if err := good(ctx, tx, f.HostID); err != nil {
			return err
		}
		var last int64
		var lastDigest, lastAnswers string
		err := tx.QueryRowContext(ctx, `SELECT counter, probe_digest, answers FROM facts WHERE host_id = ?`, f.HostID).
			Scan(&last, &lastDigest, &lastAnswers)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			changed = true
		case err != nil:
			return err
		case f.Counter <= last:
			return ErrReplayed
		default:
			changed = f.ProbeDigest != lastDigest || string(answers) != lastAnswers
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO facts (`+factColumns+`) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (host_id) DO UPDATE SET counter = excluded.counter, probe_digest = excluded.probe_digest,
				answers = excluded.answers, at = excluded.at`,
			f.HostID, f.Counter, f.ProbeDigest, string(answers), millis(s.now()))
		return err
	})
	return changed, err
}

// good refuses hosts that are unknown or revoked.
func good(ctx context.Context, tx *sql.Tx, hostID string) error {
	_, err := one(ctx, tx, "find host", scanHost,
		`SELECT `+hostColumns+` FROM hosts WHERE id = ? AND revoked = 0`, hostID)
	return err
}

// Facts finds a host's answers.
func (s *Store) Facts(ctx context.Context, hostID string) (Facts, error) {
	return one(ctx, s.read, "find facts", scanFacts, `SELECT `+factColumns+` FROM facts WHERE host_id = ?`, hostID)
}

// AllFacts gives the answers of all good hosts, by host id.
func (s *Store) AllFacts(ctx context.Context) (map[string]Facts, error) {
	all, err := list(ctx, s.read, "list facts", scanFacts, `SELECT f.host_id, f.counter, f.probe_digest, f.answers, f.at
		FROM facts f JOIN hosts h ON h.id = f.host_id WHERE h.revoked = 0`)
	if err != nil {
		return nil, err
	}
	byHost := make(map[string]Facts, len(all))
	for _, f := range all {
		byHost[f.HostID] = f
	}
	return byHost, nil
}

// FactsSince gives the answers of all good hosts, by host id. Those that did not come
// anew since they were read before are taken from known, and not read again: a host
// writes a new counter with whatever it tells.
func (s *Store) FactsSince(ctx context.Context, known map[string]Facts) (map[string]Facts, error) {
	counters, err := list(ctx, s.read, "list facts", func(row scanner) (f Facts, err error) {
		return f, row.Scan(&f.HostID, &f.Counter)
	}, `SELECT f.host_id, f.counter FROM facts f JOIN hosts h ON h.id = f.host_id WHERE h.revoked = 0`)
	if err != nil {
		return nil, err
	}
	byHost := make(map[string]Facts, len(counters))
	var stale []string
	for _, c := range counters {
		f, ok := known[c.HostID]
		if !ok || f.Counter != c.Counter {
			stale = append(stale, c.HostID)
			continue
		}
		byHost[c.HostID] = f
	}
	if len(stale) > readOneByOne {
		return s.AllFacts(ctx)
	}
	for _, id := range stale {
		f, err := s.Facts(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue // it is gone since
		}
		if err != nil {
			return nil, err
		}
		byHost[id] = f
	}
	return byHost, nil
}

// readOneByOne is up to how many rows are read by their keys and not with all others.
const readOneByOne = 200

// PutReport accepts a report and forgets the oldest ones. Its errors are those of
// PutFacts.
func (s *Store) PutReport(ctx context.Context, r Report) error {
	return s.tx(ctx, "put report", func(tx *sql.Tx) error {
		if err := good(ctx, tx, r.HostID); err != nil {
			return err
		}
		var last sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT MAX(counter) FROM reports WHERE host_id = ?`, r.HostID).Scan(&last); err != nil {
			return err
		}
		if last.Valid && r.Counter <= last.Int64 {
			return ErrReplayed
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO reports (`+reportColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			r.HostID, r.Counter, r.Sequence, r.Commit, r.ConfigDigest, r.State, string(r.Body), millis(s.now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM reports WHERE host_id = ? AND counter < (
			SELECT MIN(counter) FROM (SELECT counter FROM reports WHERE host_id = ? ORDER BY counter DESC LIMIT ?) AS kept)`,
			r.HostID, r.HostID, keptReports)
		return err
	})
}

// Reports lists a host's last reports, newest first.
func (s *Store) Reports(ctx context.Context, hostID string, limit int) ([]Report, error) {
	return list(ctx, s.read, "list reports", scanReport,
		`SELECT `+reportColumns+` FROM reports WHERE host_id = ? ORDER BY counter DESC LIMIT ?`, hostID, limit)
}

// LatestReports gives the newest report of every good host, by host id.
func (s *Store) LatestReports(ctx context.Context) (map[string]Report, error) {
	all, err := list(ctx, s.read, "list reports", scanReport, `SELECT r.host_id, r.counter, r.sequence, r.commit_id,
			r.config_digest, r.state, r.body, r.at
		FROM reports r JOIN hosts h ON h.id = r.host_id
		WHERE h.revoked = 0 AND r.counter = (SELECT MAX(counter) FROM reports WHERE host_id = r.host_id)`)
	if err != nil {
		return nil, err
	}
	byHost := make(map[string]Report, len(all))
	for _, r := range all {
		byHost[r.HostID] = r
	}
	return byHost, nil
}
