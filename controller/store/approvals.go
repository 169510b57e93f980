// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"time"
)

// Approval is somebody's word, in a pull request, that a finding is as meant.
type Approval struct {
	Repo string
	Pull int
	// Hash stands for the finding.
	Hash string
	// Account is who, as the forge counts them, Login how they are called there.
	Account int64
	Login   string
	At      time.Time
}

func scanApproval(row scanner) (a Approval, err error) {
	var at int64
	err = row.Scan(&a.Repo, &a.Pull, &a.Hash, &a.Account, &a.Login, &at)
	a.At = fromMillis(at)
	return a, err
}

// PutApproval records an approval. A person approves a finding of a pull request once.
func (s *Store) PutApproval(ctx context.Context, a Approval) error {
	return s.tx(ctx, "put approval", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO approvals (repo, pull, hash, account, login, at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (repo, pull, hash, account) DO NOTHING`, a.Repo, a.Pull, a.Hash, a.Account, a.Login, millis(s.now()))
		return err
	})
}

// DropApproval takes a person's approval back.
func (s *Store) DropApproval(ctx context.Context, a Approval) error {
	return s.tx(ctx, "drop approval", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM approvals WHERE repo = ? AND pull = ? AND hash = ? AND account = ?`,
			a.Repo, a.Pull, a.Hash, a.Account)
		return err
	})
}

// Approvals lists what was approved in a pull request, by hash, the earliest first.
func (s *Store) Approvals(ctx context.Context, repo string, pull int) ([]Approval, error) {
	return list(ctx, s.read, "list approvals", scanApproval,
		`SELECT repo, pull, hash, account, login, at FROM approvals WHERE repo = ? AND pull = ? ORDER BY hash, at, account`, repo, pull)
}
