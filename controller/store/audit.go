// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"time"
)

// keptDeliveries is how many delivery ids are remembered.
const keptDeliveries = 10_000

// Record is one line of the audit trail.
type Record struct {
	N  int64
	At time.Time
	// Actor is who: "controller", a host id, a person.
	Actor string
	// Action is what, as a stable word such as "token-reused".
	Action string
	// Subject is to what.
	Subject string
	// Detail is for people. It never holds a secret.
	Detail string
}

// Ref is what was last done about a branch or a pull request.
type Ref struct {
	Repo, Name, Commit string
	// Outcome is a stable word such as "published" or "refused".
	Outcome string
	Detail  string
	At      time.Time
}

func scanRecord(row scanner) (r Record, err error) {
	var at int64
	err = row.Scan(&r.N, &at, &r.Actor, &r.Action, &r.Subject, &r.Detail)
	r.At = fromMillis(at)
	return r, err
}

func scanRef(row scanner) (r Ref, err error) {
	var at int64
	err = row.Scan(&r.Repo, &r.Name, &r.Commit, &r.Outcome, &r.Detail, &at)
	r.At = fromMillis(at)
	return r, err
}

// Audit adds a line to the audit trail.
func (s *Store) Audit(ctx context.Context, r Record) error {
	return s.tx(ctx, "audit", func(tx *sql.Tx) error { return audit(ctx, tx, s.now(), r) })
}

func audit(ctx context.Context, tx *sql.Tx, now time.Time, r Record) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO audit (n, at, actor, action, subject, detail)
		SELECT COALESCE(MAX(n), 0) + 1, ?, ?, ?, ?, ? FROM audit`,
		millis(now), r.Actor, r.Action, r.Subject, r.Detail)
	return err
}

// AuditTrail lists the last lines, newest first.
func (s *Store) AuditTrail(ctx context.Context, limit int) ([]Record, error) {
	return list(ctx, s.read, "list audit", scanRecord,
		`SELECT n, at, actor, action, subject, detail FROM audit ORDER BY n DESC LIMIT ?`, limit)
}

// Seen records a delivery id and says whether it came before. The oldest ids are
// forgotten.
func (s *Store) Seen(ctx context.Context, id string) (seen bool, err error) {
	err = s.tx(ctx, "record delivery", func(tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(n), 0) FROM deliveries`).Scan(&last); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO deliveries (id, n) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, id, last+1)
		if err != nil {
			return err
		}
		added, err := result.RowsAffected()
		if err != nil {
			return err
		}
		seen = added == 0
		_, err = tx.ExecContext(ctx, `DELETE FROM deliveries WHERE n <= ?`, last+1-keptDeliveries)
		return err
	})
	return seen, err
}

// PutRef records what was done about a ref.
func (s *Store) PutRef(ctx context.Context, r Ref) error {
	return s.tx(ctx, "put ref", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO refs (repo, name, commit_id, outcome, detail, at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (repo, name) DO UPDATE SET commit_id = excluded.commit_id, outcome = excluded.outcome,
				detail = excluded.detail, at = excluded.at`,
			r.Repo, r.Name, r.Commit, r.Outcome, r.Detail, millis(s.now()))
		return err
	})
}

// Ref finds what was last done about a ref; ErrNotFound if nothing was.
func (s *Store) Ref(ctx context.Context, repo, name string) (Ref, error) {
	return one(ctx, s.read, "find ref", scanRef,
		`SELECT repo, name, commit_id, outcome, detail, at FROM refs WHERE repo = ? AND name = ?`, repo, name)
}

// Refs lists what was last done about each ref, by repository and name.
func (s *Store) Refs(ctx context.Context) ([]Ref, error) {
	return list(ctx, s.read, "list refs", scanRef,
		`SELECT repo, name, commit_id, outcome, detail, at FROM refs ORDER BY repo, name`)
}
